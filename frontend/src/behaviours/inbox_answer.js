// Writing an answer: what is typed survives a lost page, Ctrl+Enter sends, saved replies go in at the cursor, and what
// the author has seen is told honestly. The form says up to which message they have seen the conversation
// (`seen`); while nothing is written that is whatever the page shows, and from the first word on it stays.
import { onElements } from "../page.js";

const KEPT = "smmapp-answer-";

function kept(key) {
  try {
    return localStorage.getItem(KEPT + key) ?? "";
  } catch {
    return "";
  }
}

function keep(key, text) {
  try {
    if (text.trim()) localStorage.setItem(KEPT + key, text);
    else localStorage.removeItem(KEPT + key);
  } catch {
    // storage is full or blocked: the text stands in the page
  }
}

const changed = (text) => text.dispatchEvent(new Event("input", { bubbles: true }));

onElements("textarea[data-inbox-text]", (text) => {
  const key = text.dataset.inboxText;
  const form = text.form;
  if (!text.value && kept(key)) {
    text.value = kept(key);
    changed(text);
  }
  text.addEventListener("input", () => {
    keep(key, text.value);
    tellSeen();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("[data-inbox-send]"));
  });
});

// Only a yes of the server makes the kept text superfluous; 422 brings it back in the form.
document.addEventListener("htmx:beforeSwap", (event) => {
  const form = event.detail.requestConfig?.elt;
  if (form?.id === "answer" && event.detail.xhr.status === 200) keep(form.elements.text.dataset.inboxText, "");
});

/** What the conversation shows counts as seen while nothing is written; else say that there is more. */
function tellSeen() {
  const talk = document.getElementById("talk");
  const form = document.getElementById("answer");
  if (!talk || !form) return;
  const newest = Number(talk.dataset.number);
  if (!form.elements.text.value.trim()) form.elements.seen.value = newest;
  form.querySelector("[data-inbox-unseen]").hidden = newest <= Number(form.elements.seen.value);
}

// Messages stand at the bottom; whoever reads further up is left there when something comes in.
const NEAR = 80;
let wasNear = true;
const scroll = () => document.getElementById("talk-scroll");
const toBottom = (element) => (element.scrollTop = element.scrollHeight);

onElements("[data-inbox-scroll]", toBottom);
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.id !== "talk") return;
  const element = scroll();
  wasNear = !element || element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
});
document.addEventListener("htmx:afterSettle", () => {
  if (!document.getElementById("talk")) return;
  if (wasNear && scroll()) toBottom(scroll());
  tellSeen();
});

document.addEventListener("click", (event) => {
  const saved = event.target.closest("[data-inbox-insert]");
  const text = document.getElementById("reply-text");
  if (!saved || !text) return;
  event.preventDefault();
  text.setRangeText(saved.dataset.inboxInsert, text.selectionStart, text.selectionEnd, "end");
  saved.closest("details").open = false;
  text.focus();
  changed(text);
});
