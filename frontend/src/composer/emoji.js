// Emoji: buttons [data-emoji] open a picker, which is loaded when it is first wanted. It reads the names of
// emoji from our own files (form[data-composer] data-emoji-url).
import { pageLanguage } from "../page.js";
import { fieldOf, insertWords, place } from "./words.js";

let popup;
let opener;

async function makePopup(url) {
  const [{ Picker }, words] = await Promise.all([
    import("emoji-picker-element"),
    pageLanguage().startsWith("ja") ? import("emoji-picker-element/i18n/ja") : import("emoji-picker-element/i18n/en"),
  ]);
  const picker = new Picker({ locale: pageLanguage().split("-")[0], dataSource: url, i18n: words.default });
  picker.addEventListener("emoji-click", (event) => {
    const field = fieldOf(opener);
    close();
    insertWords(field, event.detail.unicode);
  });
  const made = document.createElement("div");
  made.className = "composer-popup emoji-popup";
  made.setAttribute("role", "dialog");
  made.append(picker);
  made.hidden = true;
  document.body.append(made);
  return made;
}

/** Not while it is still being loaded. */
const isOpen = () => popup instanceof Element && !popup.hidden;

function close() {
  popup.hidden = true;
  opener?.setAttribute("aria-expanded", "false");
}

async function open(button) {
  popup ??= makePopup(button.closest("form").dataset.emojiUrl);
  popup = await popup;
  opener = button;
  popup.setAttribute("aria-label", button.textContent.trim());
  const picker = popup.querySelector("emoji-picker");
  const isDark = document.documentElement.dataset.bsTheme === "dark";
  picker.classList.toggle("dark", isDark);
  picker.classList.toggle("light", !isDark);
  popup.hidden = false;
  button.setAttribute("aria-expanded", "true");
  place(popup, button);
  picker.shadowRoot.querySelector("input[role=combobox]")?.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-emoji]");
  if (button && !(isOpen() && opener === button)) open(button);
  else if (isOpen() && !event.target.closest(".emoji-popup")) close();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !isOpen()) return;
  close();
  opener?.focus();
});
