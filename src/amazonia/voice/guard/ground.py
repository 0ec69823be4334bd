"""What may be said: what everybody reads, what the team has read, and the beat itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import NamedTuple

from amazonia.domain.case import CharacterId, TopicId
from amazonia.domain.gates import Gate, Holds
from amazonia.domain.lines import musts, read
from amazonia.domain.words import CaseWords, CharacterWords
from amazonia.voice.guard.figures import values_of
from amazonia.voice.guard.folding import Text, bares, meaning, plain, roots
from amazonia.voice.guard.lexicon import Lexicon, Source, Tongue, lexicon_of, strings


class Content(NamedTuple):
    """What a text holds: its words, numbers, stems, and the aliases of secrets.

    It is kept for a thousand texts, hence strings: sets take twenty times as much.

    Attributes:
        view: its folded words, ended by ``|``, as `folding.has` reads them.
        roots: its stems, between spaces.
    """

    view: str
    roots: str
    numbers: frozenset[str]
    aliases: frozenset[str]


class Ground(NamedTuple):
    """What several texts hold together, each thing once; see `Content`."""

    words: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    roots: frozenset[str] = frozenset()
    aliases: frozenset[str] = frozenset()
    view: str = ""


def together(contents: Iterable[Content]) -> Ground:
    """What several texts hold."""
    several = [*contents]
    if not several:
        return Ground()
    views, stems, numbers, aliases = zip(*several, strict=True)
    view, nothing = "".join(views), frozenset[str]()
    return Ground(
        words=frozenset(view.split()) - {"|"},
        numbers=nothing.union(*numbers),
        roots=frozenset(" ".join(stems).split()),
        aliases=nothing.union(*aliases),
        view=view,
    )


@lru_cache(maxsize=1_024)
def content(lexicon: Lexicon, text: str) -> Content:
    """What a text holds. A thousand texts take less than a megabyte."""
    folded = Text.of(plain(text))
    return Content(
        view=f"{folded.view}| ",
        roots=" ".join(meaning(folded, lexicon.language)),
        numbers=frozenset(values_of(folded, lexicon.pack)),
        aliases=frozenset(alias for alias, _ in lexicon.secrets.told(folded.plain, folded.words)),
    )


# ── everybody ───────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=256)
def public(source: Source, tongue: Tongue, character: CharacterId) -> Ground:
    """What a character may always mention.

    Words: the names of people and places, the opening, the character's own sheet. Stems: all that
    the character says and does from the start.
    """
    words = source.words
    who = words.characters[character]
    sheet = (who.place, who.about, who.manner, who.role, who.subject)
    spoken = (*who.greeting, *who.greeting_again, *who.smalltalk.get("who", ()))
    names = [text for w in words.characters.values() for text in (w.name, w.short, w.role)]
    places = [text for place in words.places.values() for text in (place.name, place.line)]
    opening = (words.title, words.setting, *words.opening, *words.briefing)
    counted = [Text.of(plain(text)) for text in (*sheet, *spoken, *opening)]
    pack = tongue.language.guard
    return Ground(
        pack.names.union(*(text.bares for text in counted), *map(bares, (*names, *places))),
        frozenset(n for text in counted for n in values_of(text, pack)) | ({str(who.age)} - {"0"}),
        frozenset(roots((w for t in _chatter(words, who) for w in bares(t)), tongue.language)),
    )


def _chatter(words: CaseWords, who: CharacterWords) -> Iterator[str]:
    """What the character says and does from the start, and what everybody reads."""
    skip = ("topics", "asides", "reactions", "locked", "name")
    for part in fields(who):
        if part.name not in skip:
            yield from strings(getattr(who, part.name))
    yield from (*words.opening, *words.briefing)


# ── the beat ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class Beat:
    """What the authored lines of a beat say, and what must have happened for them to be said.

    Attributes:
        public: what the character may always mention.
        told: what the lines hold, a view of each.
        near: what the lines hold that could be said in their place.
        grounded: the stems of these, of the lines and of what their topics are called.
        spoken: the folded words of the lines, and those for the speaker.
        acts: the deeds that the lines, or others in their place, speak of.
        ways: what must have been achieved for the beat to be played, one set a way.
        called: the words of the speaker's name.
        musts: what a performance must say → its alternatives as they begin in a view.
    """

    lexicon: Lexicon
    public: Ground
    told: Ground
    near: Ground
    grounded: frozenset[str]
    spoken: frozenset[str]
    acts: frozenset[str]
    ways: tuple[frozenset[str], ...]
    called: frozenset[str]
    musts: tuple[tuple[str, tuple[str, ...]], ...]


@lru_cache(maxsize=256)
def beat_of(source: Source, tongue: Tongue, character: CharacterId, lines: tuple[str, ...]) -> Beat:
    """The beat of some lines, given by their references; it recurs for every team."""
    lexicon = lexicon_of(source, tongue)
    pack = lexicon.pack
    who = source.words.characters[character]
    texts, others = [*_texts(source.words, character, lines)], [*_instead(who, lines)]
    told = together(content(lexicon, text) for text in texts)
    near = together(content(lexicon, text) for text in others)
    called = together(content(lexicon, text) for text in _labels(who, lines))
    spoken = told.words.union(bares(who.name), pack.selves)
    literal = [lexicon.literal(Text.of(plain(text))) for text in (*texts, *others)]
    deeds = {act for t in literal for word in t.vocabulary for act in lexicon.deeds.get(word, ())}
    return Beat(
        lexicon=lexicon,
        public=public(source, tongue, character),
        told=told,
        near=near,
        grounded=told.roots | near.roots | called.roots,
        spoken=spoken,
        acts=frozenset(deeds),
        ways=tuple(_ways(source, character, lines)),
        called=frozenset((*bares(who.name), *bares(who.short))),
        musts=tuple(
            (entry, tuple(f" {' '.join(bares(way))}" for way in entry.split("|")))
            for entry in musts(source.words, character, lines)
        ),
    )


def _texts(words: CaseWords, character: CharacterId, lines: Iterable[str]) -> Iterator[str]:
    for ref in lines:
        try:
            line = read(words, character, ref)
        except KeyError:  # the case was revised since
            continue
        yield line.text


def _instead(who: CharacterWords, lines: Iterable[str]) -> Iterator[str]:
    """The other ways to say the same steps, which tell the same and are told at the same time."""
    for ref in lines:
        match ref.split("/"):
            case ["topics", name, "steps", step, "says", _] if step.isdigit():
                steps = who.topics[TopicId(name)].steps if name in who.topics else ()
                for line in steps[int(step)].says if int(step) < len(steps) else ():
                    yield line.text


def _labels(who: CharacterWords, lines: Iterable[str]) -> Iterator[str]:
    """What the topics that the beat tells of are called."""
    for ref in lines:
        match ref.split("/"):
            case ["topics", topic_id, "steps" | "recap", *_] if topic_id in who.topics:
                topic = who.topics[TopicId(topic_id)]
                yield from (topic.label, topic.suggestion)


def _ways(source: Source, character: CharacterId, lines: Iterable[str]) -> list[frozenset[str]]:
    """What must have been achieved for the beat to be played, one set a way.

    A step is only told when its topic's gate and its own are open, and hearing it awards its clue.
    """
    topics = source.case.characters[character].topics
    ways: list[frozenset[str]] = [frozenset()]
    for ref in lines:
        match ref.split("/"):
            case ["topics", name, "steps", step, *_] if step.isdigit() and name in topics:
                depth = int(step)
            case ["topics", name, "recap", _] if name in topics:
                depth = len(topics[TopicId(name)].steps) - 1
            case _:
                continue
        ways = [a | b for a in ways for b in _step_ways(source, character, TopicId(name), depth)]
    return ways


def _step_ways(
    source: Source, character: CharacterId, name: TopicId, depth: int
) -> Iterator[frozenset[str]]:
    topic = source.case.characters[character].topics[name]
    if not 0 <= depth < len(topic.steps):
        yield frozenset()
        return
    steps = topic.steps[: depth + 1]
    told: set[str] = {step.clue for step in steps if step.clue}
    told |= {f"{topic.key}@{i + 1}" for i in range(depth + 1)}
    for way in topic.when.ways:
        yield way | told | (steps[-1].when.ways[0] if len(steps[-1].when.ways) == 1 else set())


def is_certain(gate: Gate, ways: Iterable[Set[str]], holds: Holds) -> bool:
    """Whether a gate is open whichever way a beat was reached."""
    return all(gate.open(_either(way, holds)) for way in ways)


def _either(way: Set[str], holds: Holds) -> Holds:
    return lambda atom: atom in way or holds(atom)
