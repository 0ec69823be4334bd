/** The interview: ask, listen, put on paper. */
import { all, announce, calm, el, kept, one, page, post, Refused, t, whereIs, words } from "./core.js";
import { Outbox } from "./turn.js";

const PACE = 350;
const IDLE = 1600;
const LONGEST = 500;
const team = document.body.dataset.team ?? "";
const character = String(page.character);
const transcript = one("[data-transcript]");
const form = /** @type {HTMLFormElement} */ (one("[data-ask]"));
const input = /** @type {HTMLTextAreaElement} */ (one("#question"));
const counter = one("#counter");
const errorBox = one("[data-error]");
const laidBox = one("[data-laid]");
const readings = one("[data-readings]");
const suggestBox = /** @type {HTMLDetailsElement} */ (one("[data-suggest]"));
const drawer = /** @type {HTMLDialogElement} */ (one("[data-drawer]"));
const outbox = new Outbox(team, character);
/** @type {{id: string, title: string, summary: string, question: string, kind: string}[]} */
const clues = page.clues;
/** @type {string | null} */
let laid = null;
let busy = false;
let eager = false;
let recalled = 0;

// ── the transcript ──────────────────────────────────────────────────────────────────────────────

const bottom = () => {
  transcript.scrollTop = transcript.scrollHeight;
  if (document.documentElement.scrollHeight > innerHeight) scrollTo(0, document.documentElement.scrollHeight);
};

/** @param {string} emotion */
function express(emotion) {
  one("[data-portrait] svg").setAttribute("data-expression", page.expressions[emotion] ?? "calm");
}

/** @param {string} message @param {string | null} show */
function question(message, show) {
  const line = el("p", { class: "asked" }, message);
  const clue = clues.find((c) => c.id === show);
  if (clue) line.append(" ", el("span", { class: "laid" }, clue.title));
  const turn = el("article", { class: "turn fresh" }, line);
  transcript.append(turn);
  bottom();
  return turn;
}

/** Shows a turn's events in their order, at a pace that can be read. */
class Reply {
  /** @param {HTMLElement} turn */
  constructor(turn) {
    this.turn = turn;
    this.answer = el("div", { class: "answer" });
    this.said = el("p", { class: "said" });
    this.waiting = el("p", { class: "waiting" });
    /** @type {[string, any][]} */
    this.queue = [];
    /** @type {Promise<void> | null} */
    this.playing = null;
    this.heard = false;
    this.idle = setTimeout(() => this.rest(), IDLE);
  }

  /** Waiting is never a blank: the character does something. */
  rest() {
    if (this.heard) return;
    const idle = /** @type {string[]} */ (page.idle);
    this.wait(idle.length ? `(${idle[Math.floor(Math.random() * idle.length)]})` : t("waiting", { name: page.name }));
  }

  /** @param {string} text */
  wait(text) {
    this.waiting.textContent = text;
    if (text) this.turn.append(this.waiting); else this.waiting.remove();
    bottom();
  }

  /** @param {string} kind @param {any} data */
  hear(kind, data) {
    if (kind === "queued") { if (!this.heard) this.wait(data.text); return; }
    if (kind === "sending") { this.wait(""); return; }
    this.queue.push([kind, data]);
    this.playing ??= this.play();
  }

  async play() {
    await null; // so that `playing` is set before it is cleared
    for (let next = this.queue.shift(); next; next = this.queue.shift()) {
      const before = performance.now();
      this.show(...next);
      bottom();
      if (next[0] === "sentence" && !calm.matches) {
        await new Promise((r) => { setTimeout(r, Math.max(0, PACE - (performance.now() - before))); });
      }
    }
    this.playing = null;
  }

  /** Until everything heard so far is shown. */
  async shown() { while (this.playing) await this.playing; }

  open() {
    if (this.heard) return;
    this.heard = true;
    clearTimeout(this.idle);
    this.waiting.remove();
    this.turn.append(this.answer);
  }

