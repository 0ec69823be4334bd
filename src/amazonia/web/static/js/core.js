/** What every page shares: words, calls, safe storage, announcements, the masthead's controls. */

/** @typedef {{type: string, title: string, status: number, detail: string, retry: number}} Problem */
/** @typedef {{kind: string, id: string, name: string}} News */

/** The page's data, written by the server. */
export const page = /** @type {{words: Record<string, string>, [key: string]: any}} */ (
  JSON.parse(document.getElementById("page")?.textContent || '{"words":{}}'));

export const calm = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * A phrase of the interface.
 * @param {string} key @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  return (page.words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * The first element that fits, which must be there.
 * @template {Element} [T=HTMLElement]
 * @param {string} selector @param {ParentNode} [root] @returns {T}
 */
export function one(selector, root = document) {
  const found = root.querySelector(selector);
  if (!found) throw new Error(`no ${selector}`);
  return /** @type {T} */ (found);
}

/**
 * @template {Element} [T=HTMLElement]
 * @param {string} selector @param {ParentNode} [root] @returns {T[]}
 */
export function all(selector, root = document) {
  return /** @type {T[]} */ ([...root.querySelectorAll(selector)]);
}

/**
 * An element with attributes and children; text is never markup.
 * @param {string} name @param {Record<string, string>} [attributes] @param {...(Node | string)} children
 */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** When this page itself last changed something. */
let acted = 0;

/** Says something to screen readers. @param {string} text */
export function announce(text) {
  const box = document.getElementById("announcer");
  if (!box) return;
  box.textContent = "";
  setTimeout(() => { box.textContent = text; }, 30);
}

/** Storage that may be full, blocked or absent. */
export const kept = {
  /** @param {string} key @returns {any} */
  get(key) {
    try { return JSON.parse(localStorage.getItem(`amz:${key}`) ?? "null"); } catch { return null; }
  },
  /** @param {string} key @param {unknown} value */
  set(key, value) {
    try {
      if (value === null) localStorage.removeItem(`amz:${key}`);
      else localStorage.setItem(`amz:${key}`, JSON.stringify(value));
    } catch { /* a page without storage still plays */ }
  },
};

/** The server did not answer: nothing is known of what became of the call. */
export class Unreachable extends Error {}

/** The server said no. */
export class Refused extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
}

/**
 * Call the API.
 * @param {string} url @param {unknown} [body] @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
export async function post(url, body, headers = {}) {
  acted = Date.now();
  return call(url, {
    method: "POST",
    headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), Accept: "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** @param {string} url @param {RequestInit} [options] @returns {Promise<any>} */
export async function call(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch {
    throw new Unreachable(t("failed"));
  }
  if (response.status === 204) return null;
  const data = await response.json().catch(() => ({}));
  if (response.ok) return data;
  if (response.status === 401 && location.pathname !== "/") location.assign("/");
  const retry = Number(response.headers.get("Retry-After")) || 0;
  throw new Refused({ type: "", title: "", detail: t("failed"), ...data, status: response.status, retry });
}

/** What to tell people about an error. @param {unknown} error */
export function words(error) {
  return error instanceof Error && (error instanceof Refused || error instanceof Unreachable) ? error.message : t("failed");
}

/**
 * Runs an action of a form once at a time and shows what went wrong.
 * @param {HTMLElement} where holds the `.error` @param {() => Promise<void>} action
 */
export async function attempt(where, action) {
  if (where.getAttribute("aria-busy") === "true") return;
  const box = /** @type {HTMLElement | null} */ (where.querySelector(".error"));
  where.setAttribute("aria-busy", "true");
  if (box) box.hidden = true;
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Unreachable)) console.error(error);
    if (box) { box.textContent = words(error); box.hidden = false; } else announce(words(error));
  } finally {
    where.removeAttribute("aria-busy");
  }
}

/** Where the thing is that has just opened. @param {News} item */
export function whereIs(item) {
  switch (item.kind) {
    case "character": return `/interview/${item.id}`;
    case "riddle": return `/riddle/${item.id}`;
    case "challenge": return `/challenges#${item.id}`;
    case "confrontation": return `/confront/${item.id}`;
    default: return "/publish";
  }
}

let following = false;

/** Tells when another tab or machine of the team moved on; and, in a class, what the class does. */
export function followTeam() {
  if (!document.body.dataset.team || following) return;
  following = true;
  let first = 0;
  const source = new EventSource("/api/team/events");
  source.addEventListener("version", (event) => {
    const version = Number(JSON.parse(/** @type {MessageEvent} */ (event).data).version);
    if (first && version > first && Date.now() - acted > 2500 && !document.querySelector(".moved")) {
      const button = el("button", { type: "button", class: "button moved" }, t("reload"));
      button.addEventListener("click", () => location.reload());
      document.body.append(button);
    }
    first = version;
  });
  source.addEventListener("class", (event) => {
    dispatchEvent(new CustomEvent("class", { detail: JSON.parse(/** @type {MessageEvent} */ (event).data) }));
  });
  addEventListener("pagehide", () => source.close());
}

const theme = document.querySelector("[data-theme-toggle]");
if (theme instanceof HTMLElement) {
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("amz:theme", root.dataset.theme); } catch { /* for this page then */ }
  });
}

document.querySelector("[data-leave]")?.addEventListener("click", async () => {
  await post("/api/session/leave").catch(() => null);
  announce(t("left"));
  location.assign("/");
});

const offline = /** @type {HTMLElement | null} */ (document.querySelector("[data-offline]"));
const network = () => { if (offline) offline.hidden = navigator.onLine; };
addEventListener("online", network);
addEventListener("offline", network);
network();
