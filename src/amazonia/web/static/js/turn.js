/** One turn: sent once whatever the network does, followed over its event stream, resumable. */
import { call, kept, post, Refused, t, Unreachable } from "./core.js";

/** @typedef {{message: string, show: string | null, turn: string | null, at: number}} Outgoing */
/** @typedef {(kind: string, data: any) => void} Listener */

const KINDS = ["turn", "gesture", "sentence", "replace", "clue", "counter", "unlock", "done"];
const wait = (/** @type {number} */ ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Keeps what was typed until its answer is on the page. */
export class Outbox {
  /** @param {string} team @param {string} character */
  constructor(team, character) {
    this.key = `turn:${team}:${character}`;
    this.character = character;
  }

  /** The question under way, if there is one. @returns {Outgoing | null} */
  get pending() { return kept.get(this.key); }

  /** @param {Outgoing | null} turn */
  keep(turn) { kept.set(this.key, turn); }

  /**
   * Send a question until the server has it, and follow its turn to the end.
   * @param {Outgoing} turn @param {Listener} hear
   */
  async run(turn, hear) {
    this.keep(turn);
    if (!turn.turn) {
      turn.turn = await this.send(turn, hear);
      this.keep(turn);
    }
    await follow(turn.turn, hear);
    this.keep(null);
  }

  /** @param {Outgoing} turn @param {Listener} hear @returns {Promise<string>} */
  async send(turn, hear) {
    const body = { entity_id: this.character, message: turn.message, ...(turn.show ? { show: turn.show } : {}) };
    for (let tries = 0; ; tries += 1) {
      try {
        return (await post("/api/chat", body, { Prefer: "respond-async" })).turn_id;
      } catch (error) {
        if (error instanceof Unreachable) {
          hear("queued", { text: t("queued") });
          await network(Math.min(15000, 1000 * 2 ** tries));
        } else if (error instanceof Refused && [423, 429, 503].includes(error.problem.status)) {
          hear("queued", { text: error.problem.status === 423 ? error.message : t("slow_down") });
          await wait(1000 * Math.max(1, error.problem.retry));
        } else {
          this.keep(null);
          throw error;
        }
        hear("sending", {});
      }
    }
  }
}

/** Wait for the network to come back, or a while. @param {number} ms */
function network(ms) {
  return new Promise((resolve) => {
    const go = () => { removeEventListener("online", go); clearTimeout(timer); resolve(null); };
    const timer = setTimeout(go, ms);
    addEventListener("online", go);
  });
}

/**
 * Follow a turn's events to `done`. The browser reconnects by itself and says where it was.
 * @param {string} id @param {Listener} hear @returns {Promise<void>}
 */
function follow(id, hear) {
  return new Promise((resolve, reject) => {
    const source = new EventSource(`/api/turns/${encodeURIComponent(id)}/events`);
    const end = () => { source.close(); resolve(); };
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        const data = JSON.parse(/** @type {MessageEvent} */ (event).data);
        hear(kind, data);
        if (kind === "done") end();
      });
    }
    source.addEventListener("error", async () => {
      if (source.readyState !== EventSource.CLOSED) {
        hear("queued", { text: navigator.onLine ? "" : t("offline") });
        return;
      }
      // The stream is over or gone for good: take the whole reply.
      for (;;) {
        try {
          const turn = await call(`/api/turns/${encodeURIComponent(id)}`);
          if (turn.status === "done") { hear("done", turn); end(); return; }
          await wait(700);
        } catch (error) {
          if (!(error instanceof Unreachable)) { reject(error); return; }
          await network(3000);
        }
      }
    });
  });
}
