"""The director: from what was understood and the state to the beat that is played.

A beat is authored: which topics move, which lines are spoken, what is revealed. A language model
may perform it and a player may be surprised by it, but nothing outside this module decides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from amazonia.domain.case import Case, Character, CharacterId, ClueId, Topic, TopicId
from amazonia.domain.decency import Indecency
from amazonia.domain.declining import declining
from amazonia.domain.errors import NotOwned, NotYet, Unknown
from amazonia.domain.lines import choose, pool
from amazonia.domain.session import (
    ClueFound,
    CounterAsked,
    Event,
    EvidenceShown,
    Spoken,
    State,
    TopicDeepened,
    holds,
    opens,
    play,
)
from amazonia.domain.understanding import Reading
from amazonia.domain.words import CaseWords, CharacterWords

Kind = Literal[
    "answer", "recap", "waiting", "locked", "unsure", "smalltalk", "out", "shown", "declined"
]

QUIET_TURNS = 6
"""The same line is not spoken twice within this many turns with a character."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What happens in a turn.

    Attributes:
        lines: references of the authored lines, in the order spoken.
        gesture: what the character does first, in words for players.
        topics: those that the turn is about (at most two).
        readings: topics to offer as buttons when the character was unsure.
        events: what changes; `amazonia.domain.session.play` applies them.
        follows: whether it goes on with the topic of the turn before.
    """

    character: CharacterId
    kind: Kind
    emotion: str
    gesture: str
    lines: tuple[str, ...]
    topics: tuple[TopicId, ...]
    readings: tuple[TopicId, ...]
    events: tuple[Event, ...]
    follows: bool = False

    @property
    def clues(self) -> tuple[ClueId, ...]:
        """The clues that this beat awards."""
        return tuple(event.clue for event in self.events if isinstance(event, ClueFound))


def meet(case: Case, words: CaseWords, state: State, name: str) -> Character:
    """The character of that name, if the team may talk to them.

    Raises:
        Unknown: there is nobody of that name.
        NotYet: they cannot be reached yet; the reason is in words for players.
    """
    character = case.characters.get(CharacterId(name))
    if character is None:
        raise Unknown("character", name)
    if not opens(case, state, character.when):
        raise NotYet("character", name, words.characters[character.id].locked)
    return character


def direct(
    case: Case,
    words: CaseWords,
    state: State,
    character: Character,
    reading: Reading,
    seed: int,
    shown: ClueId | None = None,
) -> Beat:
    """Choose the beat.

    Args:
        reading: what the question was understood to mean.
        seed: the turn's committed chance; picks among equal lines.
        shown: a clue laid on the table with the question.

    Raises:
        NotOwned: the team does not have the clue that it shows.
    """
    if shown is not None and shown not in state.clues:
        raise NotOwned(shown)
    scene = _Scene(case, words.characters[character.id], state, character, seed)
    if shown is not None:
        scene.happen(EvidenceShown(character.id, shown))
        topic = _topic_of_clue(scene, reading, shown)
        if topic is not None:
            scene.tell(topic)
        elif not (reading.decision == "answer" and reading.topics):
            scene.react(shown)
    if not scene.lines:
        _reply(scene, reading)
    return scene.beat(follows=reading.follows)


def decline(words: CaseWords, character: Character, kind: Indecency, lang: str, seed: int) -> Beat:
    """The beat of what no character talks about: one line, and nothing changes.

    Args:
        lang: the language of the line, if the character has none of its own.
        seed: as `direct` has it.
    """
    who = words.characters[character.id]
    own = pool(f"smalltalk/{kind}", who.smalltalk.get(kind, ()))
    lines = own or pool(f"declining/{lang}/{kind}", declining(kind, lang))
    return Beat(
        character=character.id,
        kind="declined",
        emotion=next(iter(character.emotions)),
        gesture="",
        lines=(lines[seed % len(lines)],),
        topics=(),
        readings=(),
        events=(),
    )


def suggestions(
    case: Case, state: State, character: Character, most: int = 3, salt: int = 0
) -> tuple[TopicId, ...]:
    """Open topics worth asking about: unheard ones first, then half-heard, never a locked one."""
    have = holds(case, state)

    def worth(topic: Topic) -> tuple[bool, bool, int]:
        depth = state.depth.get(topic.key, 0)
        waits = depth < len(topic.steps) and not topic.steps[depth].when.open(have)
        return depth >= len(topic.steps) or waits, state.talk.get(character.id) == topic.id, depth

    open_topics = [t for t in character.topics.values() if t.when.open(have)]
    turn = salt % len(open_topics) if open_topics else 0
    rotated = open_topics[turn:] + open_topics[:turn]
    return tuple(t.id for t in sorted(rotated, key=worth)[:most] if not worth(t)[0])


def _topic_of_clue(scene: _Scene, reading: Reading, shown: ClueId) -> Topic | None:
    """The topic that a shown clue leads to, unless the question clearly is about another."""
    topic_id = scene.character.shows.get(shown)
    if topic_id is None:
        return None
    asked = reading.topics[:1] if reading.decision == "answer" and not reading.about_clue else ()
    if asked and asked[0] != topic_id:
        return None
    topic = scene.character.topics[topic_id]
    depth = scene.state.depth.get(topic.key, 0)
    evidence = f"mostra:{topic.character}:{shown}"
    proves = (i for i, step in enumerate(topic.steps) if evidence in step.when.atoms())
    if depth < next(proves, 0):  # it answers a question that nobody has asked yet
        return None
    return topic if topic.when.open(scene.have) else None


def _reply(scene: _Scene, reading: Reading) -> None:
    match reading.decision:
        case "answer":
            for topic_id in reading.topics[: 2 if reading.double else 1]:
                scene.tell(scene.character.topics[topic_id])
        case "unsure":
            topic = scene.character.topics[reading.topics[0]] if reading.likely else None
            if topic and scene.gives_nothing(topic):
                scene.tell(topic)
            else:
                scene.ask_back(reading.topics)
        case "smalltalk":
            scene.chat(reading.smalltalk)
        case "out":
            scene.deflect(reading.redirect, reading.aside)


class _Scene:
    """Collects lines and events while a beat is put together."""

    def __init__(
        self, case: Case, who: CharacterWords, state: State, character: Character, seed: int
    ) -> None:
        self.case = case
        self.who = who
        self.state = state
        self.character = character
        self.seed = seed
        self.have = holds(case, state)
        self.kind: Kind = "out"
        self.emotion = next(iter(character.emotions))
        self.gesture = ""
        self.lines: list[str] = []
        self.topics: list[TopicId] = []
        self.readings: tuple[TopicId, ...] = ()
        self.events: list[Event] = []
        said = state.said.get(character.id, ())[-QUIET_TURNS:]
        self.recent = [line for turn in said for line in turn]

    def happen(self, event: Event) -> None:
        """Record an event and go on from the state after it."""
        self.events.append(event)
        self.state = play(self.state, [event])
        self.have = holds(self.case, self.state)

    def say(self, *pools: Sequence[str]) -> None:
        """Speak one line of the first pool that is not worn out; anything else as a last resort."""
        last = (pool("deflections", self.who.deflections), pool("repeat", self.who.repeat))
        self.lines.append(choose((*pools, *last), self.recent + self.lines, self.seed))

    def gives_nothing(self, topic: Topic) -> bool:
        """Whether a topic's next step could be told by mistake: it awards and asks for nothing."""
        depth = self.state.depth.get(topic.key, 0)
        if not topic.when.open(self.have) or depth >= len(topic.steps):
            return False
        step = topic.steps[depth]
        return step.when.open(self.have) and not step.clue and not step.asks

    def tell(self, topic: Topic) -> None:
        """Go one step deeper into a topic, or say why not."""
        self.topics.append(topic.id)
        words = self.who.topics[topic.id]
        path = f"topics/{topic.id}"
        depth = self.state.depth.get(topic.key, 0)
        again = pool("repeat", self.who.repeat)
        if not topic.when.open(self.have):
            self._set_kind("locked")
            self.say(pool(f"{path}/locked", words.locked))
        elif depth >= len(topic.steps):
            self._set_kind("recap")
            self.say(pool(f"{path}/recap", words.recap), again)
        elif not topic.steps[depth].when.open(self.have):
            self._set_kind("waiting")
            nudges = pool(f"{path}/steps/{depth}/nudge", words.steps[depth].nudge)
            self.say(nudges, again)  # no recap: it tells the whole topic
        else:
            self._set_kind("answer")
            self._step(topic, depth)

    def _step(self, topic: Topic, depth: int) -> None:
        step, words = topic.steps[depth], self.who.topics[topic.id].steps[depth]
        path = f"topics/{topic.id}/steps/{depth}"
        spoken = words
        prefix = f"{path}/says"
        for name, gate in step.instead:
            if gate.open(self.have):
                spoken, prefix = words.instead[name], f"{path}/instead/{name}"
                break
        self.emotion = spoken.emotion
        variant = self.seed % len(spoken.says)
        self.lines.append(f"{prefix}/{variant}")
        self.gesture = self.gesture or spoken.says[variant].gesture
        self.happen(TopicDeepened(self.character.id, topic.id, depth + 1))
        if step.clue and step.clue not in self.state.clues:
            self.happen(ClueFound(step.clue, topic.key))
        if step.asks and step.asks not in self.state.counters:
            self.happen(CounterAsked(step.asks))
            self.lines.append(f"counters/{step.asks}")

    def ask_back(self, topics: Sequence[TopicId]) -> None:
        """Unsure: ask which of the open readings was meant."""
        open_ones = [t for t in topics if self.character.topics[t].when.open(self.have)]
        if not open_ones:
            self.deflect(None)
            return
        self._set_kind("unsure")
        others = suggestions(self.case, self.state, self.character, salt=self.seed)
        self.readings = tuple(dict.fromkeys((*open_ones, *others)))[:3]
        self.say(pool("unsure", self.who.unsure))

    def chat(self, kind: str) -> None:
        """Small talk."""
        self._set_kind("smalltalk")
        lines = self.who.smalltalk.get(kind, ())
        self.say(pool(f"smalltalk/{kind}", lines))
        if kind == "hint":
            self.readings = suggestions(self.case, self.state, self.character, salt=self.seed)

    def deflect(self, other: CharacterId | None, aside: str = "") -> None:
        """Out of scope: say what there is to say to it, or point to who would know, if they can
        be reached, or somewhere useful."""
        self._set_kind("out")
        known = self.who.asides.get(aside)
        beside = pool(f"asides/{aside}", known.says if known else ())
        redirect: list[str] = []
        if other is not None and self.case.characters[other].when.open(self.have):
            redirect = pool(f"redirects/{other}", self.who.redirects.get(other, ()))
        self.say(beside, redirect)

    def react(self, clue: ClueId) -> None:
        """A clue was laid on the table that leads to no open topic."""
        self._set_kind("shown")
        self.say(
            pool(f"reactions/{clue}", self.who.reactions.get(clue, ())),
            pool("shown", self.who.shown),
        )

    def _set_kind(self, kind: Kind) -> None:
        """The first thing that happens names the beat, but an answer outranks the rest."""
        if not self.lines or kind == "answer":
            self.kind = kind

    def beat(self, *, follows: bool) -> Beat:
        """The finished beat."""
        gestures = self.who.gestures.get(self.emotion, ())
        gesture = self.gesture or (gestures[self.seed % len(gestures)] if gestures else "")
        topic = self.topics[-1] if self.topics and self.kind != "locked" else None
        self.happen(Spoken(self.character.id, tuple(self.lines), topic))
        return Beat(
            character=self.character.id,
            kind=self.kind,
            emotion=self.emotion,
            gesture=gesture,
            lines=tuple(self.lines),
            topics=tuple(self.topics),
            readings=self.readings,
            events=tuple(self.events),
            follows=follows,
        )
