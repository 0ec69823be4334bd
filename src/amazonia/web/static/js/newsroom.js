/** The newsroom: what is new since last time, and «what now?». */
import { all, attempt, el, followTeam, kept, one, post, t, whereIs } from "./core.js";

const team = document.body.dataset.team ?? "";
const seen = new Set(/** @type {string[]} */ (kept.get(`seen:${team}`) ?? []));
for (const link of all("[data-key]")) {
  const key = link.dataset.key ?? "";
  if (!seen.has(key)) link.classList.add("new");
  link.addEventListener("click", () => { seen.add(key); kept.set(`seen:${team}`, [...seen].slice(-80)); });
}

// «Da última vez…» is for those who come back, not for those who come from the next page.
const recap = /** @type {HTMLElement | null} */ (document.querySelector("[data-recap]"));
try {
  if (recap && sessionStorage.getItem("amz:here")) recap.hidden = true;
  sessionStorage.setItem("amz:here", "1");
} catch { /* then it shows */ }
const last = kept.get(`last:${team}`);
if (recap && last) one("p", recap).prepend(`${t("recap_last", { name: last.name })} `);

const help = one(".help");
one("[data-hint]").addEventListener("click", () => attempt(help, async () => {
  const hint = await post("/api/hint");
  const box = one(".hint-text", help);
  box.hidden = false;
  if (!hint.text && !hint.name) { box.textContent = t("no_news"); return; }
  const heading = el("a", { href: whereIs(hint) }, hint.name || t("publish"));
  box.replaceChildren(hint.text || "", " ", ...(hint.kind ? ["→ ", heading] : []));
}));
followTeam();
