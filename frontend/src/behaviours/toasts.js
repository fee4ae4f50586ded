// Short news in the corner. The server's messages are there already; others arrive as
//   - showToast({level, text}) from a script,
//   - the response header  HX-Trigger: {"toast": {"level": "success", "text": "..."}}.
// Levels: success, info, warning, error. Good news leaves by itself, bad news stays until closed.
import { onElements } from "../page.js";

const STAY_MS = 6000;

function leaveLater(toast) {
  let timer;
  const start = () => (timer = setTimeout(() => toast.remove(), STAY_MS));
  const stop = () => clearTimeout(timer);
  // Somebody who reads it, by mouse or by keyboard, is not hurried.
  toast.addEventListener("mouseenter", stop);
  toast.addEventListener("mouseleave", start);
  toast.addEventListener("focusin", stop);
  toast.addEventListener("focusout", start);
  start();
}

/** `action`: {text, run} of a button beside the text; the toast leaves once it was pressed. */
export function showToast({ level = "info", text, action }) {
  const template = document.getElementById(`toast-${level}`) ?? document.getElementById("toast-info");
  const list = document.getElementById("toasts");
  if (!template || !list || !text) return;
  const toast = template.content.firstElementChild.cloneNode(true);
  toast.querySelector("[data-toast-text]").textContent = text;
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm ms-2";
    button.textContent = action.text;
    button.addEventListener("click", () => {
      toast.remove();
      action.run();
    });
    toast.querySelector("[data-toast-text]").after(button);
    toast.classList.add("has-action");
  }
  // The same news twice is one piece of news.
  for (const other of list.querySelectorAll("[data-toast]")) {
    if (other.querySelector("[data-toast-text]").textContent.trim() === text.trim()) other.remove();
  }
  list.append(toast);
  start(toast);
}

function start(toast) {
  if (toast.dataset.toast === "success" || toast.dataset.toast === "info") leaveLater(toast);
}

onElements("#toasts [data-toast]", start);
document.addEventListener("click", (event) => event.target.closest("[data-toast-close]")?.closest("[data-toast]")?.remove());
document.addEventListener("toast", (event) => showToast(event.detail));
