// A second click on "Publish" does not publish twice: a form that is on its way is not sent again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  // htmx forms keep themselves in order with hx-disabled-elt; GET forms may be sent again freely.
  if (event.defaultPrevented || form.method !== "post" || form.matches("[hx-post], [data-hx-post]")) return;
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  form.setAttribute("aria-busy", "true");
  event.submitter?.classList.add("btn-loading");
});
// "Back" brings a page from the browser's cache as it was left.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll('form[aria-busy="true"]')) {
    form.removeAttribute("aria-busy");
    form.querySelector(".btn-loading")?.classList.remove("btn-loading");
  }
});
