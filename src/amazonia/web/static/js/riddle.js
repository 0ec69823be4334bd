/** A riddle: put in order, choose, mark, link. */
import { all, announce, attempt, el, one, page, post, t } from "./core.js";
import { chosen, explain, limitPicks, onAnswer, solved } from "./verdict.js";

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-riddle]"));
/** @type {Record<string, string[]>} */
const parts = page.parts ?? {};

if (form) play(form);
else if (location.hash === "#solved") one("#solved").focus();

/** @param {HTMLFormElement} form */
function play(form) {
  const { riddle, type } = form.dataset;
  const pick = Number(form.dataset.pick ?? 0);
  if (type === "order") order(one("[data-order]", form));
  if (type === "map") layers(form);
  if (type === "timeline") timeline(form);
  if (type === "link") limitPicks(form, pick);

  onAnswer(form, async () => {
    /** @type {unknown} */
    let answer = chosen(form, "option");
    if (type === "order") answer = all("[data-piece]", form).map((item) => item.dataset.piece);
    if (type === "link") {
      const clues = new FormData(form).getAll("clues"), union = chosen(form, "union");
      if (clues.length !== pick) { explain(form, t("pick_exactly", { n: pick })); return; }
      answer = union && { clues, union };
    }
    if (!answer) { explain(form, t("choose")); return; }
    const verdict = await post(`/api/riddles/${riddle}`, { answer });
    if (verdict.correct) solved(); else explain(form, t("not_yet"), verdict.explanation);
  });

  const hint = one("[data-hint]", form);
  hint.addEventListener("click", () => attempt(hint, async () => {
    const given = await post(`/api/riddles/${riddle}/hint`);
    const list = one("[data-hints]", form);
    if (given.hint && ![...list.children].some((li) => li.textContent === given.hint)) list.append(el("li", {}, given.hint));
    one("[data-left]", form).textContent = t("hints_left", { n: given.hints_left });
    hint.hidden = !given.hints_left;
  }));
}

/** Pieces that are dragged by pointer or moved by key. @param {HTMLElement} list */
function order(list) {
  /** @param {Element} item */
  const tell = (item) => announce(t("moved", { item: item.querySelector(".order-text")?.textContent ?? "", n: [...list.children].indexOf(item) + 1 }));
  list.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    const item = button?.closest("li");
    if (!button || !item) return;
    const up = button.hasAttribute("data-up");
    const other = up ? item.previousElementSibling : item.nextElementSibling;
    if (other) { if (up) other.before(item); else other.after(item); }
    button.focus();
    tell(item);
  });
  list.addEventListener("pointerdown", (event) => {
    const grip = event.target instanceof Element ? event.target.closest("[data-grip]") : null;
    const item = grip?.closest("li");
    if (!grip || !item) return;
    event.preventDefault();
    item.classList.add("dragging");
    /** @param {PointerEvent} e */
    const move = (e) => {
      for (const other of list.children) {
        const box = other.getBoundingClientRect();
        if (other === item || e.clientY < box.top || e.clientY > box.bottom) continue;
        if (e.clientY < box.top + box.height / 2) other.before(item); else other.after(item);
        break;
      }
    };
    const end = () => {
      item.classList.remove("dragging");
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      tell(item);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  });
}

/** The option whose parts are just these. @param {string[]} chosenParts */
function optionOf(chosenParts) {
  const key = [...chosenParts].sort().join();
  return Object.keys(parts).find((option) => [...parts[option]].sort().join() === key);
}

/** @param {HTMLFormElement} form @param {string | undefined} option */
function mark(form, option) {
  for (const radio of /** @type {HTMLInputElement[]} */ (all("input[name=option]", form))) radio.checked = radio.value === option;
}

/** Layers of the map follow the option, and the option the layers. @param {HTMLFormElement} form */
function layers(form) {
  const boxes = /** @type {HTMLInputElement[]} */ (all("[data-layer]", form));
  const show = () => {
    for (const box of boxes) {
      const layer = one("[data-map]", form).querySelector(`#layer-${box.dataset.layer}`);
      if (box.checked) layer?.removeAttribute("display"); else layer?.setAttribute("display", "none");
    }
  };
  form.addEventListener("change", (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (input.name === "option") for (const box of boxes) box.checked = (parts[input.value] ?? []).includes(box.value);
    else mark(form, optionOf(boxes.filter((box) => box.checked).map((box) => box.value)));
    show();
  });
  show();
}

/** Two records on the line close a window. @param {HTMLFormElement} form */
function timeline(form) {
  const records = all("[data-record]", form);
  /** @type {string[]} */
  let ends = [];
  const show = () => {
    const at = records.flatMap((r, i) => (ends.includes(r.dataset.record ?? "") ? [i] : []));
    records.forEach((r, i) => {
      r.setAttribute("aria-pressed", String(at.includes(i)));
      r.closest("li")?.classList.toggle("inside", at.length > 0 && i >= at[0] && i <= at[at.length - 1]);
    });
  };
  for (const record of records) {
    record.addEventListener("click", () => {
      const id = record.dataset.record ?? "";
      ends = ends.includes(id) ? ends.filter((e) => e !== id) : [...ends, id].slice(-2);
      const option = ends.length === 2 ? optionOf(ends) : undefined;
      mark(form, option);
      if (ends.length === 2 && !option) announce(t("no_window"));
      show();
    });
  }
  form.addEventListener("change", (event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (input.name === "option") { ends = parts[input.value] ?? []; show(); }
  });
}
