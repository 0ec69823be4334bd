/** Face to face: clues and a reason against a sentence. */
import { all, one, post, t } from "./core.js";
import { chosen, explain, limitPicks, onAnswer, solved } from "./verdict.js";

for (const form of /** @type {HTMLFormElement[]} */ (all("[data-round]"))) {
  limitPicks(form, Number(form.dataset.pick));
  onAnswer(form, async () => {
    const clues = new FormData(form).getAll("clues"), reason = chosen(form, "reason");
    if (!clues.length || !reason) { explain(form, t("choose")); return; }
    const { confrontation, round } = form.dataset;
    const tried = await post("/api/confront", { confrontation, round, clues, reason });
    const portrait = document.querySelector("[data-portrait] svg");
    portrait?.setAttribute("data-expression", tried.accepted ? "soft" : "hard");
    if (tried.accepted) solved(); else explain(form, t(tried.partial ? "almost" : "not_yet"), tried.reply);
  });
}
if (location.hash === "#solved") document.getElementById("solved")?.focus();
else one("main").focus({ preventScroll: true });
