// Drafts are never lost:
//   <form data-autosave="URL" data-autosave-key="post-ID">  ...  <span data-autosave-status ...></span>
// After 0.8 s without typing the whole form is POSTed to URL. The answer is JSON:
//   {"saved_at": ISO instant, "url"?: where to save from now on, "address"?: new page address, "fields"?: {name: value}}
// `fields` fills inputs of the form (a version number, the id of a fresh draft). A refusal is {"error": "..."}.
// An empty data-autosave keeps it in the browser only: the form is saved by its button.
// Until the server has said yes, what was typed also lies in the browser's storage, and is offered again after a crash.
import { onElements, postForm, text } from "../page.js";
import { showToast } from "./toasts.js";

const PAUSE_MS = 800;
const RETRY_MS = [2000, 5000, 15000, 30000];
const IGNORED = new Set(["csrfmiddlewaretoken"]);

function entriesOf(form) {
  return [...new FormData(form)].filter(([name, value]) => !IGNORED.has(name) && typeof value === "string");
}

const storage = {
  read(key) {
    try {
      return JSON.parse(localStorage.getItem(key) ?? "null");
    } catch {
      return null;
    }
  },
  write(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // storage is full or blocked: the server copy is still tried
    }
  },
  drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // nothing was kept
    }
  },
};

function start(form) {
  const status = form.querySelector("[data-autosave-status]") ?? document.querySelector("[data-autosave-status]");
  const key = form.dataset.autosaveKey ? `smmapp-draft-${form.dataset.autosaveKey}` : "";
  let url = form.dataset.autosave;
  let saved = JSON.stringify(entriesOf(form));
  let timer = 0;
  let failures = 0;
  let isSaving = false;
  let isLeaving = false;

  const show = (state, values) => {
    if (!status) return;
    status.dataset.state = state;
    status.textContent = text(state, values, status);
  };
  // How the form was called when it was last as the server has it.
  let whole = { state: status?.dataset.state, words: status?.textContent };

  // Changed and changed back: nothing is unsaved, and nothing needs to be sent.
  function backToSaved() {
    if (key) storage.drop(key);
    if (status?.dataset.state !== "dirty") return;
    if (whole.state) status.dataset.state = whole.state;
    else delete status.dataset.state;
    status.textContent = whole.words;
  }

  async function save() {
    clearTimeout(timer);
    if (!url || isSaving || isLeaving) return;
    const sending = JSON.stringify(entriesOf(form));
    if (sending === saved) {
      backToSaved();
      return;
    }
    isSaving = true;
    show("saving");
    try {
      const answer = await postForm(url, new FormData(form));
      failures = 0;
      for (const [name, value] of Object.entries(answer.fields ?? {})) {
        for (const input of form.querySelectorAll(`input[name="${CSS.escape(name)}"]`)) input.value = value;
      }
      if (answer.url) url = form.dataset.autosave = answer.url;
      if (answer.address) history.replaceState(null, "", answer.address);
      const after = JSON.stringify(entriesOf(form));
      // What was typed while the request was under way is still unsaved, what the answer filled in is not.
      const isUnchanged = [...JSON.parse(sending)].every(([name, value], index) => {
        const now = JSON.parse(after)[index];
        return now && now[0] === name && (now[1] === value || name in (answer.fields ?? {}));
      }) && JSON.parse(after).length === JSON.parse(sending).length;
      saved = isUnchanged ? after : sending;
      if (key && isUnchanged) storage.drop(key);
      const time = new Date(answer.saved_at ?? Date.now());
      const at = { time: time.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" }) };
      if (status) whole = { state: "saved", words: text("saved", at, status) };
      if (isUnchanged) show("saved", at);
      else show("dirty");
      form.dispatchEvent(new CustomEvent("autosave:saved", { bubbles: true, detail: answer }));
      if (!isUnchanged) later();
    } catch (error) {
      show("failed", { reason: error.message });
      form.dispatchEvent(new CustomEvent("autosave:failed", { bubbles: true, detail: { status: error.status ?? 0, text: error.message } }));
      // A refusal (a conflict, a lost permission) will not get better by itself; a lost connection will.
      if (!error.status || error.status >= 500) {
        timer = setTimeout(save, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
        failures += 1;
      } else {
        showToast({ level: "error", text: error.message });
      }
    } finally {
      isSaving = false;
    }
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE_MS);
  }

  function touched() {
    const entries = entriesOf(form);
    if (JSON.stringify(entries) === saved) {
      if (!isSaving) backToSaved();
      return;
    }
    if (key) storage.write(key, { entries, at: Date.now() });
    show("dirty");
    later();
  }

  form.addEventListener("input", touched);
  form.addEventListener("change", touched);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    isLeaving = true;
    if (key) storage.drop(key);
  });
  // A submit that another listener has stopped (a question was answered with no) must not end the saving.
  form.addEventListener("invalid", () => (isLeaving = false), true);
  addEventListener("pageshow", () => (isLeaving = false));
  addEventListener("online", save);
  addEventListener("beforeunload", (event) => {
    if (!isLeaving && JSON.stringify(entriesOf(form)) !== saved) event.preventDefault();
  });

  const kept = key && storage.read(key);
  if (kept && JSON.stringify(kept.entries) !== saved) {
    const offer = document.querySelector("[data-autosave-offer]");
    if (!offer) return;
    offer.hidden = false;
    offer.querySelector("[data-autosave-restore]")?.addEventListener("click", () => {
      for (const [name, value] of kept.entries) {
        const field = form.elements.namedItem(name);
        if (field instanceof HTMLInputElement && ["checkbox", "radio", "file", "hidden"].includes(field.type)) continue;
        if (field && "value" in field) field.value = value;
        field?.dispatchEvent?.(new Event("input", { bubbles: true }));
      }
      offer.hidden = true;
    });
    offer.querySelector("[data-autosave-discard]")?.addEventListener("click", () => {
      storage.drop(key);
      offer.hidden = true;
    });
  }
}

onElements("form[data-autosave]", start);
