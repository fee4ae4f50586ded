// htmx: strict about scripts, sends the CSRF token, and never fails silently.
import htmx from "htmx.org";
import "idiomorph/dist/idiomorph-ext.esm.js";
import { csrfToken, failureText } from "../page.js";
import { showToast } from "./toasts.js";

Object.assign(htmx.config, {
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false, // ours stand in app.css: no inline <style> under a strict CSP
  selfRequestsOnly: true,
  historyCacheSize: 0, // pages hold customers' data: "back" asks the server
  refreshOnHistoryMiss: true,
  defaultSwapStyle: "outerHTML",
  scrollIntoViewOnBoost: false,
  defaultSettleDelay: 0, // between swap and settling nothing listens: what is typed or clicked then would be lost
  timeout: 30000,
});
// 422 is a form that came back with its errors: swap it in like any page.
htmx.config.responseHandling = [
  { code: "(204|304)", swap: false },
  { code: "[23]..", swap: true },
  { code: "422", swap: true },
  { code: "[45]..", swap: false, error: true },
];

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = csrfToken();
});

// data-quiet marks background polling: it rests while nobody looks, and a failure waits for the next round.
const isQuiet = (event) => event.detail.elt?.closest?.("[data-quiet]");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isQuiet(event) && document.hidden) event.preventDefault();
});

document.addEventListener("htmx:responseError", (event) => {
  if (isQuiet(event)) return;
  const { xhr } = event.detail;
  let message = "";
  if ((xhr.getResponseHeader("Content-Type") ?? "").includes("json")) {
    try {
      message = JSON.parse(xhr.responseText).error ?? "";
    } catch {
      message = "";
    }
  }
  showToast({ level: "error", text: message || failureText(xhr.status) });
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    if (!isQuiet(event)) showToast({ level: "error", text: failureText(0) });
  });
}

// What is typed into a search field asks while it is typed. Leaving the field would ask once more, and what was chosen
// among the answers meanwhile (with the click that left the field) would be drawn anew, unchosen.
document.addEventListener(
  "change",
  (event) => {
    if (event.target.matches('input[type="search"]') && event.target.closest("form[hx-get]")) event.stopPropagation();
  },
  true,
);
