/** What a projector shows: the code, the class's board, a vote. */
import { all, call } from "./core.js";
import { bars, code, counted, follow, left, many, one, put, room, t } from "./class_words.js";

let tab = "join";
let looked = 0;

/** @param {string} name */
function open(name) {
  tab = name;
  for (const panel of all("[data-panel]")) panel.hidden = panel.dataset.panel !== name;
  for (const button of all("[data-tab]")) button.setAttribute("aria-pressed", String(button.dataset.tab === name));
  looked = 0;
  show();
}

async function board() {
  if (Date.now() - looked < 3000) return;
  looked = Date.now();
  const found = await call(`/api/classes/${code}/board`);
  one("[data-board]").replaceChildren(bars([t("clue"), t("teams")],
    found.clues.map((/** @type {any} */ clue) => ({ title: clue.title, value: clue.teams })), found.teams));
  put(one("[data-hidden]"), t("hidden", { n: found.total - found.clues.length }));
}

function vote() {
  const vote = room.vote;
  put(one("[data-vote-question]"), vote ? vote.question : t("no_vote"));
  one("[data-vote-bars]").replaceChildren(...(vote ? [bars([t("vote"), ""],
    vote.options.map((/** @type {string} */ title, /** @type {number} */ i) => ({ title: `${String.fromCharCode(65 + i)} · ${title}`, note: many("votes", vote.tally[i]), value: vote.tally[i] })),
    Math.max(1, ...vote.tally))] : []));
}

/** @type {string | undefined} */
let shown;

function show() {
  put(one("[data-count]"), counted());
  put(one("[data-state]"), `${room.paused ? `${t("paused")} · ` : ""}${left()}`);
  if (room.vote?.id !== shown) {
    const is_new = room.vote && room.vote.id !== shown;
    shown = room.vote?.id;
    if (is_new && tab !== "vote") { open("vote"); return; }
  }
  if (tab === "board") board().catch(() => null);
  if (tab === "vote") vote();
}

for (const button of all("[data-tab]")) button.addEventListener("click", () => open(button.dataset.tab ?? "join"));
one("[data-full]").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen(); else document.documentElement.requestFullscreen?.().catch(() => null);
});
follow(show);
show();
