/** Opening a class, and coming back to one. */
import { attempt, one, post, t } from "./core.js";

/** @param {string} selector @param {(form: HTMLFormElement) => Promise<void>} action */
function onSubmit(selector, action) {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector(selector));
  form?.addEventListener("submit", (event) => { event.preventDefault(); attempt(form, () => action(form)); });
}

onSubmit("[data-open]", async (form) => {
  const told = Object.fromEntries(new FormData(form));
  const opened = await post("/api/classes", { ...told, hours: Number(told.hours) });
  // Shown once, on the next page; nowhere else.
  try { sessionStorage.setItem(`amz:keep:${opened.code}`, JSON.stringify(opened)); } catch { /* the page still opens */ }
  location.assign(`/class/${opened.code}`);
});

onSubmit("[data-enter]", async (form) => {
  const { code } = await post("/api/classes/enter", Object.fromEntries(new FormData(form)));
  location.assign(`/class/${code}`);
});

const door = /** @type {HTMLElement | null} */ (document.querySelector("[data-key]"));
if (door) {
  const key = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  attempt(door, async () => {
    try {
      location.replace(`/class/${(await post("/api/classes/enter", { key: key || "-" })).code}`);
    } catch (error) {
      one("[role=status]", door).hidden = true;
      throw error;
    }
  }).then(() => {
    const box = one(".error", door);
    if (!box.hidden) box.textContent = t("bad_link");
  });
}
if (location.hash === "#back") document.getElementById("code")?.focus();
