"""Teams that do something at random, right or wrong, on the rules alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from tests.domain.world import World, about

from amazonia.domain.case import (
    Case,
    Character,
    ClueId,
    ConfrontationId,
    CounterId,
    Riddle,
    RiddleId,
    TopicId,
)
from amazonia.domain.confrontation import answer_counter, confront, open_rounds
from amazonia.domain.director import Beat, direct
from amazonia.domain.gates import Gate
from amazonia.domain.publication import is_open, listed_claims, publish
from amazonia.domain.riddles import (
    Answer,
    answer_challenge,
    answer_riddle,
    is_listed,
    take_hint,
)
from amazonia.domain.session import (
    Event,
    LinkDrawn,
    LinkErased,
    State,
    begin,
    holds,
    opens,
    play,
)
from amazonia.domain.solve import Move, model, plan, start_atoms
from amazonia.domain.understanding import Reading


@dataclass(frozen=True)
class Turn:
    """One action of a walk.

    Attributes:
        replies: what it was answered with, besides the beat's lines.
    """

    before: State
    events: tuple[Event, ...]
    after: State
    beat: Beat | None = None
    reading: Reading | None = None
    seed: int = 0
    replies: tuple[str, ...] = ()


class Walk:
    """A team that goes on at random.

    Args:
        luck: how often it does something sensible.
        start: where it begins; at the beginning if None.
    """

    def __init__(
        self, world: World, seed: int, luck: float = 0.8, start: State | None = None
    ) -> None:
        self.case: Case = world.case
        self.words = world.words
        self.chance = Random(seed)
        self.luck = luck
        self.state = start or begin(world.case)

    def turns(self, count: int) -> Iterator[Turn]:
        """The next turns; those in which nothing could be done are left out."""
        ways = (self.ask, self.riddle, self.challenge, self.counter, self.confront, self.board)
        weights = (60, 12, 6, 6, 14, 3)
        for _ in range(count):
            act = self.chance.choices((*ways, self.publish), (*weights, 3))[0]
            turn = act()
            if turn is not None:
                self.state = turn.after
                yield turn

    def _turn(self, events: Sequence[Event], *replies: str) -> Turn:
        after = play(self.state, events)
        return Turn(self.state, tuple(events), after, replies=replies)

    def _open(self, gate: Gate) -> bool:
        return opens(self.case, self.state, gate)

    def _lucky(self) -> bool:
        return self.chance.random() < self.luck

    # ── talking ─────────────────────────────────────────────────────────────────────────────────

    def ask(self) -> Turn:
        """A question to somebody, understood in some way."""
        have = holds(self.case, self.state)
        people = [c for c in self.case.characters.values() if c.when.open(have)]
        character = self.chance.choice(people)
        reading = self.reading(character)
        shown = self._evidence(character)
        seed = self.chance.randrange(1 << 20)
        beat = direct(self.case, self.words, self.state, character, reading, seed, shown)
        after = play(self.state, beat.events)
        return Turn(self.state, beat.events, after, beat, reading, seed)

    def _evidence(self, character: Character) -> ClueId | None:
        if not self.state.clues or self.chance.random() < 0.6:
            return None
        telling = [clue for clue in character.shows if clue in self.state.clues]
        return self.chance.choice(telling if telling and self._lucky() else self.state.clues)

    def reading(self, character: Character) -> Reading:
        """What it was understood to mean: anything, but mostly something that leads on."""
        topics = list(character.topics)
        self.chance.shuffle(topics)
        if self._lucky():
            have = holds(self.case, self.state)
            fresh = [
                t.id
                for t in character.topics.values()
                if t.when.open(have) and self.state.depth.get(t.key, 0) < len(t.steps)
            ]
            self.chance.shuffle(fresh)
            topics = [*fresh, *topics]
        first: tuple[TopicId, ...] = tuple(dict.fromkeys(topics))[:3]
        kind = self.chance.random()
        if kind < 0.75:
            double = len(first) > 1 and self.chance.random() < 0.2
            return Reading("answer", first, double=double)
        if kind < 0.85:
            return Reading("unsure", first)
        if kind < 0.93:
            talk = self.chance.choice(list(self.words.characters[character.id].smalltalk))
            return Reading("smalltalk", first, smalltalk=talk)
        other = self.chance.choice([None, *self.case.characters])
        return Reading("out", first, redirect=other if other != character.id else None)

    # ── answering ───────────────────────────────────────────────────────────────────────────────

    def riddle(self) -> Turn | None:
        """A try at a riddle, or a hint."""
        listed = [r for r in self.case.riddles.values() if self._open(r.when)]
        if not listed:
            return None
        riddle = self.chance.choice(listed)
        if self.chance.random() < 0.2:
            hints = self.words.riddles[riddle.id].hints
            hint, events = take_hint(self.state, riddle.id, hints)
            return self._turn(events, hint)
        answer = self._answer(riddle)
        if answer is None:
            return None
        judged = answer_riddle(self.case, self.words, self.state, riddle, answer)
        return self._turn(judged.events, judged.explanation, judged.hint)

    def _answer(self, riddle: Riddle) -> Answer | None:
        if riddle.type == "order":
            order = list(riddle.answer)
            if not self._lucky():
                self.chance.shuffle(order)
            return order
        if riddle.type != "link":
            options = riddle.answer if self._lucky() else riddle.options
            return self.chance.choice(options)
        unions = [name for name, gate in riddle.unions if self._open(gate)]
        right = [
            (way, a.union)
            for a in riddle.accepts
            for way in a.clues.ways
            if a.union in unions and way <= set(self.state.clues)
        ]
        if right and self._lucky():
            way, union = self.chance.choice(right)
            return {"clues": sorted(way), "union": union}
        if len(self.state.clues) < riddle.pick or not unions:
            return None
        picked = self.chance.sample(self.state.clues, riddle.pick)
        return {"clues": picked, "union": self.chance.choice(unions)}

    def challenge(self) -> Turn | None:
        """A try at a challenge."""
        have = holds(self.case, self.state)
        listed = [c for c in self.case.challenges.values() if is_listed(self.case, have, c)]
        if not listed:
            return None
        challenge = self.chance.choice(listed)
        option = challenge.answer if self._lucky() else self.chance.choice(challenge.options)
        judged = answer_challenge(self.words, self.state, challenge, option)
        return self._turn(judged.events, judged.explanation, judged.hint)

    def counter(self) -> Turn | None:
        """An answer to a counter-question, perhaps the second."""
        if not self.state.counters:
            return None
        counter = self.case.counters[self.chance.choice(list(self.state.counters))]
        option = self.chance.choice(counter.options)
        replies, events = answer_counter(self.words, self.state, counter, option)
        return self._turn(events, *replies)

    def confront(self) -> Turn | None:
        """A try at a round."""
        scenes = [c for c in self.case.confrontations.values() if self._open(c.when)]
        if not scenes:
            return None
        scene = self.chance.choice(scenes)
        rounds = open_rounds(self.case, self.state, scene)
        if not rounds:
            return None
        round_ = self.chance.choice(rounds)
        reasons = [r for r in round_.reasons if self._open(r.when)]
        reason = self.chance.choice(reasons)
        ways = [way for way in round_.accepts.ways if way <= set(self.state.clues)]
        if ways and self._lucky():
            clues = sorted(self.chance.choice(ways))
            if self._lucky():
                reason = next(r for r in reasons if r.right)
        else:
            most = min(round_.pick, len(self.state.clues))
            clues = self.chance.sample([*self.state.clues], self.chance.randint(1, most))
        tried = confront(self.case, self.words, self.state, scene, round_.id, clues, reason.id)
        return self._turn(tried.events, tried.reply)

    def board(self) -> Turn | None:
        """A string tied between two clues, or taken off."""
        if len(self.state.clues) < 2:
            return None
        left, right = self.chance.sample(self.state.clues, 2)
        kind = self.chance.choice((LinkDrawn, LinkErased))
        return self._turn([kind((left, right))])

    def publish(self) -> Turn | None:
        """An edition with some claims and decisions."""
        if not is_open(self.case, self.state):
            return None
        listed = [c.id for c in listed_claims(self.case, self.state)]
        claims = self.chance.sample(listed, self.chance.randint(1, len(listed)))
        if self._lucky():
            true = [c for c in listed if self.case.publication.claims[c].truth == "true"]
            claims = true or claims
        decisions = {
            d.id: self.chance.choice(d.options)
            for d in self.case.publication.decisions.values()
            if self._open(d.when) and self.chance.random() < 0.5
        }
        page = publish(self.case, self.words, self.state, claims, decisions)
        return self._turn([page.event])


def follow(world: World, move: Move, state: State) -> State:
    """The state after a move of a plan, played by the rules without any words understood."""
    case, words = world.case, world.words
    match move.do:
        case "chat":
            topic = case.topic(move.subject)
            shown = ClueId(move.show) if move.show else None
            who = case.characters[topic.character]
            return play(state, direct(case, words, state, who, about(topic.id), 0, shown).events)
        case "riddle":
            riddle = case.riddles[RiddleId(move.subject)]
            answer: Answer = riddle.answer if riddle.type == "order" else "".join(riddle.answer)
            if riddle.type == "link":
                answer = {"clues": list(move.clues), "union": move.choice}
            return play(state, answer_riddle(case, words, state, riddle, answer).events)
        case "counter":
            counter = case.counters[CounterId(move.subject)]
            return play(state, answer_counter(words, state, counter, move.detail)[1])
        case "confront":
            scene = case.confrontations[ConfrontationId(move.subject)]
            tried = confront(case, words, state, scene, move.detail, move.clues, move.choice)
            return play(state, tried.events)
    return play(state, [publish(case, words, state, move.clues, {}).event])


@cache
def milestones(world: World, ending: str | None = None) -> list[State]:
    """The states along a short way to an ending, the first and the last included."""
    states = [begin(world.case)]
    for move in plan(world.case, ending=ending, quick=True):
        states.append(follow(world, move, states[-1]))
    return states


@cache
def finished(world: World) -> State:
    """A state in which everything was found, solved and won, and nothing published."""
    case = world.case
    actions = model(case, {name: counter.options[0] for name, counter in case.counters.items()})
    state = begin(case)
    while True:
        have = start_atoms(case, state) | {
            key for key, tries in state.rounds.items() if tries.right
        }
        ready = (a.move for a in actions.actions if a.needs <= have and not a.gives <= have)
        move = next(filter(None, ready), None)
        if move is None:
            return state
        after = follow(world, move, state)
        assert after != state, f"{move} changes nothing"
        state = after
