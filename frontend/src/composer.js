// The composer. The server makes every structure (parts of a thread, versions per account), counts and checks;
// this carries the page's state to it and puts the answers in place:
//   - tabs: [data-composer-tab] shows [data-composer-panel], without a request;
//   - buttons [data-composer-change] are submit buttons (name "change"), here sent to data-change-url;
//   - text that never reached the server (a crash, a lost connection) is offered again, see behaviours/autosave.js.
import htmx from "htmx.org";
import "./composer/insert.js";
import "./composer/emoji.js";
import "./composer/mentions.js";
import { onElements } from "./page.js";

const KEPT = "smmapp-draft-post-";

function readKept(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

function dropKept(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // storage is blocked: nothing was kept
  }
}

/** What was written on an earlier page for a new post and never arrived: [key, {entries, at}], newest first. */
function orphans(ownKey) {
  const found = [];
  try {
    for (let index = 0; index < localStorage.length; index += 1) {
      const key = localStorage.key(index);
      if (!key.startsWith(KEPT) || key === ownKey) continue;
      const kept = readKept(key);
      const version = kept?.entries?.find(([name]) => name === "version")?.[1];
      // A post that the server knows is offered on its own page.
      if (version === "0") found.push([key, kept]);
    }
  } catch {
    return [];
  }
  return found.sort((one, other) => other[1].at - one[1].at);
}

onElements("form[data-composer]", (form) => {
  form.dataset.composerReady = "";
  // After a refusal the page stands at the address that it was sent to: reloading must not send it again.
  if (form.dataset.address && !location.pathname.startsWith(form.dataset.address)) history.replaceState(null, "", form.dataset.address);
  const ownKey = `smmapp-draft-${form.dataset.autosaveKey}`;
  const tabField = () => document.getElementById("composer-tab");
  const changed = () => form.dispatchEvent(new Event("change", { bubbles: true }));

  function openTab(scope, { focus = false } = {}) {
    for (const tab of form.querySelectorAll("[data-composer-tab]")) {
      const isOpen = tab.dataset.composerTab === scope;
      tab.setAttribute("aria-selected", String(isOpen));
      tab.tabIndex = isOpen ? 0 : -1;
      if (isOpen && focus) tab.focus();
    }
    for (const panel of form.querySelectorAll("[data-composer-panel]")) panel.hidden = panel.dataset.composerPanel !== scope;
    tabField().value = scope;
    form.dispatchEvent(new Event("composer:look"));
  }

  /** The editor as the server makes it of `values`, without saving. */
  async function redraw(values, focusIn) {
    await htmx.ajax("POST", form.dataset.changeUrl, { source: form, target: "#editor", swap: "morph", values });
    const texts = form.querySelectorAll(focusIn ?? "[data-composer-panel]:not([hidden]) .part-text");
    texts[texts.length - 1]?.focus();
    changed();
  }

  form.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-composer-tab]");
    if (!tab) return;
    event.preventDefault();
    openTab(tab.dataset.composerTab);
  });
  form.addEventListener("keydown", (event) => {
    const tab = event.target.closest("[data-composer-tab]");
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!tab || !step) return;
    event.preventDefault();
    const tabs = [...form.querySelectorAll("[data-composer-tab]")];
    openTab(tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length].dataset.composerTab, { focus: true });
  });

  // In the capture phase on the document: autosave and submit_once must not take it for the form being sent.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (event.target !== form || !button?.matches("[data-composer-change]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // Where the focus goes then, if not into the text.
    redraw({ change: button.value, tab: tabField().value }, button.dataset.composerChange || undefined);
  }, true);

  form.addEventListener("autosave:failed", (event) => {
    if (event.detail.status !== 409) return;
    const callout = form.querySelector("[data-composer-conflict]");
    callout.querySelector("[data-composer-conflict-text]").textContent = event.detail.text;
    callout.hidden = false;
    callout.scrollIntoView({ block: "nearest" });
  });

  // Autosave shows the offer for this very post; a page for a new one looks for older ones that never arrived.
  const offer = document.querySelector("[data-autosave-offer]");
  const isFresh = form.elements.version.value === "0";
  let source = ownKey;
  const [older] = isFresh ? orphans(ownKey) : [];
  if (older && offer) {
    [source] = older;
    offer.hidden = false;
  }
  document.querySelector("[data-composer-restore]")?.addEventListener("click", async () => {
    const kept = readKept(source);
    offer.hidden = true;
    if (!kept) return;
    const skipped = new Set(["csrfmiddlewaretoken", "version", "page", "brand", "tab"]);
    const values = new URLSearchParams();
    for (const [name, value] of kept.entries) if (!skipped.has(name)) values.append(name, value);
    for (const name of ["version", "page", "brand"]) values.set(name, form.elements[name].value);
    for (const box of form.querySelectorAll('input[name="account"]')) box.checked = values.getAll("account").includes(box.value);
    for (const name of ["date", "time"]) form.elements[name].value = values.get(name) ?? "";
    const response = await fetch(form.dataset.changeUrl, {
      method: "POST",
      body: values,
      headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, "HX-Request": "true" },
    });
    if (!response.ok) {
      offer.hidden = false;
      return;
    }
    htmx.swap("#editor", await response.text(), { swapStyle: "outerHTML" });
    if (source !== ownKey) dropKept(source);
    changed();
  });
  document.querySelector("[data-composer-discard]")?.addEventListener("click", () => {
    dropKept(source);
    offer.hidden = true;
  });
});

// A choice that is a page of its own (the brand to write for).
onElements("select[data-submit-on-change]", (select) => select.addEventListener("change", () => select.form.requestSubmit()));
