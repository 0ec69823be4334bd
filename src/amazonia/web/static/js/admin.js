/** The control room renews what it shows; everything works without this. */
import { all, one } from "./core.js";

const EVERY = 5000;

/** Puts the newest text of each live part in its place; who is on a button stays on it. */
async function renew() {
  const response = await fetch("/admin", { headers: { Accept: "text/html" } });
  if (!response.ok) throw new Error(`${response.status}`);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  if (!fresh.querySelector("[data-live]")) location.reload(); // signed out meanwhile
  for (const part of all("[data-live]")) {
    const newer = fresh.getElementById(part.id);
    if (!newer || newer.innerHTML === part.innerHTML) continue;
    const held = part.contains(document.activeElement) ? document.activeElement?.id : "";
    part.replaceChildren(...newer.childNodes);
    if (held) document.getElementById(held)?.focus();
  }
}

async function watch() {
  const stale = one("[data-stale]");
  if (!document.hidden) stale.hidden = await renew().then(() => true, () => false);
  setTimeout(watch, EVERY);
}

if (document.querySelector("[data-live]")) setTimeout(watch, EVERY);
