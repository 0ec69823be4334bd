/** The teacher's page: every team as it moves, and what can be done. */
import { all, announce, attempt, call, post, words } from "./core.js";
import { ago, bar, bars, code, counted, el, follow, left, now, one, put, room, t, teams } from "./class_words.js";

/** @typedef {import("./class_words.js").Team} Team */

const body = one("[data-teams] tbody");
const reader = /** @type {HTMLDialogElement} */ (one("[data-reader]"));
const URGENT = ["stuck", "idle", "held", "playing", "paused", "done", "ended", "removed"];
/** @type {Map<string, string>} */
const drawn = new Map();

/** @param {Record<string, unknown>} command */
async function command(command) {
  const box = one("[data-error]");
  box.hidden = true;
  try {
    await post(`/api/classes/${code}/commands`, command);
  } catch (error) {
    box.textContent = words(error);
    box.hidden = false;
    throw error;
  }
}

/** What a team is missing, in words. @param {any} missing */
function lacks(missing) {
  if (!missing) return "";
  const gives = missing.gives ? t("missing_gives", { gives: missing.gives }) : "";
  const key = missing.do === "chat" && missing.show ? "missing_show" : `missing_${missing.do}`;
  return t(key, { ...missing, gives, clues: (missing.clues ?? []).map((/** @type {string} */ c) => `«${c}»`).join(", ") });
}

/** @param {Team} team */
function row(team) {
  const mood = el("td", { "data-label": t("mood") }, el("b", { class: `mood is-${team.mood}` }, t(team.mood)));
  if (team.mood === "stuck") {
    const since = Math.max(1, Math.floor((now() - team.progressed_at) / 60));
    mood.append(el("span", { class: "fine" }, `${t("stuck_at", { n: since })} ${lacks(team.missing)}`));
  }
  const actions = el("td", { class: "actions" });
  for (const [key, doing] of /** @type {[string, string][]} */ ([["hint", "hint"], ["read", "read"], ["remove", "remove"]])) {
    if (team.mood === "removed" && key !== "read") continue;
    actions.append(el("button", { type: "button", class: key === "hint" ? "button small" : "link", "data-team": team.id, "data-act": doing, "aria-label": `${t(key)}: ${team.name}` }, t(key)));
  }
  const tr = el("tr", { class: `team is-${team.mood}`, "data-id": team.id },
    el("th", { scope: "row" }, team.name),
    el("td", { "data-label": t("act") }, bar(team.act, team.acts, team.acts), el("span", { class: "figure" }, `${team.act}/${team.acts}`)),
    el("td", { "data-label": t("clues") }, bar(team.clues, team.clues_total), el("span", { class: "figure" }, `${team.clues}/${team.clues_total}`)),
    el("td", { "data-label": t("who") }, team.who || t("nobody")),
    el("td", { "data-label": t("last") }, ago(team.last_at)), mood, actions);
  return tr;
}

function showTeams() {
  const sorted = [...teams.values()].sort((a, b) =>
    b.flags - a.flags || URGENT.indexOf(a.mood) - URGENT.indexOf(b.mood) || a.name.localeCompare(b.name));
  one("[data-teams]").hidden = !sorted.length;
  one("[data-none]").hidden = sorted.length > 0;
  sorted.forEach((team, at) => {
    const sketch = JSON.stringify([team, ago(team.last_at), team.mood === "stuck" && Math.floor(now() / 60)]);
    let tr = /** @type {HTMLElement | null} */ (body.querySelector(`[data-id="${team.id}"]`));
    if (!tr || drawn.get(team.id) !== sketch) {
      const focused = /** @type {HTMLElement | null} */ (tr?.contains(document.activeElement) ? document.activeElement : null);
      const fresh = row(team);
      if (tr) tr.replaceWith(fresh); else body.append(fresh);
      const again = focused && (fresh.querySelector(`[data-act="${focused.dataset.act}"]`) ?? fresh.querySelector("button"));
      if (again instanceof HTMLElement) again.focus();
      drawn.set(team.id, sketch);
      tr = fresh;
    }
    // Rows move only while nobody is on one of their buttons.
    if (body.children[at] !== tr && !body.contains(document.activeElement)) body.insertBefore(tr, body.children[at]);
  });
}

function showAlerts() {
  const marked = [...teams.values()].filter((team) => team.flags);
  const box = one("[data-alerts]");
  const sketch = marked.map((team) => team.id + team.flags).join();
  if (box.dataset.sketch === sketch) return;
  box.dataset.sketch = sketch;
  box.replaceChildren(...marked.map((team) => el("p", { class: "care-line" }, el("b", {}, t("care", { team: team.name })), " ",
    el("button", { type: "button", class: "button small", "data-team": team.id, "data-act": "read" }, t("read")), " ",
    el("button", { type: "button", class: "link", "data-team": team.id, "data-act": "seen" }, t("seen")))));
}

function showClass() {
  put(one("[data-count]"), counted());
  put(one("[data-left]"), left());
  const pause = one("[data-pause]");
  put(pause, t(room.paused ? "resume" : "pause"));
  pause.dataset.do = room.paused ? "resume" : "pause";
  put(one("[data-more]"), t(room.is_over ? "reopen" : "more_50"));
  for (const [key, value] of [["hold", room.held], ["voice", room.voice], ["lang", room.lang]]) {
    const select = /** @type {HTMLSelectElement | null} */ (document.querySelector(`[data-set="${key}"]`));
    if (select && document.activeElement !== select) select.value = value;
  }
  const log = one("[data-log]");
  const name = (/** @type {string} */ id) => teams.get(id)?.name ?? id;
  log.replaceChildren(...[...(room.commands ?? [])].reverse().map((c) => el("li", {},
    `${new Date(c.at * 1000).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" })} · ${t(`did_${c.kind}`, { ...c, team: name(c.team), voice: t(`voice_${c.voice}`) })}`)));
  showVote();
}

