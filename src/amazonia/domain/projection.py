"""What a team may see: one projection for the pages, the API and the events.

Nothing locked is in it. Ids of things whose names would tell (claims, options, rounds, reasons,
confrontations) are codes, and the order of options is the team's own: see `Codes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2s
from typing import Any

from amazonia.domain.case import Case, Challenge, Character, Clue, ClueId, Confrontation, Riddle
from amazonia.domain.confrontation import open_rounds
from amazonia.domain.director import suggestions
from amazonia.domain.errors import BadAnswer, Unknown
from amazonia.domain.gates import Gate, Holds
from amazonia.domain.publication import edition, is_open, listed_claims
from amazonia.domain.riddles import Answer, explanation, is_listed
from amazonia.domain.session import State, Tries, holds, is_won
from amazonia.domain.words import CaseWords

Json = dict[str, Any]


# ── ids for players ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Codes:
    """Translates between inner ids and the codes that players see.

    Attributes:
        team: its id; decides the order in which options are listed.
    """

    case: Case
    team: str

    def listing(self, kind: str, names: Iterable[str]) -> list[tuple[str, str]]:
        """Pairs (code, inner id) in the team's own order."""
        pairs = [(self.case.code(kind, name), name) for name in names]
        return sorted(pairs, key=lambda pair: self._rank(kind, pair[0]))

    def inner(self, kind: str, code: str, names: Iterable[str]) -> str:
        """The inner id behind a code.

        Raises:
            Unknown: none of `names` has this code.
        """
        for name in names:
            if self.case.code(kind, name) == code:
                return name
        raise Unknown(kind.partition(":")[0], code)

    def _rank(self, kind: str, code: str) -> bytes:
        return blake2s(f"{self.team}/{kind}/{code}".encode(), digest_size=8).digest()


def riddle_answer(codes: Codes, riddle: Riddle, answer: object) -> Answer:
    """A player's answer in inner ids.

    Raises:
        BadAnswer: an id in it is none of the riddle's, or its shape is unknown.
    """
    try:
        match answer:
            case str():
                return codes.inner(f"option:{riddle.id}", answer, riddle.options)
            case list():
                kind = f"piece:{riddle.id}"
                return [codes.inner(kind, str(piece), riddle.pieces) for piece in answer]
            case {"clues": list(clues), "union": str(union), **rest} if not rest:
                names = [name for name, _ in riddle.unions]
                return {"clues": clues, "union": codes.inner(f"union:{riddle.id}", union, names)}
    except Unknown as exc:
        raise BadAnswer(f"'{exc.name}' is none of the riddle's ids; see /api/state") from exc
    raise BadAnswer("answer must be an option id, a list of ids, or {clues, union}")


# ── the state ───────────────────────────────────────────────────────────────────────────────────


def state_view(case: Case, words: CaseWords, state: State, team: str) -> Json:
    """Everything that `GET /api/state` shows, but the version."""
    view = _View(case, words, state, Codes(case, team), holds(case, state))
    return view.everything()


def news(case: Case, words: CaseWords, before: State, after: State) -> list[Json]:
    """What opened between two states: `{kind, id, name}` each."""
    was, now = holds(case, before), holds(case, after)

    def fresh(gate: Gate) -> bool:
        return gate.open(now) and not gate.open(was)

    def item(kind: str, id_: str, name: str) -> Json:
        return {"kind": kind, "id": id_, "name": name}

    return [
        *(
            item("character", c.id, words.characters[c.id].short)
            for c in case.characters.values()
            if fresh(c.when)
        ),
        *(
            item("riddle", r.id, words.riddles[r.id].title)
            for r in case.riddles.values()
            if fresh(r.when)
        ),
        *(
            item("challenge", c.id, words.characters[c.by].short)
            for c in case.challenges.values()
            if is_listed(case, now, c) and not is_listed(case, was, c)
        ),
        *(
            item(
                "confrontation", case.code("confrontation", c.id), words.confrontations[c.id].title
            )
            for c in case.confrontations.values()
            if fresh(c.when)
        ),
        *([item("publication", "publication", "")] if fresh(case.publication.when) else []),
    ]


