// <a data-filter-save href="..."> below a form of filters keeps what the form says now, not what the page was opened with.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-filter-save]");
  const form = link?.closest(".card")?.querySelector("form.filters");
  if (!form) return;
  const pairs = [...new FormData(form)].filter(([, value]) => value !== "");
  link.search = new URLSearchParams(pairs).toString();
});
