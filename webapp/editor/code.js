// The editor itself. It stands in a shadow root: there CodeMirror keeps its styles in constructed style sheets, which a policy
// without 'unsafe-inline' allows; in a document it would write a <style> element.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { sparql } from "codemirror-lang-sparql";
import { completion } from "./completion.js";

const theme = EditorView.theme({
  "&": { background: "var(--band)", color: "var(--ink)", border: "1px solid var(--line)", fontSize: ".9rem" },
  "&.cm-focused": { outline: "3px solid #ffb700", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: 'ui-monospace, "Noto Sans Mono CJK JP", monospace', lineHeight: "1.5", maxHeight: "70vh" },
  ".cm-content": { minHeight: "16em", caretColor: "var(--ink)" },
  "&.cm-focused .cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { background: "var(--band)", color: "var(--faint)", border: "none" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--code-marked)" },
  "&.cm-focused .cm-matchingBracket": { background: "var(--code-marked)", outline: "1px solid var(--faint)" },
  ".cm-tooltip": { background: "var(--paper)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "inherit", maxHeight: "16em" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--link)", color: "var(--paper)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: ".85" },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-word)" },
  { tag: tags.string, color: "var(--code-text)" },
  { tag: [tags.integer, tags.float, tags.bool], color: "var(--code-number)" },
  { tag: tags.variableName, color: "var(--link)" },
  { tag: tags.comment, color: "var(--faint)" },
  { tag: [tags.namespace, tags.url, tags.typeName], color: "var(--ink)" },
]);

/**
 * Put an editor behind the form's own field, which goes on holding the text, so that the form is sent as before.
 * Tab is not bound: it leaves the editor, as it leaves every field.
 *
 * @param words gives the words of the graph; run sends the query; changed is told that the text is another.
 * @returns the text, set and read; the place of an error, marked and gone to.
 */
export function open(field, settings, { words, run, changed }) {
  const host = document.createElement("div");
  host.className = "code";
  field.before(host);
  const root = host.attachShadow({ mode: "open" });
  const bound = [
    { key: "Mod-Enter", run: () => (run(), true) },
    { key: "Ctrl-Enter", run: () => (run(), true) },
  ];
  const label = { "aria-label": settings.words.query, "aria-description": settings.words["editor-hint"], spellcheck: "false", lang: "zxx" };
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: field.value,
      extensions: [
        Prec.highest(keymap.of(bound)),
        lineNumbers(),
        lintGutter(),
        history(),
        drawSelection(),
        EditorView.lineWrapping,
        bracketMatching(),
        closeBrackets(),
        sparql(),
        syntaxHighlighting(colours),
        autocompletion({ override: [completion(words, settings.words)], icons: false }),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorState.phrases.of({ Completions: settings.words["editor-completions"] }),
        EditorView.contentAttributes.of(label),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          field.value = update.state.doc.toString();
          changed();
        }),
        EditorView.domEventHandlers({ beforeinput: replace }),
        theme,
      ],
    }),
  });
  field.hidden = true;
  document.querySelector(`label[for="${field.id}"]`)?.addEventListener("click", () => view.focus());
  return {
    text: () => view.state.doc.toString(),
    write: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 } }),
    mark: (place, message) => mark(view, place, message),
    focus: () => view.focus(),
    clear: () => view.dispatch(setDiagnostics(view.state, [])),
  };
}

/** Write over a selection ourselves: the browser would keep its colour in an inline style, which the policy refuses. */
function replace(event, view) {
  const { from, to, empty } = view.state.selection.main;
  if (event.inputType !== "insertText" || event.isComposing || !event.data || empty) return false;
  event.preventDefault();
  const change = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  const handled = view.state.facet(EditorView.inputHandler).some((handler) => handler(view, from, to, event.data, change));
  if (!handled) view.dispatch(change());
  return true;
}

/** Mark a place, told as line and column in code points from 1, and return what goes there. */
function mark(view, { line, column }, message) {
  const found = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
  const before = [...found.text].slice(0, column - 1).join("").length;
  const from = Math.min(found.from + before, found.to);
  const word = /^[^\s{}()[\];,]*/u.exec(view.state.sliceDoc(from, found.to))[0].length || 1;
  const to = Math.min(from + word, view.state.doc.length);
  view.dispatch(setDiagnostics(view.state, [{ from: from === to ? Math.max(from - 1, 0) : from, to, severity: "error", message }]));
  return () => {
    view.dispatch({ selection: { anchor: Math.min(from, view.state.doc.length) }, scrollIntoView: true });
    view.focus();
  };
}
