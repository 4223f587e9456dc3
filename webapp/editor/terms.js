// IRIs as a reader sees them: shortened by the prefixes of the house, and linked to where this server answers them.

/** Return the IRI with a prefix where one fits, else in angle brackets. */
export function shrink(iri, prefixes) {
  let best = "";
  for (const name of Object.keys(prefixes)) {
    if (iri.startsWith(prefixes[name]) && prefixes[name].length > (prefixes[best] ?? "").length) best = name;
  }
  return best ? `${best}:${iri.slice(prefixes[best].length)}` : `<${iri}>`;
}

/** Return the IRI that was shortened; the other way round than shrink. */
export function expand(short, prefixes) {
  if (short.startsWith("<")) return short.slice(1, -1);
  const colon = short.indexOf(":");
  const space = prefixes[short.slice(0, colon)];
  return colon < 0 || space === undefined ? "" : space + short.slice(colon + 1);
}

/** Return where a link to the IRI leads: on this server if it is ours, to the web if it is of the web, else nowhere. */
export function pathOf(iri, { base, root, lang }) {
  for (const [document, name] of [[`${base}/shapes`, "shapes"], [base, "ontology"]]) {
    if (iri === document) return `${root}page/${name}?lang=${lang}`;
    if (iri.startsWith(`${document}#`)) return `${root}page/${name}/${escaped(iri.slice(document.length + 1))}?lang=${lang}`;
  }
  if (iri.startsWith(`${base}/`)) return `${root}${escaped(iri.slice(base.length + 1))}?lang=${lang}`;
  return /^(https?:\/\/|mailto:)/.test(iri) ? iri : "";
}

function escaped(text) {
  return text.replace(/[?#]/g, encodeURIComponent);
}
