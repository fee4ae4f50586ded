// The focal point of a picture: a click on [data-focal-stage] sets the two sliders (input[data-focal="x" | "y"], in
// hundredths), which people with a keyboard use themselves; a marker shows where it is.
import { onElements } from "../page.js";

onElements("[data-focal-stage]", (stage) => {
  const marker = stage.querySelector("[data-focal-marker]");
  const slider = (axis) => document.querySelector(`input[data-focal="${axis}"]`);
  if (!slider("x") || !slider("y")) return;
  const show = () => {
    marker.hidden = false;
    marker.style.insetInlineStart = `${slider("x").value}%`;
    marker.style.insetBlockStart = `${slider("y").value}%`;
  };
  for (const axis of ["x", "y"]) slider(axis).addEventListener("input", show);
  stage.classList.add("is-live");
  stage.addEventListener("click", (event) => {
    const box = stage.querySelector("img, video").getBoundingClientRect();
    slider("x").value = Math.round(((event.clientX - box.left) / box.width) * 100);
    slider("y").value = Math.round(((event.clientY - box.top) / box.height) * 100);
    show();
  });
  show();
});
