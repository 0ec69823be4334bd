"""Simulated teams: seeded, noisy, impatient. Do they always get on?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from amazonia.domain.case import (
    Case,
    Challenge,
    CharacterId,
    ClueId,
    Confrontation,
    Lang,
    Riddle,
    Topic,
)
from amazonia.domain.confrontation import answer_counter, confront, open_rounds
from amazonia.domain.director import direct
from amazonia.domain.gates import Gate
from amazonia.domain.publication import is_open, listed_claims, publish
from amazonia.domain.riddles import Answer, answer_challenge, answer_riddle, is_listed
from amazonia.domain.session import Event, State, Tries, begin, is_won, play
from amazonia.domain.solve import Model, can_win, model, next_move, start_atoms
from amazonia.domain.understanding import Listener
from amazonia.domain.words import CaseWords

MOST_TURNS = 400
NOISE = ("vc", "mano", "tipo", "ai", "kkk", "moço", "então")


@dataclass(frozen=True, slots=True)
class Game:
    """How one simulated team fared.

    Attributes:
        turns: questions and answers until it stopped.
        ending: the first ending that it published, or None.
        stuck: the state from which the best ending could not be reached, described; must be "".
        events: what happened, turn by turn.
        before: what it would have had to do next when it went home; "" if it had won.
        slowest: the most turns in a row that brought nothing new, and what they were before.
    """

    turns: int
    ending: str | None
    clues: frozenset[ClueId]
    stuck: str = ""
    events: tuple[tuple[Event, ...], ...] = field(default=(), repr=False)
    before: str = ""
    slowest: tuple[int, str] = (0, "")


@dataclass(frozen=True, slots=True)
class Playtest:
    """How many teams fared."""

    games: tuple[Game, ...]
    endings: Counter[str] = field(default_factory=Counter)

    @property
    def dead_ends(self) -> list[Game]:
        """The games that met a state without a way out."""
        return [game for game in self.games if game.stuck]

    @property
    def before(self) -> Counter[str]:
        """Before what teams went home, and how many."""
        return Counter(game.before for game in self.games if game.before)

    @property
    def slow(self) -> Counter[str]:
        """What teams spent their longest time before, in turns over all teams."""
        spent: Counter[str] = Counter()
        for game in self.games:
            turns, before = game.slowest
            spent[before] += turns
        return spent

    def turns(self, ending: str) -> list[int]:
        """The turns of the teams that came to an ending, in order."""
        return sorted(game.turns for game in self.games if game.ending == ending)

    def reach(self, clue: ClueId) -> float:
        """The share of teams that found a clue."""
        return sum(clue in game.clues for game in self.games) / len(self.games)


def playtest(
    case: Case,
    lang: Lang,
    listener: Listener,
    teams: int,
    seed: int,
    idle: bool = False,
    turns: int = MOST_TURNS,
) -> Playtest:
    """Let teams play.

    Args:
        turns: after so many a team goes home.
        idle: they only ask what has nothing to do with the case.
    """
    games = tuple(
        _Team(case, case.words[lang], listener, Random(f"{seed}/{number}"), idle).run(turns)
        for number in range(teams)
    )
    return Playtest(games, Counter(game.ending or "none" for game in games))


class _Team:
    """A team that does something at random each turn, more often something sensible."""

    def __init__(
        self, case: Case, words: CaseWords, listener: Listener, chance: Random, idle: bool
    ) -> None:
        self.case = case
        self.words = words
        self.listener = listener
        self.chance = chance
        self.idle = idle
        self.state: State = begin(case)
        self.events: list[tuple[Event, ...]] = []
        self.have = start_atoms(case, self.state)
        self.patience = chance.uniform(0.4, 1.0)
        self.answers = {
            name: chance.choice(counter.options) for name, counter in case.counters.items()
        }
        self.world: Model = model(case, self.answers)
        self.slowest = (0, "")
        self.short = {full: short for short, full in listener.reader.language.slang.items()}

    def run(self, turns: int) -> Game:
        """Play until the best ending, or until the turns are over."""
        best = self.case.publication.best
        idle = 0
        for turn in range(1, turns + 1):
            self._act()
            before, self.have = self.have, start_atoms(self.case, self.state)
            idle = 0 if self.have - before - self._shown() else idle + 1
            if idle > self.slowest[0]:
                waits = self.slowest[1] if idle > 1 and self.slowest[0] == idle - 1 else ""
                self.slowest = (idle, waits or self._next())
            if self.have != before and not can_win(self.world, self.have):
                return self._game(turn, f"after turn {turn}: {sorted(self.state.clues)}")
            if self.state.editions and self.state.editions[-1].ending == best:
                return self._game(turn)
        return self._game(turns)

    def _game(self, turns: int, stuck: str = "") -> Game:
        ending = self.state.editions[-1].ending if self.state.editions else None
        before = "" if ending == self.case.publication.best or stuck else self._next()
        clues, events = frozenset(self.state.clues), tuple(self.events)
        return Game(turns, ending, clues, stuck, events, before, self.slowest)

    def _next(self) -> str:
        """What would help most now."""
        move = next_move(self.case, self.state)
        return move.subject if move else ""

    def _shown(self) -> frozenset[str]:
        """What a team can do at will: laying clues on tables is no progress."""
        return frozenset(atom for atom in self.have if atom.startswith("mostra:"))

    def _live(self, events: Iterable[Event]) -> None:
        lived = tuple(events)
        self.events.append(lived)
        self.state = play(self.state, lived)

    def _act(self) -> None:
        if self.idle:
            self._ask(self.chance.choice(self.listener.reader.language.offtopic))
            return
        waiting = [name for name, answer in self.state.counters.items() if not answer]
        if waiting and self.chance.random() < 0.7:
            counter = self.case.counters[waiting[0]]
            _, events = answer_counter(self.words, self.state, counter, self.answers[counter.id])
            self._live(events)
            return
        weights = self._weights()
        match self.chance.choices(list(weights), list(weights.values()))[0]:
            case "ask":
                self._ask(self._question())
            case "riddle":
                self._try_riddle()
            case "challenge":
                self._try_challenge()
            case "confront":
                self._confront()
            case _:
                self._publish()

    def _weights(self) -> dict[str, int]:
        """How likely each kind of action is now: only what can be done is done."""
        listed = [c.id for c in listed_claims(self.case, self.state)]
        publishes = is_open(self.case, self.state) and bool(listed)
        return {
            "ask": 60,
            "riddle": 30 if self._riddles() else 0,
            "challenge": 6 if self._challenges() else 0,
            "confront": 30 if self._scenes() else 0,
            "publish": publishes * (12 if self._best_claims(listed) else 1),
        }

    def _riddles(self) -> list[Riddle]:
        return [
            riddle
            for riddle in self.case.riddles.values()
            if self._is_open(riddle.when) and not self.state.solved(riddle.id)
        ]

    def _challenges(self) -> list[Challenge]:
        return [
            challenge
            for challenge in self.case.challenges.values()
            if is_listed(self.case, self.have.__contains__, challenge)
            and not self.state.challenges.get(challenge.id, Tries()).right
        ]

    def _scenes(self) -> list[Confrontation]:
        return [
            scene
            for scene in self.case.confrontations.values()
            if self._is_open(scene.when) and not is_won(scene.wins, self.state, scene.id)
        ]

    # ── talking ─────────────────────────────────────────────────────────────────────────────────

    def _question(self) -> Topic | str:
        if self.chance.random() > 0.9:
            return self.chance.choice(self.listener.reader.language.offtopic)
        open_topics = [t for t in self._open_topics() if self._unheard(t)]
        return self.chance.choice(open_topics or list(self._open_topics()))

    def _open_topics(self) -> list[Topic]:
        have = self.have.__contains__
        return [
            topic
            for character in self.case.characters.values()
            if character.when.open(have)
            for topic in character.topics.values()
            if topic.when.open(have)
        ]

    def _unheard(self, topic: Topic) -> bool:
        return self.state.depth.get(topic.key, 0) < len(topic.steps)

    def _ask(self, question: Topic | str) -> None:
        shown = None
        if isinstance(question, Topic):
            character = self.case.characters[question.character]
            text = self.words.characters[character.id].topics[question.id]
            message = self._noisy(self.chance.choice(text.examples))
        else:
            people = [c for c in self.case.characters.values() if self._is_open(c.when)]
            character, message = self.chance.choice(people), question
        if self.state.clues and self.chance.random() < 0.2 and not self.idle:
            shown = self.chance.choice(self.state.clues)
        talk = self.state.talk.get(CharacterId(character.id))
        reading = self.listener.listen(character.id, message, talk)
        seed = self.chance.randrange(1 << 16)
        beat = direct(self.case, self.words, self.state, character, reading, seed, shown)
        self._live(beat.events)

    def _noisy(self, text: str) -> str:
        """Typos, slang and haste."""
        letters = list(text)
        if self.chance.random() < 0.5 and len(letters) > 8:
            at = self.chance.randrange(1, len(letters) - 1)
            letters[at], letters[at - 1] = letters[at - 1], letters[at]
        if self.chance.random() > self.patience:
            letters = letters[: max(12, len(letters) * 2 // 3)]
        noise = self.chance.choice(NOISE) + " " if self.chance.random() < 0.3 else ""
        words = "".join(letters).split()
        if self.chance.random() < 0.4:
            words = [self.short.get(word, word) for word in words]
        return noise + " ".join(words)

    def _is_open(self, gate: Gate) -> bool:
        return gate.open(self.have.__contains__)

    # ── answering ───────────────────────────────────────────────────────────────────────────────

    def _try_riddle(self) -> None:
        riddle = self.chance.choice(self._riddles())
        answer: Answer
        if riddle.type == "order":
            guess = list(riddle.answer)
            if self.chance.random() < 0.5:
                self.chance.shuffle(guess)
            answer = guess
        elif riddle.type == "link":
            if len(self.state.clues) < riddle.pick:
                return
            unions = [name for name, gate in riddle.unions if self._is_open(gate)]
            right = [a for a in riddle.accepts if a.union in unions and self._own(a.clues.ways)]
            if right and self.chance.random() < 0.5:
                accepted = self.chance.choice(right)
                clues = self.chance.choice(self._own(accepted.clues.ways))
                answer = {"clues": sorted(clues), "union": accepted.union}
            elif unions:
                picked = self.chance.sample(self.state.clues, riddle.pick)
                answer = {"clues": picked, "union": self.chance.choice(unions)}
            else:
                return
        else:
            answer = self.chance.choice(riddle.options)
        judged = answer_riddle(self.case, self.words, self.state, riddle, answer)
        self._live(judged.events)

    def _own(self, ways: Iterable[frozenset[str]]) -> list[frozenset[str]]:
        return [way for way in ways if way <= set(self.state.clues)]

    def _try_challenge(self) -> None:
        challenge = self.chance.choice(self._challenges())
        option = self.chance.choice(challenge.options)
        judged = answer_challenge(self.words, self.state, challenge, option)
        self._live(judged.events)

    def _confront(self) -> None:
        scene = self.chance.choice(self._scenes())
        rounds = open_rounds(self.case, self.state, scene)
        if not rounds:
            return
        round_ = self.chance.choice(rounds)
        reasons = [r for r in round_.reasons if self._is_open(r.when)]
        reason = self.chance.choice(reasons)
        ways = self._own(round_.accepts.ways)
        if ways and self.chance.random() < 0.5:
            clues: Sequence[str] = sorted(self.chance.choice(ways))
        else:
            most = min(round_.pick, len(self.state.clues))
            clues = self.chance.sample(self.state.clues, most)
        tried = confront(
            self.case, self.words, self.state, scene, round_.id, clues[: round_.pick], reason.id
        )
        self._live(tried.events)

    def _publish(self) -> None:
        listed = [c.id for c in listed_claims(self.case, self.state)]
        wanted = self._best_claims(listed)
        if wanted and self.chance.random() < 0.8:
            claims = wanted
        else:
            claims = self.chance.sample(listed, self.chance.randint(1, min(3, len(listed))))
        page = publish(self.case, self.words, self.state, claims, {})
        self._live([page.event])

    def _best_claims(self, listed: Sequence[str]) -> list[str]:
        """The claims of the best ending, if the team may choose them all."""
        endings = self.case.publication.endings
        best = next(e for e in endings if e.id == self.case.publication.best)
        ways = best.claims.ways if best.claims else ()
        return next((sorted(way) for way in ways if way <= set(listed)), [])
