/** How an answer is received: calmly, with the reason. */
import { all, attempt, el, t, words } from "./core.js";

/**
 * Shows why an answer did not do.
 * @param {HTMLElement} form @param {string} lead @param {...string} lines
 */
export function explain(form, lead, ...lines) {
  const box = /** @type {HTMLElement} */ (form.querySelector("[data-verdict]"));
  box.replaceChildren(el("p", {}, el("strong", { class: "tag" }, lead), " ", lines[0] ?? ""),
    ...lines.slice(1).filter(Boolean).map((line) => el("p", {}, line)));
  box.hidden = false;
  box.scrollIntoView({ block: "nearest" });
}

/**
 * Submits a form as an answer; errors are explained in the same place.
 * @param {HTMLFormElement} form @param {() => Promise<void>} answer
 */
export function onAnswer(form, answer) {
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form, async () => {
      try { await answer(); } catch (error) { explain(form, t("not_yet"), words(error)); }
    });
  });
}

/** The value chosen among radio buttons. @param {HTMLFormElement} form @param {string} name */
export function chosen(form, name) {
  return /** @type {string | null} */ (new FormData(form).get(name));
}

/** No more than `most` cards at once. @param {HTMLFormElement} form @param {number} most */
export function limitPicks(form, most) {
  form.addEventListener("change", () => {
    const boxes = /** @type {HTMLInputElement[]} */ (all("input[name=clues]", form));
    const full = boxes.filter((box) => box.checked).length >= most;
    for (const box of boxes) box.disabled = full && !box.checked;
  });
}

/** Come back to this page as solved. */
export function solved() {
  history.replaceState(null, "", "#solved");
  location.reload();
}
