// A large file, sent piece by piece to our server. What broke is sent again; a page that was loaded again goes on where
// it was, because the server knows the file by its fingerprint (name, size, date, beginning and end).
//
//   const upload = new PiecewiseUpload(file, startUrl, finishQuery);
//   upload.onProgress = (share) => ...;  upload.onLost = () => ...;
//   const html = await upload.run();   // null when it was cancelled; throws RequestFailed when it was refused
//   upload.pause(); upload.resume(); upload.cancel();
import { csrfToken, failureText, postForm, RequestFailed } from "./page.js";

const SAMPLE = 1024 * 1024;
const LONGEST_WAIT_MS = 30000;

const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const digest = async (data) => (crypto.subtle ? hex(await crypto.subtle.digest("SHA-256", data)) : "");

/** 64 hex digits, the same for the same file. Without crypto (plain http) from a simpler sum. */
async function fingerprintOf(file) {
  const facts = new TextEncoder().encode(`${file.name}|${file.size}|${file.lastModified}|`);
  const ends = new Blob([facts, file.slice(0, SAMPLE), file.slice(Math.max(0, file.size - SAMPLE))]);
  const bytes = await ends.arrayBuffer();
  const strong = await digest(bytes);
  if (strong) return strong;
  let sums = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => seed * 2654435761);
  new Uint8Array(bytes).forEach((byte, at) => {
    const lane = at % 8;
    sums[lane] = Math.imul(sums[lane] ^ byte, 16777619) >>> 0;
  });
  return sums.map((sum) => (sum >>> 0).toString(16).padStart(8, "0")).join("");
}

export class PiecewiseUpload {
  onProgress = () => {};
  onLost = () => {};
  isPaused = false;
  #isCancelled = false;
  #request = null;
  #wake = null;

  constructor(file, startUrl, finishQuery) {
    this.file = file;
    this.startUrl = startUrl;
    this.finishQuery = finishQuery;
  }

  pause() {
    this.isPaused = true;
    this.#request?.abort();
  }

  resume() {
    this.isPaused = false;
    this.#wake?.();
  }

  cancel() {
    this.#isCancelled = true;
    this.#request?.abort();
    this.#wake?.();
  }

  async run() {
    const begin = new FormData();
    begin.append("name", this.file.name);
    begin.append("size", String(this.file.size));
    begin.append("fingerprint", await fingerprintOf(this.file));
    let { id, received, piece } = await this.#insist(() => postForm(this.startUrl, begin));
    const base = `${this.startUrl.replace(/[^/]+\/start\/.*$/, "")}${id}/`;
    while (received < this.file.size) {
      if (await this.#mayNot()) return this.#giveUp(base);
      received = await this.#insist(() => this.#send(base, received, piece), received);
      this.onProgress(received / this.file.size);
    }
    if (this.#isCancelled) return this.#giveUp(base);
    return this.#insist(() => this.#finish(base));
  }

  /** Waits while it is paused; whether it was cancelled. */
  async #mayNot() {
    while (this.isPaused && !this.#isCancelled) await new Promise((wake) => (this.#wake = wake));
    return this.#isCancelled;
  }

  async #giveUp(base) {
    await postForm(`${base}cancel/`, new FormData()).catch(() => {});
    return null;
  }

  /** Tries again as long as the server is not reached or not well; a refusal is thrown. `otherwise`: what to go on
   * with when it was paused or cancelled in between. */
  async #insist(attempt, otherwise = null) {
    for (let wait = 1000; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      try {
        return await attempt();
      } catch (error) {
        if (otherwise !== null && (this.isPaused || this.#isCancelled)) return otherwise;
        if (this.#isCancelled || !(error instanceof RequestFailed) || (error.status > 0 && error.status < 500)) throw error;
        this.onLost();
        await new Promise((wake) => {
          this.#wake = wake;
          setTimeout(wake, wait);
        });
      }
    }
  }

  /** One piece; how much the server has then. It may have more or less than we thought: it says so with 409. */
  async #send(base, offset, length) {
    const bytes = await this.file.slice(offset, offset + length).arrayBuffer();
    const sum = await digest(bytes);
    const { status, body } = await this.#post(`${base}piece/?offset=${offset}`, bytes, sum, offset);
    if (status === 200 || status === 409) return body.received;
    throw new RequestFailed(status, body.error || failureText(status));
  }

  #post(url, bytes, sum, offset) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.#request = request;
      request.open("POST", url);
      request.setRequestHeader("X-CSRFToken", csrfToken());
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.setRequestHeader("Accept", "application/json");
      if (sum) request.setRequestHeader("X-Content-SHA256", sum);
      request.upload.addEventListener("progress", (event) => this.onProgress((offset + event.loaded) / this.file.size));
      request.addEventListener("load", () => {
        let body = {};
        try {
          body = JSON.parse(request.responseText);
        } catch {
          body = {};
        }
        resolve({ status: request.status, body });
      });
      for (const name of ["error", "abort", "timeout"]) {
        request.addEventListener(name, () => reject(new RequestFailed(0, failureText(0))));
      }
      request.send(bytes);
    });
  }

  async #finish(base) {
    let response;
    try {
      response = await fetch(`${base}finish/${this.finishQuery}`, {
        method: "POST",
        headers: { "X-CSRFToken": csrfToken(), "HX-Request": "true" },
        credentials: "same-origin",
      });
    } catch {
      throw new RequestFailed(0, failureText(0));
    }
    if (!response.ok) throw new RequestFailed(response.status, failureText(response.status));
    return response.text();
  }
}
