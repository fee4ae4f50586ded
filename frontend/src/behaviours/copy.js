// data-copy="text" or data-copy-from="#input": copies, and says so with data-copy-done.
import { showToast } from "./toasts.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
  const value = source ? (source.value ?? source.textContent) : button.dataset.copy;
  try {
    await navigator.clipboard.writeText(value);
    showToast({ level: "success", text: button.dataset.copyDone });
  } catch {
    source?.select?.(); // no permission for the clipboard: select it, so that a key stroke copies
  }
});
