"""What lies on the desk: the last good version of a case, and what is wrong with the newest."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amazonia.content.check import Examination
from amazonia.content.library import Library
from amazonia.domain.case import (
    Case,
    CharacterId,
    ClueId,
    ConfrontationId,
    CounterId,
    Lang,
    RiddleId,
)
from amazonia.domain.director import direct
from amazonia.domain.lines import read
from amazonia.domain.session import State, Tries, atoms, begin, holds, play
from amazonia.domain.understanding import Listener
from amazonia.errors import BadCase, Finding

Json = dict[str, Any]
POLL = 0.5
"""Seconds between two looks at the files."""


@dataclass(frozen=True, slots=True)
class Good:
    """A version of the case that loads, with its ears."""

    case: Case
    listeners: dict[Lang, Listener]


@dataclass
class Desk:
    """Watches a case's folder; safe to ask from another thread.

    Attributes:
        good: the last version that could be loaded; None before the first.
        findings: what is wrong with the newest.
        state: reading, learning, proving or done.
        version: grows with every change of any of these.
        faulty: the newest version cannot be loaded, so the one before it is shown.
    """

    folder: Path
    cache: Path
    good: Good | None = None
    findings: list[Finding] = field(default_factory=list)
    state: str = "reading"
    version: int = 0
    faulty: bool = False
    _stamp: frozenset[tuple[str, int, int]] = frozenset()
    _closing: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look at the files until `close`."""
        while not self._closing.is_set():
            self.look()
            self._closing.wait(POLL)

    def close(self) -> None:
        """Let `watch` end."""
        self._closing.set()

    def look(self) -> None:
        """Read the case anew if a file changed since the last look."""
        stamp = self._files()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self._tell("reading", [])
        try:
            library = Library(self.folder.parent, self.cache)
            case = library.case(self.folder.name)
            self._tell("learning", [])
            ears = {lang: library.listener(case, lang) for lang in case.words}
        except (BadCase, OSError) as exc:
            self.faulty = True
            self._tell("done", list(exc.findings) if isinstance(exc, BadCase) else [])
            return
        self.good, self.faulty = Good(case, ears), False
        found: list[Finding] = []
        self._tell("proving", found)
        for _, more in Examination(library, self.folder.name).stages():
            found = [*found, *more]
            self._tell("proving", found)
            if self._closing.is_set() or self._files() != stamp:
                return
        self._tell("done", found)

    def _tell(self, state: str, findings: list[Finding]) -> None:
        self.state, self.findings = state, findings
        self.version += 1

    def _files(self) -> frozenset[tuple[str, int, int]]:
        found = set()
        for path in self.folder.rglob("*"):
            if path.suffix in {".yaml", ".svg", ".json"}:
                try:
                    stat = path.stat()
                except OSError:  # it is being replaced
                    continue
                found.add((str(path), stat.st_mtime_ns, stat.st_size))
        return frozenset(found)


# ── asking ──────────────────────────────────────────────────────────────────────────────────────


def state_of(case: Case, have: Iterable[str]) -> State:
    """A state in which these atoms hold, however a team may have come by them."""
    state = begin(case)
    clues = list(state.clues)
    riddles: dict[RiddleId, Tries] = {}
    rounds: dict[str, Tries] = {}
    counters: dict[CounterId, str] = {}
    depth: dict[str, int] = {}
    shown: set[tuple[CharacterId, ClueId]] = set()
    options = {f"{c.id}_{o}": (c.id, o) for c in case.counters.values() for o in c.options}
    for atom in have:
        if atom in case.clues and atom not in clues:
            clues.append(ClueId(atom))
        elif atom in case.riddles:
            riddles[RiddleId(atom)] = Tries(1, right=True)
        elif atom in case.confrontations:
            scene = case.confrontations[ConfrontationId(atom)]
            won = list(scene.rounds)[: scene.wins]
            rounds |= {f"{scene.id}/{name}": Tries(1, right=True) for name in won}
        elif atom in options:
            counter, option = options[atom]
            counters[CounterId(counter)] = option
        elif atom.startswith("mostra:"):
            _, who, clue = atom.split(":")
            shown.add((CharacterId(who), ClueId(clue)))
        elif "@" in atom:
            key, _, step = atom.partition("@")
            depth[key] = max(depth.get(key, 0), int(step))
    return State(
        clues=tuple(clues),
        origins=dict.fromkeys(clues, "start"),
        depth=depth,
        shown=frozenset(shown),
        counters=counters,
        riddles=riddles,
        rounds=rounds,
    )


