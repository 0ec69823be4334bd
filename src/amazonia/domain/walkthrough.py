"""A plan as the exact actions of a player: each the body of its call, plus `do` (and `id`)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amazonia.domain.case import (
    Case,
    ClueId,
    ConfrontationId,
    CounterId,
    Riddle,
    RiddleId,
    Topic,
)
from amazonia.domain.confrontation import answer_counter, confront
from amazonia.domain.director import direct
from amazonia.domain.publication import publish
from amazonia.domain.riddles import Answer, answer_riddle
from amazonia.domain.session import State, TopicDeepened, begin, play
from amazonia.domain.solve import Move, plan
from amazonia.domain.understanding import Listener
from amazonia.domain.words import CaseWords

Json = dict[str, Any]


class NoWay(Exception):
    """The ending cannot be reached, or no example question is understood as it should be."""


@dataclass(frozen=True, slots=True)
class Guide:
    """Plays a case by itself.

    Attributes:
        listener: understands the questions, as in the game.
    """

    case: Case
    words: CaseWords
    listener: Listener

    def walkthrough(self, ending: str | None = None, state: State | None = None) -> list[Json]:
        """A shortest walkthrough, checked by playing it.

        Args:
            ending: the best one if None.
            state: from the beginning if None.

        Raises:
            NoWay: the ending cannot be reached from this state.
        """
        now = state or begin(self.case)
        moves = plan(self.case, now, ending)
        if not moves:
            raise NoWay(f"'{self.case.id}' has no way to ending '{ending or 'best'}'")
        return self.play(moves, ending or self.case.publication.best, now)

    def play(self, moves: Iterable[Move], ending: str, state: State | None = None) -> list[Json]:
        """The actions of a plan, checked by playing it to its ending.

        Raises:
            NoWay: a move cannot be made in this language, or it ends elsewhere.
        """
        now = state or begin(self.case)
        actions: list[Json] = []
        for move in moves:
            action, now = self.act(move, now, {_same(a.get("message", "")) for a in actions})
            actions.append(action)
        reached = now.editions[-1].ending
        if reached != ending:
            raise NoWay(f"the walkthrough came to ending '{reached}'")
        return actions

    def act(self, move: Move, state: State, asked: Container[str] = ()) -> tuple[Json, State]:
        """The action of a move, and the state after it.

        Args:
            asked: questions not to ask again, since a repeated message counts as a duplicate.

        Raises:
            NoWay: no question of the topic's examples is understood in this state.
        """
        match move.do:
            case "chat":
                return self._chat(move, state, asked)
            case "riddle":
                return self._riddle(move, state)
            case "counter":
                counter = self.case.counters[CounterId(move.subject)]
                _, events = answer_counter(self.words, state, counter, move.detail)
                answer = self._code(f"option:{counter.id}", move.detail)
                return {"do": "counter", "id": counter.id, "answer": answer}, play(state, events)
            case "confront":
                return self._confront(move, state)
        page = publish(self.case, self.words, state, move.clues, {})
        claims = [self._code("claim", claim) for claim in move.clues]
        return {"do": "publish", "claims": claims, "decisions": {}}, play(state, [page.event])

    def _chat(self, move: Move, state: State, asked: Container[str]) -> tuple[Json, State]:
        topic = self.case.topic(move.subject)
        character = self.case.characters[topic.character]
        shown = ClueId(move.show) if move.show else None
        for message in self.questions(topic, shown):
            if _same(message) in asked:
                continue
            reading = self.listener.listen(character.id, message, state.talk.get(character.id))
            beat = direct(self.case, self.words, state, character, reading, 0, shown)
            told = [e for e in beat.events if isinstance(e, TopicDeepened)]
            if [(e.topic, e.depth) for e in told] == [(topic.id, int(move.detail))]:
                action = {"do": "chat", "entity_id": character.id, "message": message}
                return action | ({"show": shown} if shown else {}), play(state, beat.events)
        raise NoWay(f"no question about {topic.key} is understood as such")

    def questions(self, topic: Topic, shown: ClueId | None) -> Iterator[str]:
        """Questions about a topic, the plainest first."""
        text = self.words.characters[topic.character].topics[topic.id]
        if shown:
            yield self.words.clues[shown].question
        yield text.suggestion
        yield from text.examples

    def _riddle(self, move: Move, state: State) -> tuple[Json, State]:
        riddle = self.case.riddles[RiddleId(move.subject)]
        inner, outer = self._solution(riddle, move)
        judged = answer_riddle(self.case, self.words, state, riddle, inner)
        if not judged.correct:
            raise NoWay(f"the answer of {riddle.id} is not accepted")
        return {"do": "riddle", "id": riddle.id, "answer": outer}, play(state, judged.events)

    def _solution(self, riddle: Riddle, move: Move) -> tuple[Answer, object]:
        """The right answer, in inner ids and in codes."""
        match riddle.type:
            case "order":
                kind = f"piece:{riddle.id}"
                return riddle.answer, [self._code(kind, item) for item in riddle.answer]
            case "link":
                clues = list(move.clues)
                union = self._code(f"union:{riddle.id}", move.choice)
                inner: Mapping[str, object] = {"clues": clues, "union": move.choice}
                return inner, {"clues": clues, "union": union}
        answer = riddle.answer[0]
        return answer, self._code(f"option:{riddle.id}", answer)

    def _confront(self, move: Move, state: State) -> tuple[Json, State]:
        confrontation = self.case.confrontations[ConfrontationId(move.subject)]
        tried = confront(
            self.case, self.words, state, confrontation, move.detail, move.clues, move.choice
        )
        action = {
            "do": "confront",
            "confrontation": self._code("confrontation", confrontation.id),
            "round": self._code(f"round:{confrontation.id}", move.detail),
            "clues": list(move.clues),
            "reason": self._code(f"reason:{confrontation.id}/{move.detail}", move.choice),
        }
        return action, play(state, tried.events)

    def _code(self, *path: str) -> str:
        return self.case.code(*path)


def _same(message: str) -> str:
    """What makes a repeated message a duplicate: its words, however they are capitalised."""
    return " ".join(message.casefold().split())