  /** @param {string} kind @param {any} data */
  show(kind, data) {
    switch (kind) {
      case "turn": this.turn.dataset.turn = data.turn_id; break;
      case "gesture":
        this.open();
        if (!this.answer.querySelector(".gesture")) this.answer.prepend(el("p", { class: "gesture" }, data.text));
        break;
      case "sentence":
        this.open();
        if (!this.said.isConnected) this.answer.append(this.said);
        this.said.append(this.said.childNodes.length ? " " : "", el("span", { class: "s" }, data.text));
        break;
      case "replace":
        this.open();
        if (!this.said.isConnected) this.answer.append(this.said);
        this.said.replaceChildren(el("span", { class: "s" }, data.text));
        break;
      case "clue": stamp(this.turn, data); break;
      case "counter": ask(data); break;
      case "unlock": unlocked(data); break;
      case "done": this.finish(data); break;
      default:
    }
  }

  /** @param {any} data */
  finish(data) {
    this.open();
    if (!this.said.isConnected) this.answer.append(this.said);
    if (this.said.textContent !== data.reply) this.said.textContent = data.reply;
    this.said.classList.add("done");
    this.answer.append(flag(data.turn_id));
    for (const clue of data.clues ?? []) { stamp(this.turn, clue); own(clue); }
    express(data.emotion);
    offer(data.readings ?? []);
    suggest(data.suggestions ?? []);
    kept.set(`last:${team}`, { id: character, name: page.name });
  }
}

/** @param {string} turnId */
function flag(turnId) {
  const button = el("button", { type: "button", class: "report", "data-report": turnId, title: t("report"), "aria-label": t("report") });
  button.append(one("[data-flag] svg").cloneNode(true));
  return button;
}

/** @param {HTMLElement} turn @param {any} clue */
function stamp(turn, clue) {
  if (turn.querySelector(`[data-stamp="${CSS.escape(clue.id)}"]`)) return;
  const link = el("a", { class: "stamped", href: `/notebook#${clue.id}`, "data-stamp": clue.id },
    el("span", { class: "stamped-k" }, t("stamped")), " ", el("strong", {}, clue.title));
  turn.append(el("p", { class: "stamp-line" }, link));
}

/** The drawer and the count know of a clue. @param {any} clue */
function own(clue) {
  if (clues.some((c) => c.id === clue.id)) return;
  const { id, title, summary = "", question: proposed = "" } = clue;
  clues.push({ id, title, summary, question: proposed, kind: "" });
  for (const count of all('[data-count="clues"]')) count.textContent = String(clues.length);
}

/** @param {{kind: string, id: string, name: string}} item */
function unlocked(item) {
  const key = item.kind === "challenge" ? `by ${item.name}` : item.id;
  if (transcript.querySelector(`.unlocked:not(.old)[data-unlock="${CSS.escape(key)}"]`)) return;
  const link = el("a", { href: whereIs(item) }, t(`news_${item.kind}`, { name: item.name }));
  transcript.append(el("p", { class: "unlocked", "data-unlock": key }, link));
}

/** A character asks the team. @param {{id: string, prompt: string, options: {id: string, text: string}[]}} asked */
function ask(asked) {
  if (transcript.querySelector(`[data-counter="${CSS.escape(asked.id)}"]`)) return;
  const card = el("section", { class: "counter-card", "data-counter": asked.id, "aria-label": t("counter_asks", { name: page.name }) });
  card.append(el("p", { class: "fine" }, t("counter_asks", { name: page.name })), el("p", { class: "q" }, asked.prompt));
  for (const option of asked.options) {
    const button = el("button", { type: "button", class: "chip" }, option.text);
    button.addEventListener("click", async () => {
      if (card.hasAttribute("aria-busy")) return;
      card.setAttribute("aria-busy", "true");
      try {
        const answer = await post(`/api/counter/${asked.id}`, { answer: option.id });
        const turn = question(option.text, null);
        turn.append(el("div", { class: "answer" }, el("p", { class: "said done" }, answer.reply)));
        for (const item of answer.unlocked ?? []) unlocked(item);
        card.remove();
        bottom();
        input.focus();
      } catch (error) {
        card.removeAttribute("aria-busy");
        fail(words(error));
      }
    });
    card.append(button);
  }
  transcript.append(card);
  bottom();
}

