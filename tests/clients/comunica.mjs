// Asks a SPARQL endpoint through Comunica and prints one JSON document: node comunica.mjs ENDPOINT KIND < QUERY
import { QueryEngine } from "@comunica/query-sparql";
import { DataFactory } from "rdf-data-factory";
import { text } from "node:stream/consumers";

const [endpoint, kind] = process.argv.slice(2);
const query = await text(process.stdin);
// Comunica 4.5 makes terms by a factory of version 1, its reader of results wants version 2: without it languages are lost
const context = { sources: [{ type: "sparql", value: endpoint }], dataFactory: new DataFactory() };
const engine = new QueryEngine();

const term = (t) => ({ type: t.termType, value: t.value, ...(t.language ? { language: t.language } : {}) });
const answers = {
  select: async () =>
    (await (await engine.queryBindings(query, context)).toArray()).map((row) =>
      Object.fromEntries([...row].map(([name, value]) => [name.value, term(value)])),
    ),
  ask: () => engine.queryBoolean(query, context),
  construct: async () =>
    (await (await engine.queryQuads(query, context)).toArray()).map((quad) => [quad.subject, quad.predicate, quad.object].map(term)),
};
process.stdout.write(JSON.stringify(await answers[kind]()));
