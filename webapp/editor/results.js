// Answers and problems, drawn as elements.
import { make, told } from "./dom.js";
import { expand, pathOf, shrink } from "./terms.js";

const SHOWN = 1000;
const LONGEST = 200_000;

/** Return the table of a SPARQL JSON result, or its boolean, with the number of rows and whether all of them are shown. */
export function drawn(answer, settings) {
  const { words } = settings;
  if ("boolean" in answer) return { count: 1, all: true, element: table(["ASK"], [[document.createTextNode(answer.boolean ? words.yes : words.no)]], words) };
  const names = answer.head.vars;
  const { bindings } = answer.results;
  if (!bindings.length) return { count: 0, all: true, element: make("p", { className: "silent" }, words["no-rows"]) };
  const rows = bindings.slice(0, SHOWN).map((row) => names.map((name) => (row[name] ? term(row[name], settings) : "")));
  return { count: bindings.length, all: bindings.length <= SHOWN, element: table(names, rows, words) };
}

/** Return a graph as text, as the server wrote it. */
export function written(text, words) {
  return make("pre", { tabIndex: 0, role: "region", "aria-label": words.rows }, text.slice(0, LONGEST), text.length > LONGEST ? "\n…" : "");
}

function table(names, rows, words) {
  const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)));
  const body = rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))));
  const drawing = make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
  return make("div", { className: "wide", tabIndex: 0, role: "region", "aria-label": words.rows }, drawing);
}

function term(value, settings) {
  if (value.type === "uri") {
    const short = shrink(value.value, settings.prefixes);
    const path = pathOf(value.value, settings);
    return path ? make("a", { href: path }, short) : make("code", {}, short);
  }
  if (value.type === "triple") {
    const { subject, predicate, object } = value.value;
    return make("span", {}, term(subject, settings), " ", term(predicate, settings), " ", term(object, settings));
  }
  if (value.type === "bnode") return make("code", {}, `_:${value.value}`);
  const lang = value["xml:lang"];
  return lang ? make("span", { lang }, value.value) : document.createTextNode(value.value);
}

/** Write the names of our IRIs beside them, in the reader's language. */
export async function name(results, settings, labels) {
  const found = new Map();
  for (const element of results.querySelectorAll("td a, td code")) {
    const iri = expand(element.textContent, settings.prefixes);
    if (iri.startsWith(settings.base)) found.set(iri, [...(found.get(iri) ?? []), element]);
  }
  const asked = [...found.keys()].slice(0, settings.labelled);
  if (!asked.length) return;
  const body = new URLSearchParams(asked.map((iri) => ["iri", iri]));
  const answer = await fetch(labels, { method: "POST", body });
  if (!answer.ok) return;
  for (const [iri, label] of Object.entries(await answer.json())) {
    for (const element of found.get(iri) ?? []) element.after(" ", make("span", { className: "name", lang: settings.lang }, label));
  }
}

/** Return a problem document as an element, with a button that goes to its place in the query. */
export function problem(said, go, words) {
  const parts = [make("p", {}, make("strong", {}, said.title ?? words["editor-failed"]))];
  if (said.detail) parts.push(make("p", {}, said.detail));
  if (said.remedy) parts.push(make("p", {}, said.remedy));
  if (said.hints?.length) parts.push(make("ul", {}, ...said.hints.map((hint) => make("li", {}, hint))));
  if (said.line) parts.push(make("p", {}, make("button", { type: "button", className: "quiet", onclick: go }, told(words["editor-go"], said.line))));
  return make("div", { className: "problem" }, ...parts);
}
