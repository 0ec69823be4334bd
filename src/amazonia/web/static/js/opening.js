/** The opening: the radio clock types six lines; then the team's name. */
import { attempt, calm, one, post } from "./core.js";

const lines = [...one("[data-lines]").children];
const form = /** @type {HTMLFormElement} */ (one("[data-form]"));
const skip = one("[data-skip]");
const name = /** @type {HTMLInputElement} */ (one("#team-name"));
const PACE = 19;

/** @type {() => void} */
let finish = () => {};

/** Type the lines; screen readers have them whole from the start. */
async function type() {
  const done = new Promise((resolve) => { finish = () => resolve(true); });
  let over = false;
  done.then(() => { over = true; });
  const typed = lines.map((line) => {
    const text = line.textContent ?? "";
    const shown = document.createElement("span");
    const ahead = document.createElement("span");
    ahead.className = "ahead";
    ahead.textContent = text;
    line.replaceChildren(shown, ahead);
    return { text, shown, ahead };
  });
  for (const { text, shown, ahead } of typed) {
    for (let i = 1; i <= text.length && !over; i += 1) {
      shown.textContent = text.slice(0, i);
      ahead.textContent = text.slice(i);
      await Promise.race([done, new Promise((r) => setTimeout(r, /[.:,]/.test(text[i - 1]) ? PACE * 6 : PACE))]);
    }
    shown.textContent = text;
    ahead.textContent = "";
  }
}

if (!calm.matches) {
  form.hidden = true;
  skip.hidden = false;
  const button = one("button", skip);
  button.addEventListener("click", () => finish());
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" || event.key === "Enter" || event.key === " ") { event.preventDefault(); finish(); }
  };
  addEventListener("keydown", onKey);
  type().then(() => {
    removeEventListener("keydown", onKey);
    skip.hidden = true;
    form.hidden = false;
    one("button[type=submit]", form).focus({ preventScroll: false });
  });
}

one("[data-reroll]").addEventListener("click", () => attempt(form, async () => {
  name.value = (await post("/api/session/name", {})).name;
  name.dataset.saved = name.value;
}));
name.dataset.saved = name.value;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(form, async () => {
    const members = Number(/** @type {HTMLInputElement} */ (one("#members")).value) || null;
    const typed = name.value.trim();
    if (members || (typed && typed !== name.dataset.saved)) {
      await post("/api/session/name", { name: typed || name.dataset.saved, ...(members ? { members } : {}) });
    }
    location.assign("/newsroom");
  });
});
