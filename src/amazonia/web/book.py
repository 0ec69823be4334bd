"""What pages print beside the state: a case's fixed words, gated like everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amazonia.domain import gates
from amazonia.domain.case import Case
from amazonia.domain.projection import fact_view, hour
from amazonia.domain.session import State, holds
from amazonia.domain.words import CaseWords

Json = dict[str, Any]

GROUPS = {
    "meter": "field",
    "sketch": "field",
    "notebook": "field",
    "sheet": "field",
    "photo": "image",
    "satellite": "image",
    "audio": "voice",
    "chat": "voice",
    "sticker": "voice",
}
"""Type of document → its theme in the notebook; any other is a paper."""


@dataclass(frozen=True, slots=True)
class Book:
    """A case as one team may read it now."""

    case: Case
    words: CaseWords
    state: State

    @property
    def opening(self) -> tuple[str, ...]:
        """The lines that the radio clock types."""
        return self.words.opening

    @property
    def setting(self) -> str:
        """Where and when the story is set."""
        return self.words.setting

    @property
    def broadcast(self) -> str:
        """The hour at which the paper is read out, ``12h00``."""
        return hour(self.case.clock[1])

    @property
    def title(self) -> str:
        """The case's title."""
        return self.words.title

    @property
    def licence(self) -> str:
        """The licence of its texts and drawings, as an SPDX id."""
        return self.case.licence

    @property
    def places(self) -> dict[str, Json]:
        """The places of the map, by id."""
        return {name: {"name": p.name, "line": p.line} for name, p in self.words.places.items()}

    @property
    def credits(self) -> dict[str, str]:
        """The case's own credits."""
        return dict(self.words.credits)

    @property
    def glossary(self) -> list[Json]:
        """The entries that no longer spoil anything."""
        have = holds(self.case, self.state)
        return [
            {"term": entry.term, "means": entry.means}
            for entry in self.words.glossary
            if gates.parse(entry.when).open(have)
        ]

    @property
    def sources(self) -> list[Json]:
        """The real facts behind what the team solved, answered or was told."""
        case, state = self.case, self.state
        told: list[str] = []
        for riddle in case.riddles.values():
            if state.solved(riddle.id):
                told += riddle.facts
        for challenge in case.challenges.values():
            tries = state.challenges.get(challenge.id)
            if tries and tries.right:
                told += challenge.facts
        for topic in case.topics():
            if state.depth.get(topic.key, 0):
                told += topic.facts
        facts = (fact for fact in dict.fromkeys(told) if fact in case.sources)
        return [fact_view(case, self.words, fact) for fact in facts]

    def host(self, name: str) -> Json:
        """What the interview shows of a person beside the projection."""
        character = self.case.characters[next(c for c in self.case.characters if c == name)]
        text = self.words.characters[character.id]
        first = next(iter(character.emotions))
        return {
            "ambience": text.ambience or self.words.places[character.place].line,
            "greeting": text.greeting[0],
            "idle": list(text.gestures.get(first, ())),
            "expressions": dict(character.emotions),
        }

    def group(self, document: str) -> str:
        """The theme of a type of document."""
        return GROUPS.get(document, "paper")
