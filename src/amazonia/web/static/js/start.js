/** The start: one button, and two doors. */
import { attempt, kept, one, page, post, t } from "./core.js";

const main = one("main");
const start = /** @type {HTMLButtonElement} */ (one("[data-new]"));

/** @param {Record<string, string>} more */
async function begin(more) {
  await post("/api/session", { lang: page.lang, ...more });
  kept.set("opened", null);
  location.assign("/opening");
}

start.addEventListener("click", () => {
  const label = start.textContent;
  start.textContent = t("preparing");
  attempt(main, () => begin({ case: page.case })).finally(() => { start.textContent = label; });
});

one("[data-resume]").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.currentTarget);
  attempt(form, async () => {
    await post("/api/session/resume", { resume_code: new FormData(form).get("resume_code") });
    location.assign("/newsroom");
  });
});

one("[data-class]").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.currentTarget);
  attempt(form, () => begin({ class_code: String(new FormData(form).get("class_code")) }));
});

// The QR code of a press card leads here with the code behind the mark, which no server sees.
const printed = decodeURIComponent(location.hash.slice(1));
if (/^[\w-]{12,20}$/.test(printed)) {
  const input = /** @type {HTMLInputElement} */ (one("#resume-code"));
  /** @type {HTMLDetailsElement} */ (input.closest("details")).open = true;
  input.value = printed;
  input.focus();
}
