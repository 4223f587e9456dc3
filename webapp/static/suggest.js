// Suggestions under the search box: an editable combobox with a list (WAI-ARIA 1.2). Without this script the form just works.
"use strict";
(() => {
  const form = document.querySelector("form[role=search]");
  const input = form && form.querySelector("input[name=q]");
  if (!input) return;
  const list = document.createElement("ul");
  const status = document.createElement("p");
  let asked = 0, timer = 0, active = -1, urls = [];
  Object.assign(list, { id: "suggestions", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", form.dataset.list);
  status.setAttribute("role", "status");
  status.className = "unseen";
  for (const [name, value] of [["role", "combobox"], ["autocomplete", "off"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list.id]]) {
    input.setAttribute(name, value);
  }
  form.append(list, status);

  function close() {
    asked += 1;
    clearTimeout(timer);
    list.hidden = true;
    mark(-1);
    input.setAttribute("aria-expanded", "false");
  }

  function mark(place) {
    active = place;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === place)));
    if (place < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", list.children[place].id);
    list.children[place].scrollIntoView({ block: "nearest" });
  }

  function show([, names, kinds, places]) {
    urls = places;
    list.replaceChildren(...names.map((name, at) => {
      const option = document.createElement("li");
      const kind = document.createElement("small");
      option.id = `suggestion-${at}`;
      option.setAttribute("role", "option");
      kind.textContent = kinds[at];
      option.append(name, " ", kind);
      option.addEventListener("mousedown", (event) => event.preventDefault());
      option.addEventListener("click", () => location.assign(urls[at]));
      return option;
    }));
    mark(-1);
    list.hidden = !names.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    status.textContent = form.dataset.count.replace("{}", names.length);
  }

  async function ask() {
    const text = input.value.trim(), mine = ++asked;
    if (!text) return close();
    const address = new URL(form.dataset.suggest, location.href);
    address.searchParams.set("q", text);
    try {
      const answer = await fetch(address);
      if (answer.ok && mine === asked) {
        const said = await answer.json();
        if (mine === asked) show(said);
      }
    } catch { close(); } // the form still works
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // a Japanese input method has the keys
    const last = list.children.length - 1;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return ask();
      const down = event.key === "ArrowDown";
      mark(down ? (active < last ? active + 1 : -1) : (active < 0 ? last : active - 1));
    } else if (event.key === "Enter" && active >= 0 && !list.hidden) {
      event.preventDefault();
      location.assign(urls[active]);
    } else if (event.key === "Escape") {
      if (list.hidden) input.value = "";
      else event.preventDefault();
      close();
    }
  });
})();
