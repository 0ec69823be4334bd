"""Understanding a question: which topic of this character is meant, or none, or not sure.

A linear model over the features of `amazonia.domain.language`, one a character, whose weights are
learned when the case is compiled (`amazonia.content.training`). No language model takes part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, sqrt
from typing import Literal

from amazonia.domain.case import CharacterId, TopicId
from amazonia.domain.language import Reader, squeeze
from amazonia.domain.table import Table

Decision = Literal["answer", "unsure", "smalltalk", "out"]

OUT = "~out"
"""The class of what is nobody's topic; the other classes with `~` are kinds of small talk, and
`~josue` is the class of what another character (josue) would know."""

ASIDE = "~:"
"""`~:name` is the class of a character's aside `name`."""

_CLAUSE_END = re.compile(r"[?!.;…]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a question was understood to mean.

    Attributes:
        topics: best first, at most three, whatever the decision.
        scores: their probabilities.
        likely: for «unsure»: the first topic is what was meant unless a clue hangs on it.
        double: the question is about the first two topics at once.
        smalltalk: the kind of small talk.
        redirect: the character who would know better.
        aside: what is no topic, but this character has an answer to.
        about_clue: the question is just «what is this?» about a shown clue.
        follows: the question only makes sense after what was spoken about last.
        why: the features that spoke most for the first topic, with their weights.
    """

    decision: Decision
    topics: tuple[TopicId, ...] = ()
    scores: tuple[float, ...] = ()
    likely: bool = False
    double: bool = False
    smalltalk: str = ""
    redirect: CharacterId | None = None
    aside: str = ""
    about_clue: bool = False
    follows: bool = False
    why: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How sure is sure. Probabilities, chosen on questions kept apart for it (bench/director)."""

    scope: float = 0.2
    """Below this chance of any topic the question is out of scope."""
    answer: float = 0.27
    """The first topic needs this chance to be answered at once."""
    clue: float = 0.76
    """The same where answering would award a clue."""
    alone: float = 0.7
    """Enough for a clue where no other topic has a chance of more than `rival`: clues are won by
    mistake where two topics are near each other, not where the question may be out of scope."""
    rival: float = 0.05
    """See `alone`."""
    lead: float = 1.4
    """The first topic must be this many times likelier than the second."""
    follow: float = 1.5
    """What a short question gains for the topic spoken about last (log odds)."""
    carry: float = 1.5
    """What it gains more when it starts as a sentence that carries on («e», «mas», «só»)."""
    double: float = 0.6
    """Each of two clauses needs this chance for two topics to be answered in one turn."""


DEFAULT = Thresholds()
CHOSEN = {"en": Thresholds(clue=0.8, alone=0.8)}
"""Languages whose own questions asked for other thresholds than the first one's."""


Row = tuple[Sequence[int], Sequence[float]]
"""The classes that a feature speaks for or against, and how much for each."""


@dataclass(frozen=True, slots=True)
class Ear:
    """A character's trained model, in flat arrays, which may lie in a file mapped into memory.

    Attributes:
        classes: topics, then small talk, other characters and `OUT`, each with `~`.
        places: feature → its number; one table serves all ears of a listener.
        idf: by a feature's number, its weight in a text; 0 where this ear does not know it.
        starts: by a feature's number, where its row starts; one more tells where the last ends.
        indexes: class indexes of all rows, one byte each.
        weights: as many weights.
        bias: a weight for each class.
        awarding: topics in which some step awards a clue.
    """

    classes: tuple[str, ...]
    places: Table
    idf: memoryview[float]
    starts: memoryview[int]
    indexes: memoryview[int]
    weights: memoryview[float]
    bias: Sequence[float]
    awarding: frozenset[str]

    def knows(self, feature: str) -> bool:
        """Whether a feature has any weight here."""
        place = self.places.get(feature)
        return place is not None and self.idf[place] > 0

    def row(self, place: int) -> Row:
        """What the feature of a number speaks for; empty where this ear does not know it."""
        start, end = self.starts[place], self.starts[place + 1]
        return self.indexes[start:end].tolist(), self.weights[start:end].tolist()

    def probabilities(self, features: Iterable[str], bonus: Mapping[str, float]) -> list[float]:
        """The chance of each class, given a text's features."""
        places, idf = self.places, self.idf
        known = [(p, idf[p]) for f in features if (p := places.get(f)) is not None and idf[p]]
        norm = sqrt(sum(v * v for _, v in known)) or 1.0
        scores = list(self.bias)
        for place, value in known:
            value /= norm
            for index, weight in zip(*self.row(place), strict=True):
                scores[index] += weight * value
        for name, extra in bonus.items():
            scores[self.classes.index(name)] += extra
        top = max(scores)
        odds = [exp(score - top) for score in scores]
        total = sum(odds)
        return [o / total for o in odds]

    def reasons(self, features: Iterable[str], name: str) -> list[tuple[str, float]]:
        """The features that speak for a class, with their weights, strongest first."""
        index, found = self.classes.index(name), []
        for feature in features:
            if (place := self.places.get(feature)) is None or not self.idf[place]:
                continue
            weight = dict(zip(*self.row(place), strict=True)).get(index)
            if weight is not None:
                found.append((feature, round(weight * self.idf[place], 3)))
        return sorted(found, key=lambda pair: -pair[1])


@dataclass(frozen=True)
class Listener:
    """Understands questions to any character of a case in one language."""

    reader: Reader
    ears: Mapping[CharacterId, Ear]

    @property
    def thresholds(self) -> Thresholds:
        """What was chosen for the language."""
        return CHOSEN.get(self.reader.language.code, DEFAULT)

    def listen(
        self, character: CharacterId, message: str, previous: TopicId | None = None
    ) -> Reading:
        """What `message` to `character` means.

        Args:
            previous: the topic that they spoke about last, for «e por quê?».
        """
        ear = self.ears[character]
        if previous not in ear.classes:  # none, or one that a new revision dropped
            previous = None
        words = self.reader.words(message)
        if previous is not None and self._continues(words):
            return _carry_on(previous)
        features = self.reader.features_of(words)
        bonus = self._bonus(words, features, previous)
        reading = self._read(ear, features, bonus)
        if bonus and reading.decision == "answer" and reading.topics[0] == previous:
            return replace(reading, follows=True)
        if previous is not None and reading.smalltalk == "unclear" and len(words) <= 6:
            return _carry_on(previous)
        double = self._two_topics(ear, message) if reading.decision != "smalltalk" else ()
        if double:
            rest = tuple(t for t in reading.topics if t not in double)
            return Reading("answer", (*double, *rest)[:3], reading.scores, double=True)
        return reading

    def _continues(self, words: list[str]) -> bool:
        """Whether the words only carry the talk on (why, more, when, …)."""
        followups, fillers = self.reader.language.followups, self.reader.language.stopwords
        if len(words) > 6:
            return False
        if squeeze(words) in followups:
            return True
        bare = squeeze(word for word in words if word not in fillers)
        return bare in followups

    def _bonus(
        self, words: list[str], features: frozenset[str], previous: TopicId | None
    ) -> dict[str, float]:
        """What a short question gains for the topic spoken about last."""
        if previous is None or sum(f.startswith("w:") for f in features) > 3:
            return {}
        carries = bool(words) and words[0] in self.reader.language.carriers
        return {previous: self.thresholds.follow + self.thresholds.carry * carries}

    def _read(self, ear: Ear, features: frozenset[str], bonus: Mapping[str, float]) -> Reading:
        limits = self.thresholds
        if not any(ear.knows(f) for f in features if f[0] in "wk"):
            features = frozenset()
        chances = ear.probabilities(features, bonus)
        ranked = sorted(zip(chances, ear.classes, strict=True), reverse=True)
        topics = [(chance, name) for chance, name in ranked if not name.startswith("~")]
        others = [(chance, name) for chance, name in ranked if name.startswith("~")]
        in_scope = sum(chance for chance, _ in topics)
        (best, first), (second, _) = topics[0], (topics[1] if len(topics) > 1 else (0.0, ""))
        likely = best >= limits.answer and best >= limits.lead * second
        need = limits.alone if second <= limits.rival else limits.clue
        talk = [(c, n) for c, n in others if n[1:] in self.reader.language.smalltalk]
        chatter = sum(chance for chance, _ in talk)
        decision: Decision
        if not features:
            decision = "out"
        elif talk and chatter > max(in_scope, 1 - in_scope - chatter):
            decision = "smalltalk"
        elif in_scope < limits.scope:
            decision = "out"
        elif likely and (best >= need or first not in ear.awarding):
            decision = "answer"
        else:
            decision = "unsure"
        return Reading(
            decision=decision,
            topics=tuple(TopicId(name) for _, name in topics[:3]),
            scores=tuple(round(chance, 4) for chance, _ in topics[:3]),
            likely=decision == "unsure" and likely,
            smalltalk=talk[0][1][1:] if decision == "smalltalk" else "",
            redirect=self._redirect(others) if decision == "out" else None,
            aside=_aside(others) if decision == "out" else "",
            why=tuple(ear.reasons(features, first)[:5]),
        )

    def _redirect(self, others: list[tuple[float, str]]) -> CharacterId | None:
        """Who else would know, if one stands out."""
        people = [(c, CharacterId(n[1:])) for c, n in others if n[1:] in self.ears]
        return people[0][1] if people and people[0][0] > 0.3 else None

    def _two_topics(self, ear: Ear, message: str) -> tuple[TopicId, ...]:
        clauses = [c for c in _CLAUSE_END.split(message) if len(c.split()) >= 3]
        if len(clauses) < 2:
            return ()
        found: list[TopicId] = []
        for clause in clauses[:4]:
            chances = ear.probabilities(self.reader.features(clause), {})
            chance, name = max(zip(chances, ear.classes, strict=True))
            sure = chance >= self.thresholds.double and not name.startswith("~")
            if sure and name not in found:
                found.append(TopicId(name))
        return tuple(found[:2]) if len(found) > 1 else ()


def _aside(others: list[tuple[float, str]]) -> str:
    """The aside that a question brings up, if one stands out."""
    chance, name = others[0]
    return name.removeprefix(ASIDE) if name.startswith(ASIDE) and chance > 0.3 else ""


def _carry_on(previous: TopicId) -> Reading:
    """What «e aí?» means: more of the same."""
    return Reading("answer", (previous,), (1.0,), follows=True, why=(("follow-up", 1.0),))