def clue_view(case: Case, words: CaseWords, state: State, clue: Clue) -> Json:
    """A clue that the team owns."""
    text = words.clues[clue.id]
    refuted = clue.falls is not None and clue.falls.open(holds(case, state))
    document = text.document
    return {
        "id": clue.id,
        "title": text.title,
        "summary": text.summary,
        "found": text.found,
        "source": text.source_line,
        "question": text.question,
        "basis": clue.basis,
        "refuted": refuted,
        "falls": text.falls if refuted else "",
        "shown_to": sorted(who for who, what in state.shown if what == clue.id),
        "document": {
            "type": clue.document,
            "heading": document.heading,
            "rows": [list(row) for row in document.rows],
            "body": list(document.body),
            "stamp": document.stamp,
            "note": document.note,
            "folded": document.folded,
            "alt": document.alt,
        },
    }


def clue_note(case: Case, words: CaseWords, state: State, clue: Clue) -> Json:
    """A clue as a reply mentions it: without its document, which the state holds."""
    view = clue_view(case, words, state, clue)
    del view["document"]
    return view


def counter_view(case: Case, words: CaseWords, state: State, team: str) -> Json | None:
    """The counter-question that waits for an answer, if one does."""
    codes = Codes(case, team)
    for counter_id, answer in state.counters.items():
        if not answer and counter_id in case.counters:
            counter, text = case.counters[counter_id], words.counters[counter_id]
            options = codes.listing(f"option:{counter_id}", counter.options)
            return {
                "id": counter_id,
                "by": counter.by,
                "prompt": text.prompt,
                "options": [{"id": code, "text": text.options[name]} for code, name in options],
            }
    return None


