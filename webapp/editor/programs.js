// The query as a program would ask it. The text of the query is quoted by the rules of each language.

/** Return for each language its name and a text to copy. */
export function programs(address, query) {
  return [
    ["curl", `curl -s '${address}' -H 'Accept: text/csv' --data-urlencode ${shell(query)}`],
    [
      "Python",
      `from urllib.parse import urlencode\n\nimport pandas\n\nquery = ${python(query)}\n` +
        `print(pandas.read_csv("${address}?" + urlencode({"query": query, "format": "csv"})))`,
    ],
    ["R", `query <- ${r(query)}\nread.csv(paste0("${address}?format=csv&query=", URLencode(query, reserved = TRUE)), encoding = "UTF-8")`],
  ];
}

function shell(text) {
  return `'query=${text.replaceAll("'", "'\\''")}'`;
}

function python(text) {
  return `"""\n${text.replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"')}\n"""`;
}

function r(text) {
  let dashes = "";
  while (text.includes(`)${dashes}"`)) dashes += "-";
  return `r"${dashes}(${text})${dashes}"`;
}
