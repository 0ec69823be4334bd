/** The questionnaire on judging sources: one mark for each, or none at all. */
import { Refused, attempt, one, post, t } from "./core.js";

const form = /** @type {HTMLFormElement} */ (one("[data-judge]"));
const sources = new Set([...form.querySelectorAll("input")].map((input) => input.name));

/** @param {Record<string, number>} marks */
async function send(marks) {
  const answer = await post("/api/judgement", { marks });
  location.assign(answer.next);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const marks = Object.fromEntries([...new FormData(form)].map(([name, mark]) => [name, Number(mark)]));
  attempt(form, async () => {
    const missing = [...sources].filter((name) => !(name in marks));
    if (missing.length) {
      /** @type {HTMLInputElement} */ (one(`[name="${missing[0]}"]`, form)).focus();
      const [single, many] = t("missing", { n: missing.length }).split("|");
      throw new Refused({ type: "", title: "", detail: missing.length === 1 ? single : many, status: 0, retry: 0 });
    }
    await send(marks);
  });
});

one("[data-skip]").addEventListener("click", () => attempt(form, () => send({})));