@dataclass(frozen=True, slots=True)
class _View:
    case: Case
    words: CaseWords
    state: State
    codes: Codes
    have: Holds

    def everything(self) -> Json:
        case, words, state = self.case, self.words, self.state
        act = [name for name, gate in case.acts if self._open(gate)][-1]
        return {
            "case": case.id,
            "title": words.title,
            "act": {"id": act, "title": words.acts[act].title, "line": words.acts[act].line},
            "clock": clock(case, state),
            "characters": [self._character(c) for c in case.characters.values()],
            "clues": [self._clue(c) for c in state.clues if c in case.clues],
            "clues_total": len(case.clues),
            "links": [self._link(pair) for pair in sorted(map(sorted, state.links))],
            "riddles": [self._riddle(r) for r in case.riddles.values() if self._open(r.when)],
            "challenges": [
                self._challenge(c)
                for c in case.challenges.values()
                if is_listed(case, self.have, c)
            ],
            "slips": self._slips(),
            "confrontations": [
                self._confrontation(c) for c in case.confrontations.values() if self._open(c.when)
            ],
            "counter": counter_view(case, words, state, self.codes.team),
            "publication": self._publication() if is_open(case, state) else None,
            "ending": self._ending(),
            "marks": self._marks(),
        }

    def _open(self, gate: Gate) -> bool:
        return gate.open(self.have)

    def _character(self, character: Character) -> Json:
        text = self.words.characters[character.id]
        is_open_ = self._open(character.when)
        view: Json = {
            "id": character.id,
            "name": text.name,
            "short": text.short,
            "role": text.role,
            "subject": text.subject,
            "place": character.place,
            "locked": not is_open_,
            "reason": "" if is_open_ else text.locked,
            "about": text.about if is_open_ else "",
            "met": character.id in self.state.said,
            "suggestions": [],
        }
        if is_open_:
            topics = suggestions(
                self.case, self.state, character, salt=len(self.state.said.get(character.id, ()))
            )
            view["suggestions"] = [text.topics[t].suggestion for t in topics]
        return view

    def _clue(self, clue: ClueId) -> Json:
        return clue_view(self.case, self.words, self.state, self.case.clues[clue])

    def _link(self, pair: Sequence[str]) -> Json:
        left, right = (ClueId(name) for name in pair)
        links = (self.words.clues[left].links.get(right), self.words.clues[right].links.get(left))
        text = next((line for line in links if line), "")
        return {"clues": [left, right], "firm": bool(text), "text": text}

    def _options(self, kind: str, names: Iterable[str], texts: Mapping[str, str]) -> list[Json]:
        return [{"id": c, "text": texts[n]} for c, n in self.codes.listing(kind, names)]

    def _riddle(self, riddle: Riddle) -> Json:
        text = self.words.riddles[riddle.id]
        tries = self.state.riddles.get(riddle.id, Tries())
        taken = self.state.hints.get(riddle.id, 0)
        view: Json = {
            "id": riddle.id,
            "type": riddle.type,
            "title": text.title,
            "intro": text.intro,
            "prompt": text.prompt,
            "solved": tries.right,
            "tries": tries.count,
            "hints": list(text.hints[:taken]),
            "hints_left": len(text.hints) - taken,
            "explanation": "",
            "opens": "",
            "options": self._options(f"option:{riddle.id}", riddle.options, text.options),
        }
        if tries.right:
            view["explanation"] = explanation(self.case, self.words, self.state, riddle)
            view["opens"] = text.opens
            view["facts"] = self._facts(riddle.facts)
        view.update(self._riddle_pieces(riddle))
        return view

    def _riddle_pieces(self, riddle: Riddle) -> Json:
        """What only some types of riddles have."""
        text, kind = self.words.riddles[riddle.id], f"piece:{riddle.id}"
        match riddle.type:
            case "order":
                return {
                    "items": self._shuffled(riddle, self._options(kind, riddle.pieces, text.items))
                }
            case "measure" if text.table:
                rows = [list(row) for row in text.table.rows]
                return {"table": {"columns": list(text.table.columns), "rows": rows}}
            case "map":
                code = self.case.code
                layers = [
                    {"id": code(kind, n), "layer": n, "text": text.layers[n]} for n in riddle.pieces
                ]
                return {"layers": layers, "parts": self._parts(riddle)}
            case "timeline":
                code = self.case.code
                records = [
                    {
                        "id": code(kind, n),
                        "when": text.records[n].when,
                        "text": text.records[n].text,
                    }
                    for n in riddle.pieces
                ]
                return {"records": records, "parts": self._parts(riddle)}
            case "link":
                unions = [name for name, gate in riddle.unions if self._open(gate)]
                texts = self._options(f"union:{riddle.id}", unions, text.unions)
                return {"unions": texts, "pick": riddle.pick}
        return {}

    def _shuffled(self, riddle: Riddle, items: list[Json]) -> list[Json]:
        """Pieces to be put in order; never in the right one already."""
        right = [self.case.code(f"piece:{riddle.id}", name) for name in riddle.answer]
        return items[1:] + items[:1] if [item["id"] for item in items] == right else items

    def _parts(self, riddle: Riddle) -> dict[str, list[str]]:
        """Option code → codes of the layers or records that it means."""
        code, kind = self.case.code, f"piece:{riddle.id}"
        return {
            code(f"option:{riddle.id}", option): [
                code(kind, p) for p in riddle.pieces if p in parts
            ]
            for option, parts in riddle.parts.items()
        }

    def _challenge(self, challenge: Challenge) -> Json:
        text = self.words.challenges[challenge.id]
        tries = self.state.challenges.get(challenge.id, Tries())
        kind = f"option:{challenge.id}"
        return {
            "id": challenge.id,
            "by": challenge.by,
            "prompt": text.prompt,
            "options": self._options(kind, challenge.options, text.options),
            "solved": tries.right,
            "tries": tries.count,
            "explanation": text.explanation if tries.right else "",
            "answer": self.case.code(kind, challenge.answer) if tries.right else "",
            "facts": self._facts(challenge.facts) if tries.right else [],
            "bncc": challenge.bncc,
        }

    def _slips(self) -> list[Json]:
        """The hint slips in the radio's letterbox, oldest first."""
        return [
            {
                "id": name,
                "text": self.words.challenges[name].slip,
                "signed": self.words.challenges[name].signed,
            }
            for name, tries in self.state.challenges.items()
            if tries.right and name in self.case.challenges
        ]

    def _confrontation(self, confrontation: Confrontation) -> Json:
        text = self.words.confrontations[confrontation.id]
        won = self.state.won_rounds(confrontation.id)
        over = is_won(confrontation.wins, self.state, confrontation.id)
        rounds = []
        for round_ in open_rounds(self.case, self.state, confrontation):
            spoken = text.rounds[round_.id]
            path = f"{confrontation.id}/{round_.id}"
            reasons = [r.id for r in round_.reasons if self._open(r.when)]
            rounds.append(
                {
                    "id": self.case.code(f"round:{confrontation.id}", round_.id),
                    "statement": spoken.statement,
                    "pick": round_.pick,
                    "reasons": self._options(f"reason:{path}", reasons, spoken.reasons),
                    "won": round_.id in won,
                    "tries": self.state.rounds.get(path, Tries()).count,
                    "reply": spoken.won if round_.id in won else "",
                }
            )
        return {
            "id": self.case.code("confrontation", confrontation.id),
            "with": confrontation.character,
            "title": text.title,
            "intro": text.intro,
            "rounds": rounds,
            "needs": confrontation.wins,
            "won": over,
            "closing": text.won if over else "",
            "right_of_reply": text.right_of_reply if over else "",
            "resting": text.resting,
        }

    def _publication(self) -> Json:
        case, text = self.case, self.words.publication
        claims = [c.id for c in listed_claims(case, self.state)]
        decisions = [d for d in case.publication.decisions.values() if self._open(d.when)]
        return {
            "intro": text.intro,
            "claims": self._options("claim", claims, {n: text.claims[n].text for n in claims}),
            "decisions": [
                {
                    "id": case.code("decision", d.id),
                    "prompt": text.decisions[d.id].prompt,
                    "options": self._options(
                        f"decision:{d.id}", d.options, text.decisions[d.id].options
                    ),
                }
                for d in decisions
            ],
            "editions": len(self.state.editions),
        }

    def _ending(self) -> Json | None:
        if not self.state.editions:
            return None
        return edition_view(self.case, self.words, self.state)

    def _marks(self) -> list[str]:
        """The marks that the map has gained."""
        return [name for name, gate in self.case.marks.items() if self._open(gate)]

    def _facts(self, facts: Iterable[str]) -> list[Json]:
        return [
            fact_view(self.case, self.words, fact) for fact in facts if fact in self.case.sources
        ]


