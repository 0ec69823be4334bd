/** A team in a class: pauses, hints, votes and the end, as the teacher's page sends them. */
import { announce, el, followTeam, kept, one, page, post, whereIs, words } from "./core.js";

const said = /** @type {Record<string, string>} */ (page.class_words ?? {});
/** @param {string} key @param {Record<string, string | number>} [values] */
const t = (key, values = {}) => (said[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));

const curtain = /** @type {HTMLDialogElement} */ (el("dialog", { class: "curtain", "aria-labelledby": "curtain-h" }));
const corner = el("div", { class: "from-teacher", role: "status", "aria-live": "polite" });
document.body.append(curtain, corner);
curtain.addEventListener("cancel", (event) => { if (curtain.dataset.shut) event.preventDefault(); });

/** @param {string} standing */
function stand(standing) {
  if (curtain.dataset.standing === standing) return;
  curtain.dataset.standing = standing;
  if (curtain.open) curtain.close();
  if (standing === "playing") return;
  const ended = standing === "ended", removed = standing === "removed";
  curtain.dataset.shut = ended || removed ? "" : "1";
  const link = ended ? el("a", { class: "button", href: "/notebook" }, t("look")) : el("a", { class: "button", href: "/" }, t("start"));
  const close = el("button", { class: "ghost", type: "button" }, t("close"));
  close.addEventListener("click", () => curtain.close());
  curtain.replaceChildren(el("h2", { id: "curtain-h", tabindex: "-1" }, t(standing)), el("p", {}, t(`${standing}_why`)),
    ...(ended || removed ? [el("p", { class: "row" }, link, close)] : []));
  const told = `ended:${document.body.dataset.team}`;
  if (ended && kept.get(told)) return; // once is enough: who comes back wants to read
  if (ended) kept.set(told, 1); else kept.set(told, null);
  curtain.showModal();
  one("h2", curtain).focus();
}

/** @param {string} name @param {Node[]} parts */
function card(name, parts) {
  corner.querySelector(`.${name}`)?.remove();
  if (parts.length) corner.append(el("section", { class: `slip-in ${name}` }, ...parts));
}

/** @param {any} hint */
function hint(hint) {
  const key = `hint:${document.body.dataset.team}`;
  if (!hint || kept.get(key) >= hint.id || corner.querySelector(`[data-hint="${hint.id}"]`)) return;
  const close = el("button", { class: "link", type: "button", "data-hint": String(hint.id) }, t("close"));
  close.addEventListener("click", () => { kept.set(key, hint.id); card("hint-card", []); });
  const text = t(`hint_${hint.kind}`, { name: hint.name });
  card("hint-card", [el("h2", {}, t("hint")), el("p", {}, hint.kind ? el("a", { href: whereIs(hint) }, text) : text),
    ...(hint.text ? [el("p", {}, hint.text)] : []), close]);
  announce(`${t("hint")}: ${text}`);
}

let putAway = "";

/** @param {any} vote */
function ballot(vote) {
  const before = corner.querySelector(".vote-card");
  if (!vote || vote.id === putAway) { before?.remove(); return; }
  const sketch = JSON.stringify(vote);
  if (before instanceof HTMLElement && before.dataset.sketch === sketch) return;
  const note = el("p", { class: "fine", role: "status" }, vote.mine === null || vote.mine === undefined ? "" : t("voted"));
  const options = vote.options.map((/** @type {string} */ option, /** @type {number} */ i) => {
    const button = el("button", { type: "button", class: "button wide", "aria-pressed": String(vote.mine === i) }, option);
    button.addEventListener("click", () => post("/api/vote", { vote: vote.id, option: i }).then(() => {
      for (const other of button.parentElement?.querySelectorAll("button") ?? []) other.setAttribute("aria-pressed", String(other === button));
      note.textContent = t("voted");
      /** @type {HTMLDetailsElement | null} */ (button.closest("details"))?.removeAttribute("open");
    }, (error) => { note.textContent = words(error); }));
    return button;
  });
  const close = el("button", { class: "link", type: "button" }, t("close"));
  close.addEventListener("click", () => { putAway = vote.id; card("vote-card", []); });
  // Once the vote is cast the slip folds up, so that it hides nothing; it opens to change the vote.
  const fold = /** @type {HTMLDetailsElement} */ (el("details", {}, el("summary", {}, el("h2", {}, `${t("vote")}: ${vote.question}`)), ...options));
  fold.open = !note.textContent;
  card("vote-card", [fold, note, close]);
  /** @type {HTMLElement} */ (one(".vote-card", corner)).dataset.sketch = sketch;
}

/** @type {number} */
let timer;

/** The last minutes are told; the server says how many are left, whatever this clock shows. @param {number} seconds */
function count(seconds) {
  clearTimeout(timer);
  const minutes = Math.ceil(seconds / 60);
  card("time-card", minutes && minutes <= 10 ? [el("p", {}, t("left", { n: minutes }))] : []);
  const next = Math.min(86400, Math.max(30, seconds - 600));
  if (minutes > 0) timer = setTimeout(() => count(seconds - next), next * 1000);
}

addEventListener("class", (event) => {
  const told = /** @type {CustomEvent} */ (event).detail;
  stand(told.standing);
  hint(told.standing === "playing" ? told.hint : null);
  ballot(told.standing === "playing" ? told.vote : null);
  count(told.standing === "playing" ? told.ends_in : 0);
});
followTeam();
