// Asks before something that cannot be taken back:
//   <form data-confirm="What will happen." data-confirm-title="Delete this post?" data-confirm-action="Delete post">
// on a form, on a submit button, or on an element with hx-post. data-confirm-tone="danger" is the default, "primary" the other.
const dialog = document.getElementById("confirm-dialog");

function ask(element) {
  const { confirm, confirmTitle, confirmAction, confirmTone = "danger" } = element.dataset;
  const title = dialog.querySelector("[data-confirm-slot=title]");
  const action = dialog.querySelector("[data-confirm-slot=action]");
  title.textContent = confirmTitle || title.dataset.default;
  dialog.querySelector("[data-confirm-slot=text]").textContent = confirm;
  action.textContent = confirmAction || action.dataset.default;
  action.className = `btn btn-${confirmTone === "danger" ? "danger" : "primary"}`;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

const agreed = new WeakSet();

if (dialog) {
  document.addEventListener("submit", async (event) => {
    const { target: form, submitter } = event;
    const asking = submitter?.dataset.confirm ? submitter : form.dataset.confirm ? form : null;
    if (!asking) return;
    if (agreed.delete(asking)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!(await ask(asking))) return;
    agreed.add(asking);
    form.requestSubmit(submitter ?? undefined);
  }, true);

  document.addEventListener("htmx:confirm", (event) => {
    const element = event.detail.elt;
    // Forms were asked at submit, above.
    if (!element.dataset.confirm || element.matches("form")) return;
    event.preventDefault();
    ask(element).then((isYes) => isYes && event.detail.issueRequest(true));
  });
}
