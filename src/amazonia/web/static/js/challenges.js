/** The letterbox: answer, and a slip drops. */
import { all, announce, post, t } from "./core.js";
import { chosen, explain, onAnswer } from "./verdict.js";

for (const form of /** @type {HTMLFormElement[]} */ (all("[data-challenge]"))) {
  onAnswer(form, async () => {
    const answer = chosen(form, "option");
    if (!answer) { explain(form, t("choose")); return; }
    const verdict = await post(`/api/challenges/${form.dataset.challenge}`, { answer });
    if (!verdict.correct) { explain(form, t("not_yet"), verdict.explanation, verdict.hint); return; }
    announce(t("slip"));
    history.replaceState(null, "", `#${form.dataset.challenge}`);
    location.reload();
  });
}

const answered = location.hash && document.querySelector(`details${CSS.escape(location.hash).replace("\\#", "#")}`);
if (answered instanceof HTMLDetailsElement) answered.open = true;
