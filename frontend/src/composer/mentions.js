// Whom a text names: after an @ the server is asked whom the brand knows on the networks that the text goes to
// (form[data-composer] data-mentions-url). Arrows choose, Enter and Tab take, Escape leaves.
import { insertWords, place } from "./words.js";

const TYPED = /(?:^|[^\p{L}\p{N}_@.＠/-])@([\p{L}\p{N}_.-]{0,40})$/u;
const PAUSE_MS = 150;

let list;
let field;
let people = [];
let chosen = 0;
let timer = 0;
let asking;

function close() {
  clearTimeout(timer);
  asking?.abort();
  if (list) list.hidden = true;
  field?.removeAttribute("aria-activedescendant");
  field?.removeAttribute("aria-controls");
  people = [];
}

function choose(index) {
  chosen = (index + people.length) % people.length;
  for (const [at, item] of [...list.children].entries()) item.setAttribute("aria-selected", String(at === chosen));
  field.setAttribute("aria-activedescendant", `mention-${chosen}`);
}

function take(index) {
  const typed = TYPED.exec(field.value.slice(0, field.selectionStart));
  const { handle } = people[index];
  close();
  if (!typed) return;
  field.setSelectionRange(field.selectionStart - typed[1].length, field.selectionStart);
  insertWords(field, `${handle} `);
}

function row(person, index) {
  const item = document.createElement("li");
  item.id = `mention-${index}`;
  item.setAttribute("role", "option");
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("class", "icon icon-sm");
  icon.setAttribute("role", "img");
  icon.setAttribute("aria-label", person.network);
  icon.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  icon.firstChild.setAttribute("href", `${document.body.dataset.sprite}#${person.icon}`);
  const handle = document.createElement("strong");
  handle.textContent = `@${person.handle}`;
  const name = document.createElement("span");
  name.textContent = person.name;
  item.append(icon, handle, name);
  // Before the field loses its focus.
  item.addEventListener("mousedown", (event) => {
    event.preventDefault();
    take(index);
  });
  return item;
}

function show(form) {
  if (!list) {
    list = document.createElement("ul");
    list.className = "composer-popup mention-list";
    list.id = "mention-list";
    list.setAttribute("role", "listbox");
    document.body.append(list);
  }
  list.setAttribute("aria-label", form.dataset.textMentions);
  list.replaceChildren(...people.map(row));
  list.hidden = false;
  field.setAttribute("aria-controls", list.id);
  place(list, field);
  choose(0);
}

async function ask(typed) {
  asking?.abort();
  asking = new AbortController();
  const form = field.form;
  const panel = field.closest("[data-composer-panel]").dataset.composerPanel;
  const query = new URLSearchParams({ q: typed });
  const boxes = [...form.querySelectorAll('input[name="account"]:checked')].map((box) => box.value);
  for (const account of panel === "base" ? boxes : [panel]) query.append("account", account);
  try {
    const response = await fetch(`${form.dataset.mentionsUrl}?${query}`, { signal: asking.signal });
    if (!response.ok) return close();
    people = (await response.json()).people;
  } catch {
    return undefined; // another letter was typed, or the server is not there: nothing is offered
  }
  return people.length && document.activeElement === field ? show(form) : close();
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("form[data-composer] textarea.part-text")) return;
  field = event.target;
  const typed = TYPED.exec(field.value.slice(0, field.selectionStart));
  clearTimeout(timer);
  if (typed) timer = setTimeout(() => ask(typed[1]), PAUSE_MS);
  else close();
});

document.addEventListener("keydown", (event) => {
  if (!people.length || event.target !== field || event.isComposing) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) choose(chosen + step);
  else if (event.key === "Enter" || event.key === "Tab") take(chosen);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
});

document.addEventListener("focusout", (event) => {
  if (event.target === field) close();
});
