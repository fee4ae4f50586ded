// Menus of the composer's parts (<details data-tool-menu>), and their buttons [data-insert="words"]: without
// scripts they are sent and the server puts the words at the end; here they go to the cursor.
import { fieldOf, insertApart } from "./words.js";

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-tool-menu][open]")) if (menu !== except) menu.open = false;
}

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("details[data-tool-menu]"));
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  event.preventDefault();
  closeMenus();
  insertApart(fieldOf(button), button.dataset.insert);
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details[data-tool-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
