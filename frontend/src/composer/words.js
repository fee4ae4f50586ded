// Words into a text field at its cursor, so that undo takes them out again and everybody hears of it.

/** The text field that a tool belongs to. */
export function fieldOf(tool) {
  return document.querySelector(tool.closest("[data-part-tools]").dataset.partTools);
}

export function insertWords(field, words) {
  field.focus();
  // The only way that keeps the browser's own undo; it fires `input` itself.
  if (document.execCommand("insertText", false, words)) return;
  field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** `words` with a space before them where a word stands there. */
export function insertApart(field, words) {
  const before = field.value.slice(0, field.selectionStart);
  insertWords(field, before && !/\s$/.test(before) ? ` ${words}` : words);
}

/** Puts a popup right below (or, without room, above) an element, within the page's width. */
export function place(popup, anchor) {
  const at = anchor.getBoundingClientRect();
  const size = popup.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - size.width - 8));
  const isBelow = at.bottom + size.height + 8 < innerHeight || at.top < size.height + 8;
  popup.style.left = `${left + scrollX}px`;
  popup.style.top = `${(isBelow ? at.bottom + 4 : at.top - size.height - 4) + scrollY}px`;
}
