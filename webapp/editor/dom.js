// Elements without innerHTML: what comes from an answer can only become text.

/** Return a new element; a property that the element knows is set, every other name becomes an attribute. */
export function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Return the text with each {} replaced by the next value. */
export function told(text, ...values) {
  return text.replace(/\{\}/g, () => String(values.shift()));
}

/** Copy a text to the clipboard; true if that was done. Without a secure origin the older way is taken. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { value: text, className: "aside" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
