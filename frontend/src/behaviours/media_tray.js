// The order of pictures: <ol data-media-tray> with tiles <li data-media-id> that hold their own hidden inputs,
// so that the form sends them in the order they stand. By drag, or by buttons in the tile:
// data-media-move="-1" | "1", data-media-remove.
import Sortable from "sortablejs/modular/sortable.core.esm.js";
import { onElements } from "../page.js";

const changed = (tray) => tray.dispatchEvent(new Event("change", { bubbles: true }));

onElements("[data-media-tray]", (tray) => {
  Sortable.create(tray, {
    animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
    draggable: "[data-media-id]",
    filter: "input, textarea, button, a",
    preventOnFilter: false,
    ghostClass: "is-moving",
    onEnd: () => changed(tray),
  });
  tray.addEventListener("click", (event) => {
    const tile = event.target.closest("[data-media-id]");
    if (!tile) return;
    const move = event.target.closest("[data-media-move]");
    if (move) {
      const isBack = Number(move.dataset.mediaMove) < 0;
      const other = isBack ? tile.previousElementSibling : tile.nextElementSibling;
      if (!other?.matches("[data-media-id]")) return;
      if (isBack) other.before(tile);
      else other.after(tile);
      move.focus();
      changed(tray);
    } else if (event.target.closest("[data-media-remove]")) {
      const next = tile.nextElementSibling ?? tile.previousElementSibling;
      tile.remove();
      next?.querySelector("button")?.focus();
      changed(tray);
    }
  });
});
