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
const asking = one("[data-hint]");
asking.addEventListener("click", () => attempt(help, async () => {
  const hint = await post("/api/hint");
  const box = one(".hint-text", help);
  box.hidden = false;
  if (!hint.kind) { box.textContent = t("hint_none"); return; }
  const where = el("a", { href: whereIs(hint) }, t(`hint_${hint.kind}`, { name: hint.name }));
  const more = hint.text ? t(hint.kind === "character" && hint.level < hint.levels ? "hint_subject" : "hint_line", { text: hint.text }) : "";
  box.replaceChildren(where, ...(more ? [el("br"), more] : []));
  if (hint.level < hint.levels && asking.lastChild) asking.lastChild.textContent = ` ${t("hint_more", { n: hint.level, most: hint.levels })}`;
  else asking.hidden = true;
}));
followTeam();
