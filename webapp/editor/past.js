// The queries that were asked, kept in this browser only.

const KEY = "sekinin-queries";
const MOST = 20;

/** Return the queries, the newest first; none where the browser keeps nothing. */
export function past() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((each) => typeof each === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Put a query first. */
export function remember(query) {
  keep([query, ...past().filter((each) => each !== query)].slice(0, MOST));
}

/** Forget all of them. */
export function forget() {
  keep([]);
}

function keep(queries) {
  try {
    if (queries.length) localStorage.setItem(KEY, JSON.stringify(queries));
    else localStorage.removeItem(KEY);
  } catch {
    // private browsing, or no room: then there is no history
  }
}