function showVote() {
  const vote = room.vote;
  one("[data-ask]").hidden = Boolean(vote);
  const form = one("[data-vote]");
  form.hidden = !vote;
  if (!vote) { form.dataset.vote = ""; return; }
  put(one("[data-vote-question]"), vote.question);
  const hands = one("[data-vote-hands]");
  if (form.dataset.vote !== vote.id) {
    form.dataset.vote = vote.id;
    hands.replaceChildren(...vote.options.map((/** @type {string} */ option, /** @type {number} */ i) => el("p", {},
      el("label", { for: `hands-${i}` }, t("hands", { option })), " ",
      el("input", { id: `hands-${i}`, type: "number", min: "0", max: "200", inputmode: "numeric", value: String(vote.hands[i]) }))));
    hands.append(el("div", { "data-tally": "" }));
  }
  one("[data-tally]", hands).replaceChildren(bars([t("vote"), ""], vote.options.map((/** @type {string} */ title, /** @type {number} */ i) => ({ title, value: vote.tally[i] })), Math.max(...vote.tally)));
  one("[data-do=vote_close]", form).hidden = !vote.is_open;
}

one("[data-vote-hands]").addEventListener("change", () => {
  const hands = all("input", one("[data-vote-hands]")).map((input) => Math.max(0, Number(/** @type {HTMLInputElement} */ (input).value) || 0));
  command({ do: "hands", hands }).catch(() => null);
});

const ask = /** @type {HTMLFormElement} */ (one("[data-ask]"));
ask.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(ask);
  attempt(ask, () => command({ do: "vote", question: form.get("question"), options: form.getAll("option").filter(Boolean) }));
});

/** @param {string} id */
async function read(id) {
  const team = await call(`/api/classes/${code}/teams/${id}`);
  put(one("#h-reader"), team.name);
  one("[data-reader-body]").replaceChildren(
    ...team.flags.map((/** @type {any} */ f) => el("p", { class: "care-line" }, el("b", {}, `${t(`care_${f.kind}`)}: `), `“${f.message}” · ${ago(f.at)}`)),
    el("p", {}, lacks(team.missing)),
    el("p", { class: "fine" }, t("resume_code", { code: team.resume_code })),
    ...(team.talk.length ? team.talk.map((/** @type {any} */ turn) => el("div", { class: "talk" },
      el("p", { class: "fine" }, `${turn.who} · ${ago(turn.at)}`), el("p", {}, el("b", {}, turn.message)), el("p", {}, turn.reply))) : [el("p", { class: "quiet" }, t("no_talk"))]));
  reader.showModal();
}

/** Asks a second time before what cannot be taken back. @param {HTMLElement} button @param {string} question */
function sure(button, question) {
  if (button.dataset.asked) return true;
  const label = button.textContent ?? "";
  button.dataset.asked = "1";
  button.textContent = question;
  setTimeout(() => { button.textContent = label; delete button.dataset.asked; }, 4000);
  return false;
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("button")) : null;
  if (!button) return;
  const { act, team = "" } = button.dataset;
  if (act === "read") read(team).catch((error) => announce(words(error)));
  else if (act === "remove" && sure(button, t("remove_sure"))) command({ do: "remove", team }).catch(() => null);
  else if (act === "hint") command({ do: "hint", team }).then(() => announce(t("sent")), () => null);
  else if (act === "seen") command({ do: "seen", team }).catch(() => null);
  else if (button.dataset.do && (!button.dataset.sure || sure(button, button.dataset.sure))) {
    command({ do: button.dataset.do, minutes: Number(button.dataset.minutes ?? 0) }).then(() => { if (button.dataset.do === "hint") announce(t("sent")); }, () => null);
  }
});

for (const select of all("[data-set]")) {
  select.addEventListener("change", () => {
    const { value, dataset } = /** @type {HTMLSelectElement} */ (select);
    const name = dataset.set ?? "";
    command({ do: name, [name === "hold" ? "act" : name]: value }).catch(() => null);
  });
}

one("[data-play]").addEventListener("click", async () => {
  await post("/api/session", { class_code: code }).then(() => location.assign("/opening"), (error) => announce(words(error)));
});

/** @param {{teacher_url: string, recovery_code: string}} told */
function keep(told) {
  one("[data-keep]").hidden = false;
  /** @type {HTMLInputElement} */ (one("#key")).value = told.teacher_url;
  one("[data-recovery]").textContent = told.recovery_code;
}
one("[data-renew]").addEventListener("click", () => post(`/api/classes/${code}/renew`).then((told) => { keep(told); one("[data-keep]").scrollIntoView(); }, (error) => announce(words(error))));
one("[data-copy]").addEventListener("click", async () => {
  const input = /** @type {HTMLInputElement} */ (one("#key"));
  input.select();
  await navigator.clipboard?.writeText(input.value).then(() => announce(t("copied")), () => null);
});
one("[data-print]").addEventListener("click", () => print());
one("[data-kept]").addEventListener("click", () => {
  try { sessionStorage.removeItem(`amz:keep:${code}`); } catch { /* nothing was kept */ }
  one("[data-keep]").hidden = true;
});
try {
  const told = JSON.parse(sessionStorage.getItem(`amz:keep:${code}`) ?? "null");
  if (told) keep(told);
} catch { /* then it is not shown */ }

follow(() => { showTeams(); showAlerts(); showClass(); });
showClass();