def fact_view(case: Case, words: CaseWords, fact: str) -> Json:
    """A real-world fact, translated if it can be, with its source."""
    source = case.sources[fact]
    return {
        "id": source.id,
        "statement": words.facts.get(fact, source.statement),
        "source": source.source,
        "url": source.url,
        "confidence": source.confidence,
        "skill": source.skill,
    }


def edition_view(case: Case, words: CaseWords, state: State) -> Json:
    """The newest edition: the front page, what was proved and what was not, the debrief."""
    published = state.editions[-1]
    page = edition(case, words, state, published)
    return {
        "ending": case.code("ending", page.ending),
        "best": page.ending == case.publication.best,
        "headline": page.headline,
        "deck": page.deck,
        "text": list(page.text),
        "verdict": page.verdict,
        "missing": list(page.missing),
        "claims": [{"text": t, "verdict": v, "why": why} for t, v, why in page.debrief],
        "debrief": list(words.debrief),
        "second_edition": words.publication.second_edition,
        "edition": len(state.editions),
    }


def clock(case: Case, state: State) -> str:
    """The hour in the newsroom, ``8h40``: later with every riddle, confrontation and needed clue.

    It never runs by itself: a slow team loses no time.
    """
    have = holds(case, state)
    milestones = [*case.riddles, *case.confrontations, *case.guarded_clues]
    reached = sum(1 for name in milestones if have(name) and name not in case.start)
    start, end = case.clock
    total = max(1, sum(1 for name in milestones if name not in case.start))
    now = end if state.editions else start + (end - start - 10) * reached // total
    return hour(now // 5 * 5)


def hour(minutes: int) -> str:
    """Minutes since midnight as an hour of the story, ``8h40``."""
    return f"{minutes // 60}h{minutes % 60:02d}"
