// The library and the cropping of a picture beside the composer: what is swapped into #media-dialog-body opens in
// its dialog, under the title that its data-dialog-title says. When tiles have come into a tray (the server's event "media:placed" names it), the dialog closes, a
// picture that stands there twice is left once, and the form learns that it changed.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "media-dialog-body") return;
  const dialog = event.detail.target.closest("dialog");
  const titled = event.detail.target.querySelector("[data-dialog-title]");
  if (titled) document.getElementById("media-dialog-title").textContent = titled.dataset.dialogTitle;
  if (dialog && !dialog.open) dialog.showModal();
});

document.addEventListener("media:placed", (event) => {
  document.getElementById("media-dialog")?.close();
  const tray = document.getElementById(event.detail.tray);
  if (!tray) return;
  const seen = new Set();
  for (const tile of tray.querySelectorAll("[data-media-id]")) {
    if (seen.has(tile.dataset.mediaId)) tile.remove();
    seen.add(tile.dataset.mediaId);
  }
  tray.dispatchEvent(new Event("change", { bubbles: true }));
});

document.addEventListener(
  "close",
  (event) => {
    if (event.target.id === "media-dialog") document.getElementById("media-dialog-body").replaceChildren();
  },
  true,
);
