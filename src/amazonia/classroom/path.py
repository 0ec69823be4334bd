"""What one team did: its path, its tries, its editions and what it had to show for them.

Pure. The words are the case's own, in the language of the report.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from amazonia.classroom.times import ActiveTime
from amazonia.domain.case import Case, ChallengeId, Claim, ConfrontationId, Verdict
from amazonia.domain.publication import edition
from amazonia.domain.session import (
    ChallengeTried,
    ClueFound,
    Event,
    HintTaken,
    Published,
    RiddleTried,
    RoundTried,
    Spoken,
    State,
    Tries,
    apply,
    begin,
    holds,
    opens,
)
from amazonia.domain.words import CaseWords
from amazonia.ports.reports import Record

Kind = Literal["act", "character", "clue", "riddle", "challenge", "round", "edition"]
PROGRESS: frozenset[Kind] = frozenset({"clue", "riddle", "round", "edition"})
"""What ends a time of standing still."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a team reached.

    Attributes:
        minute: of its active time.
        at: seconds since 1970, by the server.
        waited: active minutes since the progress before; only where this is progress.
    """

    kind: Kind
    id: str
    name: str
    minute: float
    at: float
    waited: float | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """Tries at a riddle, a challenge or a round of a confrontation."""

    kind: Kind
    id: str
    name: str
    tries: int
    right: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """A claim that was published, with what the team had in hand for it at that moment.

    Attributes:
        evidence: titles of the clues found that support it.
        against: titles of the clues found that speak against it.
        lacked: what its proof still needed.
        why: what proved it, would have, or why it fails.
    """

    id: str
    text: str
    verdict: Verdict
    evidence: tuple[str, ...]
    against: tuple[str, ...]
    lacked: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Issue:
    """An edition that went out."""

    at: float
    minute: float
    ending: str
    headline: str
    verdict: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class TeamReport:
    """A team in the report.

    Attributes:
        minutes: of active time; gaps of over ten minutes are breaks and do not count.
        act: number of the act it came to, from 1.
        talks: pairs (character, questions asked).
        voices: who spoke how often: model, cache, scripted.
        pause: active minutes since its last progress, when the record ends.
        false_hopes: false clues found that were never refuted.
        state: where it stands.
    """

    id: str
    name: str
    members: int | None
    began: float
    ended: float
    minutes: float
    breaks: int
    act: int
    steps: tuple[Step, ...]
    tried: tuple[Tried, ...]
    talks: tuple[tuple[str, int], ...]
    voices: dict[str, int]
    hints: int
    issues: tuple[Issue, ...]
    pause: float
    false_hopes: tuple[str, ...]
    complaints: int
    flags: tuple[tuple[float, str], ...]
    state: State = field(repr=False)

    @property
    def clues(self) -> tuple[Step, ...]:
        """The clues found, in their order."""
        return tuple(step for step in self.steps if step.kind == "clue")

    @property
    def ending(self) -> Issue | None:
        """The newest edition."""
        return self.issues[-1] if self.issues else None

    @property
    def questions(self) -> int:
        """How many questions it asked."""
        return sum(n for _, n in self.talks)

    def of(self, kind: Kind) -> tuple[Tried, ...]:
        """Its tries of one kind."""
        return tuple(tried for tried in self.tried if tried.kind == kind)


def team_report(case: Case, words: CaseWords, record: Record) -> TeamReport:
    """What a team did."""
    moments = [
        record.joined_at,
        *(h.at for h in record.happened),
        *(q.at for q in record.questions),
    ]
    clock = ActiveTime(moments)
    walk = _Walk(case, words, clock)
    for happened in record.happened:
        walk.take(happened.at, happened.event)
    asked = Counter(question.character for question in record.questions)
    acts = [n for n, (_, when) in enumerate(case.acts, 1) if opens(case, walk.state, when)]
    return TeamReport(
        id=record.team_id,
        name=record.name,
        members=record.members,
        began=min(moments),
        ended=max(moments),
        minutes=clock.whole,
        breaks=clock.breaks,
        act=max(acts, default=1),
        steps=tuple(walk.steps),
        tried=tuple(_tried(case, words, walk.state)),
        talks=tuple(
            (words.characters[c].short, n) for c, n in asked.items() if c in case.characters
        ),
        voices=dict(Counter(question.source for question in record.questions if question.source)),
        hints=walk.hints,
        issues=tuple(walk.issues),
        pause=clock.whole - walk.last_progress,
        false_hopes=tuple(_false_hopes(case, words, walk.state)),
        complaints=record.complaints,
        flags=record.flags,
        state=walk.state,
    )


class _Walk:
    """The fold over a team's events that notes what each of them reached."""

    def __init__(self, case: Case, words: CaseWords, clock: ActiveTime) -> None:
        self.case = case
        self.words = words
        self.clock = clock
        self.state = begin(case)
        self.steps: list[Step] = []
        self.issues: list[Issue] = []
        self.hints = 0
        self.last_progress = 0.0
        self._acts = {name for name, when in case.acts if opens(case, self.state, when)}

    def take(self, at: float, event: Event) -> None:
        """Note what an event reached, and apply it."""
        before, self.state = self.state, apply(self.state, event)
        if isinstance(event, HintTaken):
            self.hints += 1
        for kind, id_, name in self._reached(before, event):
            self._step(kind, id_, name, at)
        if isinstance(event, Published):
            self._publish(at, event)
        if not isinstance(event, Spoken):  # most events are: what is said opens nothing by itself
            self._open_acts(at)

    def _open_acts(self, at: float) -> None:
        have = holds(self.case, self.state)
        for act, when in self.case.acts:
            if act not in self._acts and when.open(have):
                self._acts.add(act)
                self._step("act", act, self.words.acts[act].title, at)

    def _reached(self, before: State, event: Event) -> Iterator[tuple[Kind, str, str]]:
        words = self.words
        match event:
            case Spoken(who) if who not in before.said and who in words.characters:
                yield "character", who, words.characters[who].short
            case ClueFound(clue) if clue not in before.clues and clue in words.clues:
                yield "clue", clue, words.clues[clue].title
            case RiddleTried(riddle, True) if not before.solved(riddle) and riddle in words.riddles:
                yield "riddle", riddle, words.riddles[riddle].title
            case ChallengeTried(challenge, True) if (
                not before.challenges.get(challenge, Tries()).right
                and challenge in words.challenges
            ):
                yield "challenge", challenge, challenge_name(self.case, words, challenge)
            case RoundTried(confrontation, round_, True):
                if round_ not in before.won_rounds(confrontation):
                    key = f"{confrontation}/{round_}"
                    yield "round", key, round_name(self.case, words, confrontation, round_)
            case _:
                pass

    def _publish(self, at: float, event: Published) -> None:
        page = edition(self.case, self.words, self.state, event)
        sentences = tuple(self._sentences(event, page.verdicts.items(), page.debrief))
        minute = self.clock.until(at)
        self.issues.append(Issue(at, minute, event.ending, page.headline, page.verdict, sentences))
        self._step("edition", event.ending, page.headline, at)

    def _sentences(
        self,
        event: Published,
        verdicts: Iterable[tuple[str, Verdict]],
        told: Iterable[tuple[str, Verdict, str]],
    ) -> Iterator[Sentence]:
        clues, titles = self.case.clues, self.words.clues
        for (name, verdict), (text, _, why) in zip(verdicts, told, strict=True):
            found = [clue for clue in self.state.clues if clue in clues]
            yield Sentence(
                id=name,
                text=text,
                verdict=verdict,
                evidence=tuple(titles[c].title for c in found if name in clues[c].supports),
                against=tuple(titles[c].title for c in found if name in clues[c].against),
                lacked=tuple(self._lacked(self.case.publication.claims[name])),
                why=why,
            )

    def _lacked(self, claim: Claim) -> Iterator[str]:
        for atom in sorted(claim.needs.missing(holds(self.case, self.state))):
            yield name_of(self.words, atom)

    def _step(self, kind: Kind, id_: str, name: str, at: float) -> None:
        minute, waited = self.clock.until(at), None
        if kind in PROGRESS:
            waited, self.last_progress = minute - self.last_progress, minute
        self.steps.append(Step(kind, id_, name, minute, at, waited))


