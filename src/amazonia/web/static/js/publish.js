/** Closing the edition: choose, see the proof, go on air. */
import { all, attempt, el, one, post, t, words } from "./core.js";

const form = /** @type {HTMLFormElement} */ (one("[data-publish]"));
const proof = /** @type {HTMLDialogElement} */ (one("[data-proof]"));
const errorBox = one("[data-error]");
const ticked = () => /** @type {HTMLInputElement[]} */ (all("input:checked", form));
const claims = () => ticked().filter((input) => input.name === "claim");
const decisions = () => ticked().filter((input) => input.dataset.decision);

form.noValidate = true;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = new Set(all("[data-decision]", form).map((input) => input.dataset.decision));
  const missing = !claims().length ? t("nothing") : decisions().length < asked.size ? t("undecided") : "";
  errorBox.textContent = missing;
  errorBox.hidden = !missing;
  if (missing) return;
  const lines = [...claims(), ...decisions()].map((input) => input.closest("label")?.textContent?.trim() ?? "");
  one("[data-said]").replaceChildren(...lines.map((line) => el("li", {}, line)));
  proof.showModal();
});
one("[data-back]").addEventListener("click", () => proof.close());
one("[data-go]").addEventListener("click", () => attempt(proof, async () => {
  const box = one("[data-proof-error]");
  try {
    await post("/api/publish", {
      claims: claims().map((input) => input.value),
      decisions: Object.fromEntries(decisions().map((input) => [input.dataset.decision, input.value])),
    });
    location.assign("/ending");
  } catch (error) {
    box.textContent = words(error);
    box.hidden = false;
  }
}));
