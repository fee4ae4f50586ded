// Choosing a part of a picture: <form data-cropper data-width data-height data-least> with the radio buttons "shape"
// (data-cut="x,y,width,height": where each begins, in the picture's pixels) and the numbers x, y, width, height, which
// are what is sent. The frame over the picture is moved and sized by pointer or by arrow keys. Without JavaScript the
// shape alone is sent, and the server cuts around the focal point.
import { onElements } from "../page.js";

const clamp = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most));

onElements("form[data-cropper]", (form) => {
  const stage = form.querySelector("[data-cropper-stage]");
  const frame = form.querySelector("[data-cropper-frame]");
  const handle = form.querySelector("[data-cropper-handle]");
  const whole = { width: Number(form.dataset.width), height: Number(form.dataset.height) };
  const least = Math.min(Number(form.dataset.least), whole.width, whole.height);
  const field = (name) => form.elements.namedItem(name);
  let cut = { x: 0, y: 0, width: whole.width, height: whole.height };

  const ratio = () => {
    const [across, down] = (form.elements.shape.value || "").split(":").map(Number);
    return down ? across / down : 0; // 0: any shape
  };

  function show(next) {
    const width = clamp(Math.round(next.width), least, whole.width);
    const height = clamp(Math.round(next.height), least, whole.height);
    cut = {
      width,
      height,
      x: clamp(Math.round(next.x), 0, whole.width - width),
      y: clamp(Math.round(next.y), 0, whole.height - height),
    };
    for (const name of Object.keys(cut)) field(name).value = cut[name];
    frame.style.left = `${(cut.x / whole.width) * 100}%`;
    frame.style.top = `${(cut.y / whole.height) * 100}%`;
    frame.style.width = `${(cut.width / whole.width) * 100}%`;
    frame.style.height = `${(cut.height / whole.height) * 100}%`;
  }

  /** Another size from the same upper left corner, in the chosen shape and within the picture. */
  function resized(width, height) {
    const shape = ratio();
    let across = clamp(width, least, whole.width - cut.x);
    let down = clamp(height, least, whole.height - cut.y);
    if (shape) {
      across = Math.min(across, (whole.height - cut.y) * shape);
      down = across / shape;
    }
    return { ...cut, width: across, height: down };
  }

  function choose(radio) {
    const [x, y, width, height] = radio.dataset.cut.split(",").map(Number);
    show({ x, y, width, height });
  }

  function drag(event, change) {
    if (event.button) return;
    event.preventDefault();
    event.stopPropagation();
    frame.focus();
    const from = { x: event.clientX, y: event.clientY, cut };
    const scale = whole.width / stage.querySelector("img").getBoundingClientRect().width;
    const move = (at) => show(change(from.cut, (at.clientX - from.x) * scale, (at.clientY - from.y) * scale));
    const end = () => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", end);
      document.removeEventListener("pointercancel", end);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", end);
    document.addEventListener("pointercancel", end);
  }

  frame.addEventListener("pointerdown", (event) =>
    drag(event, (start, right, down) => ({ ...start, x: start.x + right, y: start.y + down })),
  );
  handle.addEventListener("pointerdown", (event) =>
    drag(event, (start, right, down) => resized(start.width + right, start.height + down)),
  );
  frame.addEventListener("keydown", (event) => {
    const [right, down] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
    if (right === undefined) return;
    event.preventDefault();
    const step = Math.max(1, Math.round(Math.max(whole.width, whole.height) / 100));
    if (event.shiftKey) {
      const grow = (right + down) * step;
      show(ratio() ? resized(cut.width + grow, cut.height + grow) : resized(cut.width + right * step, cut.height + down * step));
    } else show({ ...cut, x: cut.x + right * step, y: cut.y + down * step });
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "shape") choose(event.target);
    else if (event.target.closest("[data-cropper-numbers]")) {
      const typed = Object.fromEntries(Object.keys(cut).map((name) => [name, Number(field(name).value) || 0]));
      cut = { ...cut, x: clamp(typed.x, 0, whole.width - least), y: clamp(typed.y, 0, whole.height - least) };
      show(event.target.name === "height" && ratio() ? resized(typed.height * ratio(), typed.height) : resized(typed.width, typed.height));
    }
  });
  for (const name of ["frame", "hint", "numbers", "free"]) form.querySelector(`[data-cropper-${name}]`).hidden = false;
  choose(form.querySelector('input[name="shape"]:checked'));
});