def name_of(words: CaseWords, atom: str) -> str:
    """What an atom of a gate is called; the atom itself if it has no name of its own."""
    titles: dict[str, str] = {
        **{clue: text.title for clue, text in words.clues.items()},
        **{riddle: text.title for riddle, text in words.riddles.items()},
        **{scene: text.title for scene, text in words.confrontations.items()},
    }
    return titles.get(atom, atom)


def challenge_name(case: Case, words: CaseWords, challenge: ChallengeId) -> str:
    """Who asks, and what: the last sentence of the prompt, before which the scene is set."""
    asked = re.split(r"(?<=[.!?:…])\s+", words.challenges[challenge].prompt.strip())[-1]
    return f"{words.characters[case.challenges[challenge].by].short}: {asked}"


def round_name(case: Case, words: CaseWords, name: ConfrontationId, round_: str) -> str:
    """Who stood by what in a round of a confrontation."""
    who = words.characters[case.confrontations[name].character].short
    return f"{who}: «{words.confrontations[name].rounds[round_].statement}»"


def _tried(case: Case, words: CaseWords, state: State) -> Iterator[Tried]:
    for riddle, tries in state.riddles.items():
        if riddle in case.riddles:
            yield Tried("riddle", riddle, words.riddles[riddle].title, tries.count, tries.right)
    for challenge, tries in state.challenges.items():
        if challenge in case.challenges:
            name = challenge_name(case, words, challenge)
            yield Tried("challenge", challenge, name, tries.count, tries.right)
    for scene in case.confrontations.values():
        for round_ in scene.rounds:
            if tried := state.rounds.get(key := f"{scene.id}/{round_}"):
                name = round_name(case, words, scene.id, round_)
                yield Tried("round", key, name, tried.count, tried.right)


def _false_hopes(case: Case, words: CaseWords, state: State) -> Iterator[str]:
    for clue in state.clues:
        falls = case.clues[clue].falls if clue in case.clues else None
        if falls is not None and not opens(case, state, falls):
            yield clue
