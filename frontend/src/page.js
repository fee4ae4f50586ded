// What a behaviour needs to know of the page: when elements arrive, its texts, its CSRF token.

/** Calls `start(element)` once for every element that matches, now and after each htmx swap. */
export function onElements(selector, start) {
  const started = new WeakSet();
  const scan = (scope) => {
    const found = [...scope.querySelectorAll(selector)];
    if (scope instanceof Element && scope.matches(selector)) found.unshift(scope);
    for (const element of found) {
      if (started.has(element)) continue;
      started.add(element);
      start(element);
    }
  };
  scan(document);
  document.addEventListener("htmx:load", (event) => scan(event.detail.elt));
}

/** A translated text of the page: <body data-text-NAME="...">, with {placeholders} filled in. */
export function text(name, values = {}, holder = document.body) {
  const template = holder.getAttribute(`data-text-${name}`) ?? document.body.getAttribute(`data-text-${name}`) ?? "";
  return template.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

export function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

/** The page's language, as BCP 47. */
export function pageLanguage() {
  return document.documentElement.lang || "en";
}

/** What to tell a person about a refused or failed request; `status` 0 = the server was not reached. */
export function failureText(status) {
  if (status === 0) return text("error-network");
  if (status === 401 || status === 403) return text("error-denied");
  if (status === 404 || status === 410) return text("error-gone");
  if (status === 409) return text("error-conflict");
  if (status === 413) return text("error-too-large");
  if (status === 429) return text("error-busy");
  if (status >= 400 && status < 500) return text("error-refused");
  return text("error-server");
}

/** A request that did not lead to its aim; `message` is ready to be shown. */
export class RequestFailed extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** POSTs a form body to our own server and returns the JSON answer; throws RequestFailed. */
export async function postForm(url, body, { keepalive = false } = {}) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      body,
      headers: { "X-CSRFToken": csrfToken(), Accept: "application/json", "X-Requested-With": "XMLHttpRequest" },
      credentials: "same-origin",
      redirect: "manual",
      keepalive,
    });
  } catch {
    throw new RequestFailed(0, failureText(0));
  }
  // A redirect here means that the session has ended: the answer would be the sign-in page.
  if (response.type === "opaqueredirect") throw new RequestFailed(401, failureText(401));
  const isJson = (response.headers.get("Content-Type") ?? "").includes("json");
  const answer = isJson ? await response.json() : {};
  if (!response.ok) throw new RequestFailed(response.status, answer.error || failureText(response.status));
  return answer;
}
