// Choosing several rows of a list:
//   <input type="checkbox" data-bulk-check form="change-many">  in each row,  <input type="checkbox" data-bulk-all hidden>  above them,
//   <form id="change-many" data-bulk-bar> with [data-bulk-count] below. Shift takes along what lies between.
import { onElements, text } from "../page.js";

/** Shows how many are chosen, and whether anything can be done with them. */
export function showChosen(bar, count) {
  const words = bar.querySelector("[data-bulk-count]");
  words.textContent = text(count === 0 ? "none" : count === 1 ? "one" : "many", { n: count }, words);
  for (const button of bar.querySelectorAll("button[type=submit]")) button.disabled = count === 0;
  bar.classList.toggle("is-idle", count === 0); // a phone has no room for a bar that can do nothing
}

const boxes = () => [...document.querySelectorAll("[data-bulk-check]")];
let last = null;

function refresh() {
  const bar = document.querySelector("[data-bulk-bar]:not([hidden])");
  const all = document.querySelector("[data-bulk-all]");
  const list = boxes();
  const chosen = list.filter((box) => box.checked).length;
  if (bar && list.length) showChosen(bar, chosen);
  if (all) {
    all.checked = chosen > 0 && chosen === list.length;
    all.indeterminate = chosen > 0 && chosen < list.length;
  }
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.("[data-bulk-check]");
  if (!box) return;
  const list = boxes();
  if (event.shiftKey && last && list.includes(last)) {
    const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
    for (const one of list.slice(from, to + 1)) one.checked = box.checked;
  }
  last = box;
  refresh();
});

onElements("[data-bulk-all]", (all) => {
  all.hidden = false;
  document.querySelector("[data-bulk-all-label]")?.removeAttribute("hidden");
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    refresh();
  });
  refresh();
});
// Filters change the address without a new page; the way back must lead there.
document.addEventListener("submit", (event) => {
  const next = event.target.querySelector?.("[data-bulk-next]");
  if (next) next.value = location.pathname + location.search;
});
window.addEventListener("pageshow", refresh);
