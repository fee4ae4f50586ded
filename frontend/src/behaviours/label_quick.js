// A label that was made beside the composer (#label-quick) joins the others, chosen; one that was there already is chosen.
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id !== "label-picks") return;
  const boxes = [...target.querySelectorAll("input[name=label]")];
  const added = boxes.at(-1);
  const field = document.getElementById("new-label");
  if (!added || !added.closest("[data-label-pick]")) return;
  const same = boxes.find((box) => box !== added && box.value === added.value);
  if (same) {
    same.checked = true;
    added.closest("[data-label-pick]").remove();
  }
  if (field) field.value = "";
  (same ?? added).dispatchEvent(new Event("change", { bubbles: true }));
});
