// Images by drop, paste or file dialog, with progress:
//   <div data-dropzone data-upload-url="..." data-target="#tray" data-max-bytes="1000000" data-accept="image/png image/jpeg"
//        data-max-count="4" data-first (new ones in front) data-text-too-large="{name} ..." data-text-wrong-type="{name} ..." data-text-too-many="...">
//     <input type="file" multiple ...>  <template data-upload-progress> ... <progress> ... </template>
//     <template data-upload-problem> ... <span data-upload-problem-text></span> ... </template>
//   </div>
// Videos go piece by piece (../piecewise.js) where there is data-start-url; data-finish-query is added to the address
// that ends them. Each file is POSTed alone (field "file"). The answer is the HTML of its tile, appended to the target;
// a refusal is JSON {"error": "..."}. What was refused stands below the zone until the next files are chosen, or in
// the corner where there is no template for it. Without JavaScript the file input goes with the form.
import htmx from "htmx.org";
import { csrfToken, failureText, onElements, text } from "../page.js";
import { PiecewiseUpload } from "../piecewise.js";
import { showToast } from "./toasts.js";

function tell(zone, message) {
  const template = zone.querySelector("template[data-upload-problem]");
  if (!template) {
    showToast({ level: "error", text: message });
    return;
  }
  const row = template.content.firstElementChild.cloneNode(true);
  row.dataset.uploadRefused = "";
  row.querySelector("[data-upload-problem-text]").textContent = message;
  zone.after(row);
}

function forget(zone) {
  for (const row of zone.parentElement.querySelectorAll("[data-upload-refused]")) row.remove();
}

function place(html, row, tray) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const tiles = [...holder.content.children];
  if (row) row.before(...tiles);
  else tray.append(...tiles);
  for (const tile of tiles) htmx.process(tile);
  for (const tile of tiles) tile.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true, detail: { elt: tile } }));
  tray.dispatchEvent(new Event("change", { bubbles: true }));
}

function progressRow(zone) {
  return zone.querySelector("template[data-upload-progress]")?.content.firstElementChild.cloneNode(true);
}

async function sendInPieces(zone, file, tray) {
  const row = progressRow(zone);
  const name = row.querySelector("[data-upload-name]");
  if (name) name.textContent = file.name;
  if (zone.hasAttribute("data-first")) tray.prepend(row);
  else tray.append(row);
  const upload = new PiecewiseUpload(file, zone.dataset.startUrl, zone.dataset.finishQuery ?? "");
  const bar = row.querySelector("progress");
  const note = row.querySelector("[data-upload-note]");
  const pause = row.querySelector("[data-upload-pause]");
  pause.hidden = false;
  upload.onProgress = (share) => {
    bar.value = share;
    if (!upload.isPaused) note.textContent = `${Math.floor(share * 100)}%`;
  };
  upload.onLost = () => {
    note.textContent = text("lost", {}, note);
  };
  pause.addEventListener("click", () => {
    if (upload.isPaused) upload.resume();
    else upload.pause();
    pause.textContent = text(upload.isPaused ? "resume" : "pause", {}, pause);
    if (upload.isPaused) note.textContent = text("paused", {}, note);
  });
  row.querySelector("[data-upload-cancel]")?.addEventListener("click", () => upload.cancel());
  try {
    const html = await upload.run();
    if (html !== null) place(html, row, tray);
  } catch (error) {
    tell(zone, error.message || failureText(error.status ?? 0));
  } finally {
    row.remove();
  }
}

function send(zone, file, tray) {
  const row = progressRow(zone);
  const request = new XMLHttpRequest();
  if (row) {
    const name = row.querySelector("[data-upload-name]");
    if (name) name.textContent = file.name;
    row.querySelector("[data-upload-cancel]")?.addEventListener("click", () => request.abort());
    if (zone.hasAttribute("data-first")) tray.prepend(row);
    else tray.append(row);
  }
  return new Promise((resolve) => {
    request.upload.addEventListener("progress", (event) => {
      const bar = row?.querySelector("progress");
      if (bar && event.lengthComputable) bar.value = event.loaded / event.total;
    });
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) {
        place(request.responseText, row, tray);
      } else {
        let message = "";
        try {
          message = JSON.parse(request.responseText).error ?? "";
        } catch {
          message = "";
        }
        tell(zone, message || failureText(request.status));
      }
    });
    request.addEventListener("error", () => tell(zone, failureText(0)));
    request.addEventListener("loadend", () => {
      row?.remove();
      resolve();
    });
    const body = new FormData();
    body.append("file", file);
    request.open("POST", zone.dataset.uploadUrl);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("HX-Request", "true");
    request.send(body);
  });
}

async function take(zone, files) {
  const tray = document.querySelector(zone.dataset.target) ?? zone;
  const accepted = (zone.dataset.accept ?? "").split(/[\s,]+/).filter(Boolean);
  const maxBytes = Number(zone.dataset.maxBytes || Infinity);
  const maxCount = Number(zone.dataset.maxCount || Infinity);
  let count = tray.querySelectorAll("[data-media-id]").length;
  forget(zone);
  for (const file of files) {
    const isVideo = file.type.startsWith("video/") && zone.dataset.startUrl;
    const limit = (isVideo ? zone.dataset.maxVideoBytesText : zone.dataset.maxBytesText) ?? "";
    const values = { name: file.name, limit };
    if (accepted.length && !accepted.includes(file.type)) {
      tell(zone, text("wrong-type", values, zone));
    } else if (file.size > (isVideo ? Number(zone.dataset.maxVideoBytes) : maxBytes)) {
      tell(zone, text("too-large", values, zone));
    } else if (count >= maxCount) {
      tell(zone, text("too-many", values, zone));
      return;
    } else {
      count += 1;
      if (isVideo) await sendInPieces(zone, file, tray);
      else await send(zone, file, tray); // one after the other, so that they arrive in the order they were chosen
    }
  }
}

onElements("[data-dropzone]", (zone) => {
  const input = zone.querySelector('input[type="file"]');
  let depth = 0;
  const isFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  zone.addEventListener("dragenter", (event) => {
    if (!isFiles(event)) return;
    depth += 1;
    zone.classList.add("is-over");
  });
  zone.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (!depth) zone.classList.remove("is-over");
  });
  zone.addEventListener("dragover", (event) => isFiles(event) && event.preventDefault());
  zone.addEventListener("drop", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    depth = 0;
    zone.classList.remove("is-over");
    take(zone, [...event.dataTransfer.files]);
  });
  input?.addEventListener("change", async (event) => {
    event.stopPropagation(); // the file itself is not part of the draft
    const files = [...input.files];
    input.value = "";
    await take(zone, files);
  });
  // data-paste="#id_text": a picture pasted into that field is uploaded too.
  const field = zone.dataset.paste && document.querySelector(zone.dataset.paste);
  field?.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    take(zone, files);
  });
});
