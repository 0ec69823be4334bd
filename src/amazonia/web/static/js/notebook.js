/** The evidence board: read, sort, tie strings. */
import { all, announce, el, followTeam, one, page, post, t, words } from "./core.js";

/** @typedef {{clues: string[], firm: boolean, text: string}} Link */

const SVG = "http://www.w3.org/2000/svg";
const board = one("[data-board]");
const strings = /** @type {SVGSVGElement} */ (one("[data-strings]"));
const status = one("[data-linking]");
/** @type {Link[]} */
let links = page.links;
/** @type {string | null} */
let from = null;

const cards = () => all("[data-clue]", board);
/** @param {string} id */
const card = (id) => cards().find((c) => c.dataset.clue === id);
/** @param {string} id */
const title = (id) => card(id)?.querySelector("h2")?.textContent?.trim() ?? id;

// ── strings ─────────────────────────────────────────────────────────────────────────────────────

/** Where a string is tied to a card. @param {Element} pin */
function knot(pin) {
  const box = pin.getBoundingClientRect(), origin = board.getBoundingClientRect();
  return { x: box.left + box.width / 2 - origin.left, y: box.top + box.height / 2 - origin.top };
}

/** @param {{x: number, y: number}} a @param {{x: number, y: number}} b @param {string} kind */
function string(a, b, kind) {
  const path = document.createElementNS(SVG, "path");
  const sag = Math.min(46, 12 + Math.hypot(a.x - b.x, a.y - b.y) / 9);
  path.setAttribute("d", `M${a.x} ${a.y}Q${(a.x + b.x) / 2} ${(a.y + b.y) / 2 + sag} ${b.x} ${b.y}`);
  path.setAttribute("class", kind);
  return path;
}

function draw() {
  strings.setAttribute("width", String(board.scrollWidth));
  strings.setAttribute("height", String(board.scrollHeight));
  strings.replaceChildren(...links.flatMap(({ clues: [a, b], firm }) => {
    const [left, right] = [card(a), card(b)];
    if (!left || !right || left.hidden || right.hidden) return [];
    return [string(knot(one("[data-pin]", left)), knot(one("[data-pin]", right)), firm ? "firm" : "loose")];
  }));
}

function list() {
  one("[data-links]").replaceChildren(...(links.length ? links.map(({ clues: [a, b], firm, text }) => {
    const erase = el("button", { type: "button", class: "link", "data-erase": "" }, t("erase"));
    return el("li", { "data-pair": `${a} ${b}`, class: firm ? "firm" : "loose" },
      el("span", { class: "pair" }, `${title(a)} — ${title(b)}`), el("span", { class: "why" }, firm ? text : t("loose")), " ", erase);
  }) : [el("li", { class: "quiet" }, t("no_links"))]));
}

/** @param {string} a @param {string} b @param {boolean} [erase] */
async function tie(a, b, erase = false) {
  if (a === b) return;
  try {
    links = (await post("/api/links", { clues: [a, b], erase })).links;
    draw();
    list();
    const made = links.find((l) => l.clues.includes(a) && l.clues.includes(b));
    if (!erase) announce(`${t("linked", { a: title(a), b: title(b) })} ${made?.text || t("loose")}`);
  } catch (error) {
    announce(words(error));
    status.textContent = words(error);
    status.hidden = false;
  }
}

/** Pick the first clue of a string by button, or give up. @param {string | null} id */
function choose(id) {
  from = id;
  status.hidden = !id;
  if (id) status.textContent = t("linking", { title: title(id) });
  for (const c of cards()) {
    c.classList.toggle("tying", c.dataset.clue === id);
    const button = one("[data-link]", c);
    button.dataset.label ??= button.lastChild?.textContent ?? "";
    if (button.lastChild) button.lastChild.textContent = id && c.dataset.clue !== id ? ` ${t("link_here")}` : button.dataset.label;
  }
}

