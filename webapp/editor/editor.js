// The page /sparql with JavaScript: the plain form goes on working, and gains an editor, answers in place, and tools.
import { open } from "./code.js";
import { copy, make, told } from "./dom.js";
import { forget, past, remember } from "./past.js";
import { programs } from "./programs.js";
import { drawn, name, problem, written } from "./results.js";

const LONGEST_LINK = 8000;
const form = document.getElementById("ask");
const outcome = document.getElementById("outcome");
const results = document.getElementById("results");
const settings = JSON.parse(document.getElementById("editor-settings").textContent);
const { words } = settings;
const endpoint = new URL(form.action.replace(/\/$/, ""));
const kept = new URLSearchParams({ lang: settings.lang });
if (new URLSearchParams(location.search).get("inference") === "off") kept.set("inference", "off");
const editor = open(form.elements.query, settings, { words: vocabulary(), run: () => form.requestSubmit(), changed });
let running = null;

/** Return what gives the words of the graph: fetched once, and again if that failed. */
function vocabulary() {
  let asked = null;
  const fetched = async () => {
    const answer = await fetch(form.dataset.words);
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  };
  return () => (asked ??= fetched().catch(() => ((asked = null), [])));
}

async function run() {
  running?.abort();
  const mine = (running = new AbortController());
  const query = editor.text();
  editor.clear();
  outcome.textContent = words["editor-running"];
  results.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(`${endpoint.pathname}?${kept}`, {
      method: "POST",
      headers: { Accept: "application/sparql-results+json" },
      body: new URLSearchParams({ query }),
      signal: mine.signal,
    });
    if (answer.ok) await show(answer, query);
    else await fail(answer);
  } catch (why) {
    if (why.name === "AbortError") return;
    results.replaceChildren();
    outcome.textContent = words["editor-unreachable"];
  } finally {
    if (running === mine) results.removeAttribute("aria-busy");
  }
}

async function show(answer, query) {
  const cut = /rows=(\d+)/.exec(answer.headers.get("Sekinin-Truncated") ?? "");
  const notes = cut ? [told(words["editor-truncated"], cut[1])] : [];
  if (answer.headers.get("Content-Type").startsWith("application/sparql-results+json")) {
    const { count, all, element } = drawn(await answer.json(), settings);
    results.replaceChildren(element);
    notes.unshift(`${count} ${words.rows}`);
    if (!all) notes.push(told(words["too-many"], element.querySelectorAll("tbody tr").length));
  } else {
    results.replaceChildren(written(await answer.text(), words));
    notes.unshift(words["editor-graph"]);
  }
  outcome.textContent = notes.join(" — ");
  remember(query);
  address(query);
  tools();
  await name(results, settings, form.dataset.labels);
}

async function fail(answer) {
  const said = await answer.json().catch(() => ({ title: `${answer.status} ${answer.statusText}` }));
  const message = [said.detail, said.remedy, ...(said.hints ?? [])].filter(Boolean).map((each) => each.slice(0, 300)).join("\n");
  const go = said.line ? editor.mark(said, message) : null;
  results.replaceChildren(problem(said, go, words));
  outcome.textContent = [said.title, said.line ? told(words["editor-place"], said.line, said.column) : ""].filter(Boolean).join(" — ");
}

/** Return a link that asks the query again. */
function link(query) {
  return `${endpoint.origin}${endpoint.pathname}?${new URLSearchParams([["query", query], ...kept])}`;
}

/** Make the address of this page, and its link to the other language, those of the query. */
function address(query) {
  if (link(query).length > LONGEST_LINK) return;
  history.replaceState(null, "", link(query));
  const other = document.querySelector("header nav a[lang]");
  if (other) other.search = new URLSearchParams([["query", query], ...kept, ["lang", other.lang]].filter(([key], i) => key !== "lang" || i > 1));
}

async function share() {
  const query = editor.text();
  if (link(query).length > LONGEST_LINK) outcome.textContent = words["editor-link-long"];
  else outcome.textContent = words[(await copy(link(query))) ? "editor-copied" : "editor-failed"];
}

/** Draw the history and the programs anew. */
function tools() {
  document.getElementById("tools").replaceChildren(asHistory(), asPrograms());
}

function asHistory() {
  const queries = past();
  const list = queries.map((query) => {
    const line = query.split("\n").map((each) => each.trim()).filter((each) => each && !/^(#|PREFIX\b)/i.test(each)).join(" ");
    const choose = () => (editor.write(query), editor.focus());
    return make("li", {}, make("button", { type: "button", className: "link", title: query.slice(0, 500), onclick: choose }, line.slice(0, 160) || "…"));
  });
  const clear = make("button", { type: "button", className: "quiet", onclick: () => (forget(), tools()) }, words["editor-history-clear"]);
  const content = queries.length ? [make("ol", {}, ...list), make("p", {}, clear)] : [make("p", { className: "silent" }, words["editor-history-none"])];
  const where = make("p", { className: "silent" }, words["editor-history-where"]);
  return keepOpen("history", make("details", {}, make("summary", {}, words["editor-history"]), ...content, where));
}

function asPrograms() {
  const details = make("details", {}, make("summary", {}, words["editor-programs"]));
  const draw = () => {
    while (details.children.length > 1) details.lastChild.remove();
    for (const [language, text] of programs(`${endpoint.origin}${endpoint.pathname}`, editor.text())) {
      const copied = async () => (outcome.textContent = words[(await copy(text)) ? "editor-copied" : "editor-failed"]);
      const button = make("button", { type: "button", className: "quiet", "aria-label": `${language}: ${words["editor-copy"]}`, onclick: copied }, words["editor-copy"]);
      details.append(make("h2", {}, language), make("pre", { tabIndex: 0, "data-language": language }, text), make("p", {}, button));
    }
  };
  details.addEventListener("toggle", () => details.open && draw());
  return keepOpen("programs", details);
}

/** Let the programs follow the query, where they are shown. */
function changed() {
  const shown = document.getElementById("programs");
  if (shown?.open) shown.replaceWith(asPrograms());
}

/** Keep open what was open before it was drawn anew. */
function keepOpen(id, details) {
  const before = document.getElementById(id);
  details.id = id;
  details.open = Boolean(before?.open);
  return details;
}

form.addEventListener("submit", (event) => {
  if (event.submitter && event.submitter.value !== "html") return; // a file: the form is sent as it is
  event.preventDefault();
  run();
});
form.querySelector("p").append(" ", make("button", { type: "button", className: "quiet", onclick: share }, words["editor-share"]));
form.append(make("p", { className: "silent" }, words["editor-hint"]));
tools();
name(results, settings, form.dataset.labels).catch(() => {});