def ask(good: Good, lang: Lang, asked: Json) -> Json:
    """What would be answered, and why.

    Args:
        asked: `{character, question, have, show?, seed?}`.

    Returns:
        the reading (decision, topics with scores, the words that decided, gates that are
        closed), the beat as it would be read, and what holds afterwards.

    Raises:
        KeyError: there is no such character.
    """
    case, words = good.case, good.case.words[lang]
    character = case.characters[CharacterId(asked["character"])]
    state = state_of(case, asked.get("have", ()))
    shown = ClueId(asked["show"]) if asked.get("show") in state.clues else None
    reading = good.listeners[lang].listen(character.id, str(asked["question"])[:500])
    seed = int(asked.get("seed", time.monotonic_ns() % 65536))
    beat = direct(case, words, state, character, reading, seed, shown)
    after = play(state, beat.events)
    have = holds(case, state)
    return {
        "decision": reading.decision,
        "smalltalk": reading.smalltalk,
        "topics": [
            {
                "id": topic,
                "score": score,
                "label": words.characters[character.id].topics[topic].label,
                "waits": sorted(character.topics[topic].when.missing(have)),
            }
            for topic, score in zip(reading.topics, reading.scores, strict=False)
        ],
        "why": [list(pair) for pair in reading.why],
        "kind": beat.kind,
        "gesture": beat.gesture,
        "lines": [read(words, character.id, line).text for line in beat.lines],
        "clues": list(beat.clues),
        "have": sorted(atoms(case, after)),
    }


def scene(good: Good, lang: Lang, given: Iterable[str]) -> Json:
    """What a team that holds these atoms finds open, with the words that it reads."""
    case, words = good.case, good.case.words[lang]
    have = holds(case, state_of(case, given))
    return {
        "title": words.title,
        "languages": list(case.words),
        "opening": list(words.opening),
        "characters": [
            {
                "id": c.id,
                "name": words.characters[c.id].short,
                "role": words.characters[c.id].role,
                "open": c.when.open(have),
                "waits": sorted(c.when.missing(have)),
                "greeting": words.characters[c.id].greeting[0],
                "locked": words.characters[c.id].locked,
                "topics": [
                    {
                        "id": t.id,
                        "open": t.when.open(have),
                        "waits": sorted(t.when.missing(have)),
                        "suggestion": words.characters[c.id].topics[t.id].suggestion,
                    }
                    for t in c.topics.values()
                ],
            }
            for c in case.characters.values()
        ],
        "clues": [
            {
                "id": c.id,
                "title": words.clues[c.id].title,
                "summary": words.clues[c.id].summary,
                "weight": c.weight,
                "held": have(c.id),
            }
            for c in case.clues.values()
        ],
        "riddles": [
            {
                "id": r.id,
                "title": words.riddles[r.id].title,
                "prompt": words.riddles[r.id].prompt,
                "open": r.when.open(have),
                "waits": sorted(r.when.missing(have)),
                "held": have(r.id),
            }
            for r in case.riddles.values()
        ],
        "confrontations": [
            {
                "id": c.id,
                "title": words.confrontations[c.id].title,
                "open": c.when.open(have),
                "waits": sorted(c.when.missing(have)),
                "held": have(c.id),
            }
            for c in case.confrontations.values()
        ],
        "answers": [
            {
                "id": f"{c.id}_{o}",
                "title": words.counters[c.id].options[o],
                "held": have(f"{c.id}_{o}"),
            }
            for c in case.counters.values()
            for o in c.options
        ],
        "publish": case.publication.when.open(have),
        "claims": [
            {
                "id": c.id,
                "text": words.publication.claims[c.id].text,
                "open": c.when.open(have),
                "proved": c.truth == "true" and c.needs.open(have),
                "truth": c.truth,
            }
            for c in case.publication.claims.values()
        ],
    }