board.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const link = /** @type {HTMLElement | null} */ (target?.closest("[data-link]"));
  const read = /** @type {HTMLElement | null} */ (target?.closest("[data-read]"));
  if (link?.dataset.link) {
    if (from && from !== link.dataset.link) { tie(from, link.dataset.link); choose(null); }
    else choose(from ? null : link.dataset.link);
  } else if (read?.dataset.read) {
    if (from && from !== read.dataset.read) { tie(from, read.dataset.read); choose(null); } else open(read.dataset.read);
  }
});
addEventListener("keydown", (event) => { if (event.key === "Escape" && from) choose(null); });
one("[data-links]").addEventListener("click", (event) => {
  const item = event.target instanceof Element && event.target.matches("[data-erase]") ? event.target.closest("li") : null;
  const [a, b] = item?.dataset.pair?.split(" ") ?? [];
  if (a && b) tie(a, b, true);
});

board.addEventListener("pointerdown", (event) => {
  const pin = event.target instanceof Element ? event.target.closest("[data-pin]") : null;
  const start = /** @type {HTMLElement | null} */ (pin?.closest("[data-clue]"));
  if (!pin || !start?.dataset.clue) return;
  event.preventDefault();
  const id = start.dataset.clue, origin = knot(pin);
  const loose = string(origin, origin, "pulled");
  strings.append(loose);
  /** @param {PointerEvent} e */
  const over = (e) => /** @type {HTMLElement | null} */ (document.elementFromPoint(e.clientX, e.clientY)?.closest("[data-clue]") ?? null);
  /** @param {PointerEvent} e */
  const move = (e) => {
    const box = board.getBoundingClientRect();
    loose.setAttribute("d", /** @type {string} */ (string(origin, { x: e.clientX - box.left, y: e.clientY - box.top }, "").getAttribute("d")));
    for (const c of cards()) c.classList.toggle("target", c === over(e) && c !== start);
  };
  /** @param {PointerEvent} e */
  const end = (e) => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", end);
    removeEventListener("pointercancel", end);
    loose.remove();
    for (const c of cards()) c.classList.remove("target");
    const other = e.type === "pointerup" ? over(e)?.dataset.clue : null;
    if (other) tie(id, other);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
});

// ── filters ─────────────────────────────────────────────────────────────────────────────────────

const filters = /** @type {HTMLFormElement} */ (one("[data-filters]"));
filters.addEventListener("change", () => {
  const data = new FormData(filters), group = data.get("group"), sort = String(data.get("sort"));
  for (const c of cards()) c.hidden = group !== "all" && c.dataset.group !== group;
  /** @param {HTMLElement} c */
  const key = (c) => (sort === "found" ? "" : c.dataset[sort] ?? "");
  board.append(...cards().sort((a, b) => key(a).localeCompare(key(b)) || Number(a.dataset.n) - Number(b.dataset.n)));
  draw();
});

// ── documents on the table ──────────────────────────────────────────────────────────────────────

const table = /** @type {HTMLDialogElement} */ (one("[data-table]"));
const docs = one("[data-docs]");
const beside = /** @type {HTMLSelectElement} */ (one("[data-beside]"));
let zoom = 1;

/** @param {...string} ids */
function lay(...ids) {
  docs.replaceChildren(...ids.filter(Boolean).map((id) => one(`[data-document="${CSS.escape(id)}"]`).cloneNode(true)));
  docs.classList.toggle("two", ids.filter(Boolean).length > 1);
}
/** @param {string} id */
function open(id) {
  table.dataset.clue = id;
  beside.value = "";
  for (const option of beside.options) option.hidden = option.value === id;
  lay(id);
  if (!table.open) table.showModal();
  docs.focus();
}
beside.addEventListener("change", () => lay(table.dataset.clue ?? "", beside.value));
table.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const step = Number(/** @type {HTMLElement | null} */ (target?.closest("[data-zoom]"))?.dataset.zoom);
  if (step) {
    zoom = Math.min(4, Math.max(0, zoom + step));
    docs.className = docs.className.replace(/zoom-\d/, `zoom-${zoom}`);
  } else if (target === table || target?.closest("[data-close]")) table.close();
});

addEventListener("resize", draw);
new ResizeObserver(draw).observe(board);
draw();
const wanted = location.hash.slice(1);
if (wanted && card(wanted)) open(wanted);
followTeam();
