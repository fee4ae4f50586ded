// The keyboard of the inbox: j k r n a e s / ? — never while somebody types, and never over a dialog.
// What a key does stands on the page: an element with data-inbox-do. The open conversation is marked in the list,
// also after the list has renewed itself.
import { onElements } from "../page.js";

const DEEDS = { r: "reply", n: "note", a: "assign", e: "done", s: "snooze", "/": "search", "?": "help" };
const TYPING = "input:not([type=radio]):not([type=checkbox]):not([type=button]), textarea, select, [contenteditable]";

const rows = () => [...document.querySelectorAll("#rows [data-conversation]")];
const openOne = () => document.getElementById("desk")?.dataset.conversation;

function mark() {
  for (const row of rows()) {
    if (row.dataset.conversation === openOne()) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

// Where the open conversation stood, for when it has left the list.
let lastPlace = -1;

function step(by) {
  const list = rows();
  if (!list.length) return;
  const here = list.findIndex((row) => row.dataset.conversation === openOne());
  const from = here >= 0 ? here : by > 0 ? lastPlace - 1 : lastPlace;
  const place = Math.max(0, Math.min(list.length - 1, from + by));
  lastPlace = place;
  list[place].scrollIntoView({ block: "nearest" });
  if (list[place].dataset.conversation !== openOne()) list[place].click();
}

function act(deed) {
  const element = document.querySelector(`[data-inbox-do="${deed}"]`);
  if (!element) return;
  if (deed === "search") {
    element.focus();
    element.select();
  } else if (deed === "reply" || deed === "note") {
    element.checked = true;
    document.getElementById(`${deed}-text`)?.focus();
  } else {
    element.click();
    if (deed === "snooze") element.parentElement.querySelector(".inbox-menu-body button")?.focus();
  }
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
  const by = { j: 1, k: -1 }[event.key];
  if (!by && !DEEDS[event.key]) return;
  event.preventDefault();
  if (by) step(by);
  else act(DEEDS[event.key]);
}

onElements("[data-inbox]", () => {
  lastPlace = rows().findIndex((row) => row.dataset.conversation === openOne());
  document.addEventListener("keydown", onKey);
  document.addEventListener("htmx:afterSettle", () => {
    mark();
    const here = rows().findIndex((row) => row.dataset.conversation === openOne());
    if (here >= 0) lastPlace = here;
  });
  // Escape leaves a field, so that the keys work again; and a menu.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.inbox-menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.target.closest?.(".inbox-answer, .inbox-filters")) event.target.blur();
  });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.inbox-menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    // Between conversation and person on a small screen, without asking the server.
    const pane = event.target.closest("[data-inbox-pane]");
    if (!pane) return;
    event.preventDefault();
    document.getElementById("desk").dataset.pane = pane.dataset.inboxPane;
  });
});
