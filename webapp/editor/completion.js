// What is offered while a query is written: the words of the graph by their name or their label, variables, keywords.
import { syntaxTree } from "@codemirror/language";

const KEYWORDS = (
  "SELECT DISTINCT REDUCED CONSTRUCT DESCRIBE ASK FROM NAMED WHERE OPTIONAL UNION MINUS GRAPH FILTER BIND VALUES UNDEF EXISTS NOT " +
  "PREFIX BASE GROUP ORDER BY HAVING ASC DESC LIMIT OFFSET COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT SEPARATOR " +
  "STR LANG LANGMATCHES DATATYPE BOUND COALESCE IF IN CONTAINS STRSTARTS STRENDS STRLEN SUBSTR REPLACE REGEX LCASE UCASE CONCAT YEAR"
).split(" ");
const MOST = 100;
const QUIET = new Set(["String", "Comment", "IriRef", "Langtag"]);

/** Return a source of completions over the words that the function gives; they are fetched when they are first wanted. */
export function completion(words, interfaceWords) {
  return async (context) => {
    const found = context.matchBefore(/[?$]?[\p{L}\p{N}_:.-]*/u);
    const typed = found?.text ?? "";
    if (!context.explicit && typed.length < 2) return null;
    if (QUIET.has(syntaxTree(context.state).resolveInner(context.pos, -1).name)) return null;
    const from = found ? found.from : context.pos;
    const options = /^[?$]/.test(typed) ? variables(context.state.doc.toString(), typed) : named(await words(), typed, interfaceWords);
    if (context.aborted || !options.length) return null;
    const line = context.state.doc.lineAt(context.pos);
    const declares = /^\s*PREFIX\s+\S*$/i.test(line.text.slice(0, context.pos - line.from));
    return { from, options: declares ? options.filter((each) => each.space).map(declared) : options, filter: false };
  };
}

function declared(option) {
  return { ...option, apply: `${option.label} <${option.space}>` };
}

function variables(text, typed) {
  const here = new Map();
  for (const [each] of text.matchAll(/[?$][\p{L}\p{N}_]+/gu)) here.set(each, (here.get(each) ?? 0) + 1);
  if (here.get(typed) === 1) here.delete(typed); // only what is being written now
  return [...here.keys()].filter((each) => each.startsWith(typed) && each !== typed).map((label) => ({ label, type: "variable" }));
}

function named(words, typed, interfaceWords) {
  const wanted = typed.toLowerCase();
  const scored = [];
  for (const word of words) {
    const rank = fits(word, wanted);
    if (rank < 9) scored.push([rank, word]);
  }
  scored.sort(([a, x], [b, y]) => a - b || x.name.length - y.name.length);
  const offered = scored.slice(0, MOST).map(([, { name, label, kind }]) => ({
    label: name,
    detail: kind === "prefix" ? `<${label}>` : [label, interfaceWords[`editor-kind-${kind}`]].filter(Boolean).join(" · "),
    space: kind === "prefix" ? label : "",
  }));
  const keywords = wanted.length > 1 ? KEYWORDS.filter((each) => each.toLowerCase().startsWith(wanted)) : [];
  return [...keywords.map((label) => ({ label, type: "keyword" })), ...offered];
}

/** Return how well a word fits what was typed: 0 best, 9 not at all. A Japanese label is found as it is typed. */
function fits({ name, label, kind }, wanted) {
  const lower = name.toLowerCase();
  if (lower.startsWith(wanted)) return kind === "prefix" ? 0 : 1;
  if (wanted.includes(":")) return lower.includes(wanted) ? 5 : 9;
  if (lower.slice(lower.indexOf(":") + 1).startsWith(wanted)) return 2;
  const said = kind === "prefix" ? "" : label.toLowerCase();
  if (said.startsWith(wanted)) return 3;
  return lower.includes(wanted) || said.includes(wanted) ? 4 : 9;
}
