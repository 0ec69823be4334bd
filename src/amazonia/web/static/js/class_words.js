/** What the teacher's pages share: the class's stream, times by the server's clock, bars. */
import { el, one, page, t } from "./core.js";

/** @typedef {{id: string, name: string, act: number, acts: number, clues: number, clues_total: number, who: string,
 *   last_at: number, joined_at: number, progressed_at: number, mood: string, missing: any, flags: number, flags_seen: number, published: number}} Team */

export const code = String(page.code);
/** @type {Map<string, Team>} */
export const teams = new Map();
export let room = page.room;
let ahead = page.room.now - Date.now() / 1000;

/** Seconds since 1970, as the server counts them. */
export const now = () => Date.now() / 1000 + ahead;

/**
 * Follow the class; the browser reconnects by itself, and is then told everything again.
 * @param {() => void} show
 */
export function follow(show) {
  const source = new EventSource(`/api/classes/${code}/live`);
  const lost = /** @type {HTMLElement | null} */ (document.querySelector("[data-lost]"));
  const hear = (/** @type {Event} */ event) => {
    const data = JSON.parse(/** @type {MessageEvent} */ (event).data);
    ahead = data.now - Date.now() / 1000;
    if (lost) lost.hidden = true;
    return data;
  };
  source.addEventListener("class", (event) => { room = hear(event); show(); });
  source.addEventListener("teams", (event) => {
    for (const team of hear(event).teams) teams.set(team.id, team);
    show();
  });
  source.addEventListener("error", () => {
    if (lost) lost.hidden = false;
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
  });
  addEventListener("pagehide", () => source.close());
  setInterval(show, 10000);
}

/** A phrase with "one|many". @param {string} key @param {number} n */
export function many(key, n) {
  const [one_, more] = t(key).split("|");
  return (n === 1 ? one_ : more ?? one_).replace("{n}", String(n));
}

/** @param {number} at */
export function ago(at) {
  const minutes = Math.floor((now() - at) / 60);
  if (minutes < 1) return t("now");
  return minutes < 90 ? t("ago_min", { n: minutes }) : t("ago_h", { n: Math.round(minutes / 60) });
}

/** How long the class still lasts. */
export function left() {
  const seconds = room.ends_at - now();
  if (room.is_over || seconds <= 0) return t("over");
  const [key, n] = seconds > 172800 ? ["days", seconds / 86400] : seconds > 7200 ? ["hours", seconds / 3600] : ["minutes", seconds / 60];
  return t("ends_in", { time: t(String(key), { n: Math.ceil(Number(n)) }) });
}

/** How many teams play in the class. */
export const counted = () => many("counted", [...teams.values()].filter((team) => team.mood !== "removed").length);

const SVG = "http://www.w3.org/2000/svg";

/**
 * A bar; the number that it stands for is written beside it, for every eye and for screen readers.
 * @param {number} value @param {number} most @param {number} [steps] cut into so many parts
 */
export function bar(value, most, steps = 0) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, text] of Object.entries({ viewBox: "0 0 100 12", class: "bar", "aria-hidden": "true", preserveAspectRatio: "none" })) svg.setAttribute(key, text);
  const draw = (/** @type {number} */ x, /** @type {number} */ width, /** @type {string} */ kind) => {
    const rect = document.createElementNS(SVG, "rect");
    for (const [key, text] of Object.entries({ x, y: 1, width, height: 10, class: kind })) rect.setAttribute(key, String(text));
    svg.append(rect);
  };
  if (steps) for (let i = 0; i < steps; i += 1) draw((i * 100) / steps + 1, 100 / steps - 3, i < value ? "full" : "rest");
  else { draw(0.5, 99, "rest"); if (value) draw(0.5, (99 * value) / Math.max(1, most), "full"); }
  return svg;
}

/**
 * Rows of title, bar and number, as a table.
 * @param {string[]} heads @param {{title: string, note?: string, value: number}[]} rows @param {number} most
 */
export function bars(heads, rows, most) {
  return el("table", { class: "bars" },
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, ...rows.map(({ title, note, value }) => el("tr", {},
      el("th", { scope: "row" }, title, ...(note ? [el("span", { class: "fine" }, note)] : [])),
      el("td", {}, bar(value, most), el("b", {}, String(value)))))));
}

/** @param {HTMLElement} box @param {string} text */
export function put(box, text) {
  if (box.textContent !== text) box.textContent = text;
}

export { el, one, page, t };
