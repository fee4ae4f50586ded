// The theme menu: buttons with data-theme-set="light|dark|auto".
import { applyTheme, storedTheme, storeTheme } from "../theme_store.js";

function mark() {
  const theme = storedTheme();
  for (const button of document.querySelectorAll("[data-theme-set]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeSet === theme));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-set]");
  if (!button) return;
  event.stopPropagation(); // the menu stays open, so that the effect can be seen
  storeTheme(button.dataset.themeSet);
  applyTheme(button.dataset.themeSet);
  mark();
}, true);
mark();