// ── asking ──────────────────────────────────────────────────────────────────────────────────────

/** @param {string} text */
function fail(text) {
  errorBox.textContent = text;
  errorBox.hidden = !text;
}

function measure() {
  const length = [...input.value].length;
  counter.textContent = `${length}/${LONGEST}`;
  counter.parentElement?.classList.toggle("near", length > LONGEST - 60);
  input.rows = 1;
  input.rows = Math.min(5, Math.max(1, Math.floor((input.scrollHeight - 12) / 26)));
  kept.set(`draft:${team}:${character}`, input.value || null);
}

/** @param {boolean} on */
function onAir(on) {
  busy = on;
  document.body.classList.toggle("on-air", on);
  one(".send").setAttribute("aria-disabled", String(on));
}

/** @param {import("./turn.js").Outgoing} turn @param {HTMLElement} entry */
async function converse(turn, entry) {
  const reply = new Reply(entry);
  document.body.classList.remove("caring");
  onAir(true);
  for (const notice of all(".unlocked", transcript)) notice.classList.add("old");
  fail("");
  offer([]);
  try {
    await outbox.run(turn, (kind, data) => reply.hear(kind, data));
    await reply.shown();
  } catch (error) {
    entry.remove();
    eager = false;
    if (error instanceof Refused && error.problem.type.endsWith("/care")) {
      transcript.append(el("article", { class: "turn care", role: "alert" }, el("h2", {}, error.problem.title), el("p", {}, error.message)));
      document.body.classList.add("caring"); // nothing lies over this, not even a teacher's slips
      bottom();
      return;
    }
    fail(words(error));
    if (!input.value) { input.value = turn.message; measure(); }
  } finally {
    clearTimeout(reply.idle);
    onAir(false);
  }
  if (eager) send(input.value);
}

/** @param {string} message */
function send(message) {
  const text = message.trim();
  eager = busy && text !== ""; // it goes out when the reply is finished
  if (!text || busy) return;
  if ([...text].length > LONGEST) { fail(t("too_long")); return; }
  const show = laid;
  input.value = "";
  recalled = 0;
  lay(null);
  measure();
  suggestBox.open = false;
  converse({ message: text, show, turn: null, at: Date.now() }, question(text, show));
}

form.addEventListener("submit", (event) => { event.preventDefault(); send(input.value); });
input.addEventListener("input", measure);
input.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    send(input.value);
  } else if (event.key === "ArrowUp" && (input.value === "" || recalled)) {
    const asked = all(".asked").map((p) => p.firstChild?.textContent?.trim() ?? "");
    if (recalled < asked.length) {
      event.preventDefault();
      recalled += 1;
      input.value = asked[asked.length - recalled];
      measure();
    }
  } else if (event.key.length === 1) recalled = 0;
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || document.querySelector("dialog[open]")) return;
  if (suggestBox.open) suggestBox.open = false; else location.assign("/newsroom");
});

// ── help: readings, suggestions, clues ──────────────────────────────────────────────────────────

/** @param {{label: string, text: string}[]} options */
function offer(options) {
  readings.replaceChildren(...options.map((option) => {
    const button = el("button", { type: "button", class: "chip" }, t("reading", { label: option.label }));
    button.addEventListener("click", () => send(option.text));
    return button;
  }));
  readings.hidden = !options.length;
}

