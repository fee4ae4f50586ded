// Native <dialog> elements (components/_modal.html): data-dialog-open="id" opens, data-dialog-close closes,
// a click on the backdrop closes. A dialog that a swap brings with data-dialog-auto opens at once.
import { onElements } from "../page.js";

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.dialogOpen)?.showModal();
    return;
  }
  if (event.target.closest("[data-dialog-close]")) {
    event.preventDefault();
    event.target.closest("dialog")?.close();
  } else if (event.target instanceof HTMLDialogElement && event.target.open) {
    event.target.close(); // only the backdrop reports the dialog itself as target
  }
});
onElements("dialog[data-dialog-auto]", (dialog) => dialog.showModal());
