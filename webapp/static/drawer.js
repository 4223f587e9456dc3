// Sources open beside the page; without this script each link leads to a page that says the same.
"use strict";
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-source]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const address = new URL(link.href);
  address.searchParams.set("part", "1");
  let text;
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.status);
    text = await answer.text();
  } catch {
    location.href = link.href;
    return;
  }
  const drawer = drawerOf();
  drawer.querySelector("div").replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
  drawer.setAttribute("aria-label", drawer.querySelector("h2").textContent);
  drawer.showModal();
  drawer.scrollTop = 0;
  drawer.addEventListener("close", () => link.focus(), { once: true });
});

function drawerOf() {
  const found = document.querySelector("dialog");
  if (found) return found;
  const drawer = document.createElement("dialog");
  const close = document.createElement("button");
  close.className = "close quiet";
  close.textContent = document.documentElement.lang === "ja" ? "閉じる" : "Close";
  close.addEventListener("click", () => drawer.close());
  drawer.addEventListener("click", (event) => event.target === drawer && drawer.close());
  drawer.append(close, document.createElement("div"));
  document.body.append(drawer);
  return drawer;
}