/** @param {string[]} lines */
function suggest(lines) {
  one("[data-suggestions]").replaceChildren(...(lines.length
    ? lines.map((line) => el("li", {}, el("button", { type: "button", class: "chip" }, line)))
    : [el("li", { class: "fine" }, t("no_suggestion"))]));
}
one("[data-suggestions]").addEventListener("click", (event) => {
  if (event.target instanceof HTMLButtonElement) { suggestBox.open = false; send(event.target.textContent ?? ""); }
});

/** @param {string | null} id */
function lay(id) {
  const clue = clues.find((c) => c.id === id);
  laid = clue ? clue.id : null;
  laidBox.hidden = !clue;
  if (clue) one("span", laidBox).textContent = t("laid", { title: clue.title });
}
one("[data-unlay]").addEventListener("click", () => { lay(null); input.focus(); });

one("[data-open-drawer]").addEventListener("click", () => {
  one("[data-cards]", drawer).replaceChildren(...(clues.length ? clues.map((clue) => {
    const card = el("button", { type: "button", class: "evidence" },
      el("span", { class: "kind" }, clue.kind), el("strong", {}, clue.title), el("span", {}, clue.summary));
    card.addEventListener("click", () => {
      drawer.close();
      lay(clue.id);
      if (!input.value.trim() || clues.some((c) => c.question === input.value)) input.value = clue.question;
      measure();
      input.focus();
      input.select();
    });
    return card;
  }) : [el("p", { class: "quiet" }, t("no_clues"))]));
  drawer.showModal();
});

// ── reporting ───────────────────────────────────────────────────────────────────────────────────

const reporting = /** @type {HTMLDialogElement} */ (one("[data-reporting]"));
transcript.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-report]") : null;
  if (!(button instanceof HTMLElement)) return;
  reporting.dataset.turn = button.dataset.report;
  reporting.returnValue = "";
  reporting.showModal();
});
reporting.addEventListener("close", async () => {
  if (reporting.returnValue !== "send") return;
  const reason = new FormData(/** @type {HTMLFormElement} */ (one("[data-report-form]"))).get("reason");
  await post("/api/report", { turn_id: reporting.dataset.turn, reason }).then(() => {
    announce(t("reported"));
    const flagged = transcript.querySelector(`[data-report="${CSS.escape(reporting.dataset.turn ?? "")}"]`);
    flagged?.replaceWith(el("span", { class: "fine reported" }, t("reported")));
  }, (error) => fail(words(error)));
});

// ── arriving ────────────────────────────────────────────────────────────────────────────────────

/** A reload or a lost connection in the middle of a turn: go on where it was. */
function resume() {
  const entries = all("[data-turn]", transcript);
  const heard = (/** @type {HTMLElement} */ entry) => Boolean(entry.querySelector(".said.done"));
  const asked = (/** @type {HTMLElement} */ entry) => entry.querySelector(".asked")?.firstChild?.textContent?.trim() ?? "";
  const pending = outbox.pending;
  const entry = pending?.turn
    ? entries.find((e) => e.dataset.turn === pending.turn)
    : entries.slice(-1).find((e) => !heard(e) || (pending && asked(e) === pending.message && Date.now() - pending.at < 120000));
  if (entry && heard(entry)) { outbox.keep(null); return; }
  if (!entry && !pending) return;
  const turn = pending ?? { message: asked(/** @type {HTMLElement} */ (entry)), show: null, turn: null, at: Date.now() };
  if (entry) turn.turn = entry.dataset.turn ?? null;
  entry?.remove();
  converse(turn, question(turn.message, turn.show));
}

const latest = all("[data-emotion]", transcript).pop();
if (latest) one("[data-portrait] svg").setAttribute("data-expression", latest.dataset.emotion ?? "calm");
if (page.counter) ask(page.counter);
input.value = kept.get(`draft:${team}:${character}`) ?? "";
measure();
resume();
bottom();
if (matchMedia("(hover: hover)").matches) input.focus({ preventScroll: true });
