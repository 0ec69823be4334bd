"""The guard: reads each sentence of a language model before any player does.

A model performs an authored beat and was told nothing that is locked. What it says beyond the
beat is made up or was put into its mouth, so the guard knows what may be said (the beat, what the
team has read, what everybody may read) and refuses names, numbers, deeds and secrets from outside.
A refused sentence costs little, since the authored line takes over; a missed one costs a spoiler
or a slander. In doubt it refuses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from amazonia.domain.case import Case, CharacterId, TopicId
from amazonia.domain.gates import Gate, Holds
from amazonia.domain.language import GuardWords, Language, fold, stem
from amazonia.domain.lines import musts, read
from amazonia.domain.words import CaseWords, CharacterWords

Reason = Literal[
    "secret",
    "name",
    "number",
    "guilt",
    "prompt",
    "link",
    "personal",
    "profanity",
    "language",
    "length",
    "echo",
    "machine",
    "markup",
]

MAX_SENTENCE = 400
"""Characters of a sentence."""
MAX_REPLY = 1_200
"""Characters of a reply."""
MAX_SENTENCES = 10
MAX_NAME = 40
"""Characters of a speaker's name before a colon."""
SHINGLE = 6
"""Words in a row that are a recital of the prompt."""
SMALL = 10
"""Number words up to this one are not facts by themselves: «duas coisas»."""
MANY_KEYS = 2
"""Words of the solution in one sentence, none of them the beat's, that are a secret told."""
ECHO = 0.7
"""Share of a sentence's words that the player typed and the beat lacks, which makes an echo."""
TAIL = 8
"""Words of the sentence before that are read again, in case a secret lies across the border."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a sentence.

    Attributes:
        reason: which rule it breaks.
        detail: the words that break it, for tests and debugging; they may hold a secret.
    """

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What is performed, and before whom.

    Attributes:
        lines: references of the beat's authored lines (see `amazonia.domain.lines`).
        message: what the player typed; nothing may be said only because it is in it.
        holds: the atoms that hold for this team; none for a reply that teams share.
        known: further texts that this team has read; none for a reply that teams share.
        prompt: the instructions to the model, which are never recited.
    """

    case: Case
    words: CaseWords
    language: Language
    character: CharacterId
    lines: tuple[str, ...]
    message: str
    holds: Callable[[str], bool]
    known: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ()


# ── words ───────────────────────────────────────────────────────────────────────────────────────

_WORD = re.compile(r"[^\W\d_]*\d+(?:[.,:/h]\d+)*|[^\W\d_]+")
_OPENING = frozenset(".!?…:;«“\"'()[]–—*")
_HIDDEN = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2060-\u2064\ufeff]")
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһӏвкмнтгαεορτυικνχηѵɡıℓ", "aeopcyxijsdhlbkmhtraeoptuiknxnvgil"
)


class Word(NamedTuple):
    """A word of a text.

    Attributes:
        raw: as it is spelled.
        bare: folded, so that spellings of one word are equal.
        opens: it begins a sentence, a quotation or a part after a colon.
    """

    raw: str
    bare: str
    opens: bool


def plain(text: str) -> str:
    """One form for equal characters, without hidden ones, spaces collapsed."""
    return " ".join(_HIDDEN.sub("", unicodedata.normalize("NFKC", text)).split())


@lru_cache(maxsize=65_536)
def bare(word: str) -> str:
    """A word folded: lower case, no accents, letters of other scripts replaced by lookalikes."""
    return fold(word.casefold().translate(_LOOKALIKES))


def words_of(text: str) -> list[Word]:
    """The words and numbers of a text that is `plain`."""
    found: list[Word] = []
    end = 0
    for match in _WORD.finditer(text):
        raw = match[0]
        opens = not found or not _OPENING.isdisjoint(text[end : match.start()])
        found.append(Word(raw, bare(raw), opens))
        end = match.end()
    return found


def bares(text: str) -> tuple[str, ...]:
    """The folded words of a text."""
    return tuple(bare(raw) for raw in _WORD.findall(plain(text)))


@lru_cache(maxsize=65_536)
def root(word: str) -> str:
    """A word's stem."""
    return stem(word)


def roots(words: Iterable[str], language: Language) -> set[str]:
    """The stems of the words that carry meaning; numbers are another rule's."""
    return {
        root(word)
        for word in words
        if len(word) > 2 and word not in language.stopwords and not word[-1].isdigit()
    }


def _has(view: str, phrase: str) -> bool:
    """Whether a phrase stands in a text of folded words, as whole words."""
    return f" {phrase} " in f" {view} "


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────

_LEET = str.maketrans("013457@$!", "oieastasi")
_LEET_L = str.maketrans("013457@$!", "oleastasl")
_LEET_SIGNS = frozenset("013457@$!")
_DIGITS = str.maketrans("oOiIlLsSzZbB", "001111552288")
_JOIN = 12
"""Letters that stand apart are joined to words of at most this many pieces."""


def _single(word: str) -> str:
    """A word without its plural ending."""
    if len(word) > 3 and word[-1] == "s" and not word[0].isdigit():
        return word[:-1]
    return word


@dataclass(frozen=True, eq=False)
class Secrets:
    """Finds a case's secrets in texts, however they are spelled.

    Attributes:
        gates: secret → when it may be told.
        starts: first stem of an alias of several words → their stems and secrets.
        joined: an alias without spaces → the alias and its secret.
    """

    gates: Mapping[str, Gate]
    starts: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]
    joined: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, case: Case, words: CaseWords) -> Secrets:
        """The secrets of a case in one language."""
        starts: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        joined: dict[str, tuple[str, str]] = {}
        for name, aliases in words.secrets.items():
            for alias in aliases:
                whole = bares(alias)
                key = tuple(map(root, whole))
                if len(key) > 1:
                    starts.setdefault(key[0], []).append((key, name))
                joined["".join(map(_single, whole))] = (" ".join(key), name)
        return cls(case.secrets, {k: tuple(v) for k, v in starts.items()}, joined)

    def told(self, text: str, words: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each alias that stands in a `plain` text of these folded words, with its secret."""
        yield from self._inflected([root(word) for word in words])
        for view in (words, [word[::-1] for word in reversed(words)], *_disguised(text)):
            singles = [_single(word) for word in view]
            yield from self._apart(singles)
            for word in singles:
                if word in self.joined:
                    yield self.joined[word]

    def _inflected(self, stems: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Aliases of several words, in any inflection."""
        for i, first in enumerate(stems):
            for key, name in self.starts.get(first, ()):
                if tuple(stems[i : i + len(key)]) == key:
                    yield " ".join(key), name

    def _apart(self, words: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Aliases whose letters or syllables stand apart."""
        for i, first in enumerate(words):
            if len(first) > 4:
                continue
            whole = first
            for word in words[i + 1 : i + _JOIN]:
                whole += word
                if whole in self.joined:
                    yield self.joined[whole]
                if len(word) > 4:
                    break


def _disguised(text: str) -> Iterator[list[str]]:
    """The words of a text with digits and signs read as letters, and letters as digits."""
    chunks = text.split(" ")
    mixed = [any(map(str.isalpha, chunk)) and not chunk.isalpha() for chunk in chunks]
    if not any(_LEET_SIGNS.intersection(c) for c, mix in zip(chunks, mixed, strict=True) if mix):
        return
    for table in (_LEET, _LEET_L, _DIGITS):
        pairs = zip(chunks, mixed, strict=True)
        yield list(bares(" ".join(c.translate(table) if mix else c for c, mix in pairs)))


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────


class Number(NamedTuple):
    """A number of a text.

    Attributes:
        value: digits (``1010``, ``0,4``, ``5h30``), however it was written.
        fact: it says more than a small count does.
    """

    value: str
    fact: bool


def numbers_of(words: Sequence[Word], pack: GuardWords) -> list[Number]:
    """The numbers of a text, in digits and in words."""
    found: list[Number] = []
    i = 0
    while i < len(words):
        if words[i].bare[-1].isdigit():
            found.append(Number(_digits(words[i].bare), fact=True))
            i += 1
        elif words[i].bare in pack.numbers:
            end = _run_end(words, i, pack)
            found += _spelled(words, i, end, pack)
            i = end
        else:
            i += 1
    return found


def _digits(token: str) -> str:
    """One way of writing a number: no dots between thousands, a comma before decimals."""
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", token):
        return token.replace(".", "")
    if re.fullmatch(r"\d+\.\d+", token):
        return token.replace(".", ",")
    return token.replace(":", "h")


def _parts(value: str) -> list[str]:
    """The day and month of a date, the hour and minute of a time."""
    return [part.lstrip("0") or "0" for part in re.split(r"[/h.]", value)]


def _run_end(words: Sequence[Word], start: int, pack: GuardWords) -> int:
    """Where a run of number words ends."""
    end = start + 1
    while end < len(words):
        if words[end].opens:
            break
        word = words[end].bare
        linked = word in pack.joint or word in pack.point
        if word in pack.numbers:
            end += 1
        elif linked and end + 1 < len(words) and words[end + 1].bare in pack.numbers:
            end += 2
        else:
            break
    return end


def _spelled(words: Sequence[Word], start: int, end: int, pack: GuardWords) -> list[Number]:
    run = [word.bare for word in words[start:end]]
    beside = [word.bare for word in words[end : end + 2]]
    timed = start > 0 and words[start - 1].raw.casefold() in pack.clock
    measured = timed or not pack.measures.isdisjoint(beside)
    whole, _, decimals = _split(run, pack.point)
    values = _add_up(whole, pack)
    if decimals:
        tail = "".join(str(value) for value in _add_up(decimals, pack))
        return [Number(f"{values[-1]},{tail}", fact=True)]
    many = len(values) > 1
    return [Number(str(v), fact=measured or many or v > SMALL) for v in values]


def _split(run: list[str], point: Set[str]) -> tuple[list[str], str, list[str]]:
    for i, word in enumerate(run):
        if word in point:
            return run[:i], word, run[i + 1 :]
    return run, "", []


def _add_up(run: Sequence[str], pack: GuardWords) -> list[int]:
    """The numbers that a run of number words makes: «duzentos e doze» is one, «dois três» two."""
    values: list[int] = []
    last = 0
    joined = False
    for word in run:
        if word not in pack.numbers:
            joined = True
            continue
        value = pack.numbers[word]
        if values and value >= 1000 and last < value:
            values[-1] = max(values[-1], 1) * value
        elif values and _fits(last, value, joined):
            values[-1] += value
        else:
            values.append(value)
        last, joined = value, False
    return values


def _fits(last: int, value: int, joined: bool) -> bool:
    """Whether a number word goes on with the number before it."""
    if last >= 1000:
        return value < last
    return joined and ((last >= 100 > value) or (20 <= last < 100 and value < 10))


# ── what is known of a case ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The words of a case in one language.

    Attributes:
        ordinary: words that are written in lower case somewhere, and so are no names.
        stems: their stems.
        names: words that the case only writes with a capital.
        deeds: form → acts (see `amazonia.domain.language.Act`).
        persons: words by which characters are meant.
        phrases: first word → phrases that begin with it, each with the rule that refuses it.
        rare: secret → stems of its aliases that hardly stand in everyday talk.
        keys: stems of what the case is solved with: clues, secrets, claims, what a beat must say.
    """

    language: Language
    secrets: Secrets
    ordinary: frozenset[str]
    stems: frozenset[str]
    names: frozenset[str]
    deeds: Mapping[str, frozenset[str]]
    persons: frozenset[str]
    phrases: Mapping[str, tuple[tuple[str, Reason], ...]]
    rare: Mapping[str, frozenset[str]]
    keys: frozenset[str]

    @property
    def pack(self) -> GuardWords:
        """What the language says about guarding."""
        return self.language.guard


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """What is compiled once: the words of one revision of a case. The same object is the same."""

    case: Case
    words: CaseWords

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Source) and self.words is other.words

    def __hash__(self) -> int:
        return hash((self.case.revision, id(self.words)))


@dataclass(frozen=True, slots=True)
class _Tongue:
    """A language, equal by its code."""

    code: str
    language: Language = field(compare=False, repr=False)


@lru_cache(maxsize=32)
def _secrets(source: _Source) -> Secrets:
    return Secrets.of(source.case, source.words)


@lru_cache(maxsize=32)
def _lexicon(source: _Source, tongue: _Tongue) -> Lexicon:
    words, language = source.words, tongue.language
    pack = language.guard
    lower: set[str] = set()
    upper: set[str] = set()
    for text in _strings(words, skip=("examples", "aliases", "secrets")):
        for word in words_of(plain(text)):
            if word.raw.islower():
                lower.add(word.bare)
            elif not word.opens and not word.raw.isupper():
                upper.add(word.bare)
    names = frozenset(word for word in upper - lower if len(word) > 2)
    spoken = {word for text in _utterances(words, language) for word in bares(text)}
    people = {word for word in pack.people if word not in lower}
    ordinary = frozenset((lower | spoken) - names - people)
    deeds: dict[str, set[str]] = {}
    for name, act in pack.acts.items():
        for form in (*act.mine, *act.theirs, *act.named):
            deeds.setdefault(form, set()).add(name)
    return Lexicon(
        language=language,
        secrets=_secrets(source),
        ordinary=ordinary,
        stems=frozenset(map(stem, ordinary)),
        names=names,
        deeds={form: frozenset(acts) for form, acts in deeds.items()},
        persons=frozenset(_called(words, ordinary)) - language.stopwords - pack.persons,
        phrases=_phrases(pack),
        rare=_rare(words, language),
        keys=frozenset(_keys(words, language)) - _common(language),
    )


def _common(language: Language) -> set[str]:
    """Stems that tell nothing, whatever a case makes of them."""
    pack = language.guard
    return roots((*pack.everyday, *pack.own, *pack.numbers, *language.questions), language)


def _phrases(pack: GuardWords) -> dict[str, tuple[tuple[str, Reason], ...]]:
    lists: tuple[tuple[Reason, tuple[str, ...]], ...] = (
        ("profanity", pack.profanity),
        ("machine", pack.machine),
        ("personal", pack.personal),
        ("guilt", pack.blames),
        ("echo", pack.confirms),
    )
    index: dict[str, tuple[tuple[str, Reason], ...]] = {}
    for reason, phrases in lists:
        for phrase in phrases:
            first = phrase.partition(" ")[0]
            index[first] = (*index.get(first, ()), (phrase, reason))
    return index


def _rare(words: CaseWords, language: Language) -> dict[str, frozenset[str]]:
    talk = (*language.offtopic, *(line for lines in language.smalltalk.values() for line in lines))
    everyday = roots((word for text in talk for word in bares(text)), language)
    everyday |= _common(language)
    return {
        name: frozenset(r for r in _telling(aliases, language) if r not in everyday)
        for name, aliases in words.secrets.items()
    }


def _telling(texts: Iterable[str], language: Language) -> Iterator[str]:
    """The stems of the longer words of texts; «chá» would be found in «chão»."""
    for text in texts:
        yield from roots((word for word in bares(text) if len(word) > 3), language)


def _keys(words: CaseWords, language: Language) -> Iterator[str]:
    texts = [alias for aliases in words.secrets.values() for alias in aliases]
    for clue in words.clues.values():
        texts += [clue.title, *clue.aliases]
    for who in words.characters.values():
        texts += [must for t in who.topics.values() for step in t.steps for must in step.must]
    texts += [claim.text for claim in words.publication.claims.values()]
    yield from _telling(texts, language)


def _called(words: CaseWords, ordinary: Set[str]) -> Iterator[str]:
    """The words by which a character is meant: «Graça», but not the «Luz» of a surname."""
    for who in words.characters.values():
        yield bares(who.short)[-1]
        yield from (word for word in bares(who.name) if word not in ordinary and len(word) > 2)


def _strings(value: object, skip: Sequence[str]) -> Iterator[str]:
    """Every text inside a value, leaving out fields of these names."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item, skip)
    elif isinstance(value, tuple):
        for item in value:
            yield from _strings(item, skip)
    elif is_dataclass(value):
        for part in fields(value):
            if part.name not in skip:
                yield from _strings(getattr(value, part.name), skip)


def _utterances(words: CaseWords, language: Language) -> Iterator[str]:
    """What people are expected to type: everyday words, names in lower case among them."""
    for who in words.characters.values():
        for topic in who.topics.values():
            yield from topic.examples
    yield from language.offtopic
    for lines in language.smalltalk.values():
        yield from lines
    yield from language.slang.values()
    yield from language.stopwords
    yield from language.questions
    yield from language.concepts
    yield from language.guard.everyday


@dataclass(frozen=True, slots=True)
class Public:
    """What a character may always mention: words and numbers that everybody reads."""

    words: frozenset[str]
    numbers: frozenset[str]
    roots: frozenset[str]


@lru_cache(maxsize=256)
def _public(source: _Source, tongue: _Tongue, character: CharacterId) -> Public:
    """The names of people and places, the opening, the character's own sheet."""
    words = source.words
    who = words.characters[character]
    sheet = (who.place, who.about, who.manner, who.role, who.subject)
    spoken = (*who.greeting, *who.greeting_again, *who.smalltalk.get("who", ()))
    names = [text for w in words.characters.values() for text in (w.name, w.short, w.role)]
    places = [text for place in words.places.values() for text in (place.name, place.line)]
    opening = (words.title, words.setting, *words.opening, *words.briefing)
    texts = (*sheet, *spoken, *names, *places, *opening)
    pack = tongue.language.guard
    all_words = [word for text in texts for word in words_of(plain(text))]
    counted = (*sheet, *spoken, *opening)
    return Public(
        frozenset(word.bare for word in all_words) | pack.names,
        frozenset(n for text in counted for n in _values(text, pack)) | ({str(who.age)} - {"0"}),
        frozenset(roots((w for t in _chatter(words, who) for w in bares(t)), tongue.language)),
    )


def _chatter(words: CaseWords, who: CharacterWords) -> Iterator[str]:
    """What the character says and does from the start, and what everybody reads."""
    skip = ("topics", "reactions", "locked", "name")
    for part in fields(who):
        if part.name not in skip:
            yield from _strings(getattr(who, part.name), ())
    yield from (*words.opening, *words.briefing)


def _values(text: str, pack: GuardWords) -> Iterator[str]:
    """The numbers of a text and the parts of its dates and times."""
    for number in numbers_of(words_of(plain(text)), pack):
        yield number.value
        if "," not in number.value:
            yield from _parts(number.value)


class Content(NamedTuple):
    """What a text holds: its words, numbers, stems, and the aliases of secrets."""

    words: frozenset[str]
    numbers: frozenset[str]
    roots: frozenset[str]
    aliases: frozenset[str]


@lru_cache(maxsize=8_192)
def _content(lexicon: Lexicon, text: str) -> Content:
    words = bares(text)
    return Content(
        frozenset(words),
        frozenset(_values(text, lexicon.pack)),
        frozenset(roots(words, lexicon.language)),
        frozenset(alias for alias, _ in lexicon.secrets.told(plain(text), words)),
    )


# ── the beat ────────────────────────────────────────────────────────────────────────────────────


def _texts(words: CaseWords, character: CharacterId, lines: Iterable[str]) -> Iterator[str]:
    for ref in lines:
        try:
            line = read(words, character, ref)
        except KeyError:  # the case was revised since
            continue
        yield line.text


def _own_labels(scene: Scene, who: CharacterWords) -> Iterator[str]:
    """What the topics that the beat tells of are called."""
    for ref in scene.lines:
        match ref.split("/"):
            case ["topics", topic_id, "steps" | "recap", *_] if topic_id in who.topics:
                topic = who.topics[TopicId(topic_id)]
                yield f"{topic.label} {topic.suggestion}"


def _open_labels(scene: Scene, who: CharacterWords) -> Iterator[str]:
    for topic in scene.case.characters[scene.character].topics.values():
        if topic.when.open(scene.holds):
            yield who.topics[topic.id].label


def _ways(scene: Scene) -> list[frozenset[str]]:
    """What must have been achieved for the beat to be played, one set a way.

    A step is only told when its topic's gate and its own are open, and hearing it awards its clue.
    """
    ways: list[frozenset[str]] = [frozenset()]
    for ref in scene.lines:
        match ref.split("/"):
            case ["topics", topic_id, "steps", step, *_] if step.isdigit():
                ways = [a | b for a in ways for b in _step_ways(scene, topic_id, int(step))]
            case ["topics", topic_id, "recap", _]:
                topic = scene.case.characters[scene.character].topics.get(TopicId(topic_id))
                last = len(topic.steps) - 1 if topic else -1
                ways = [a | b for a in ways for b in _step_ways(scene, topic_id, last)]
    return ways


def _step_ways(scene: Scene, topic_id: str, depth: int) -> Iterator[frozenset[str]]:
    topic = scene.case.characters[scene.character].topics.get(TopicId(topic_id))
    if topic is None or not 0 <= depth < len(topic.steps):
        yield frozenset()
        return
    steps = topic.steps[: depth + 1]
    told: set[str] = {step.clue for step in steps if step.clue}
    told |= {f"{topic.key}@{i + 1}" for i in range(depth + 1)}
    for way in topic.when.ways:
        yield way | told | (steps[-1].when.ways[0] if len(steps[-1].when.ways) == 1 else set())


def _either(way: Set[str], holds: Holds) -> Holds:
    return lambda atom: atom in way or holds(atom)


class Guard:
    """Reads the sentences of one reply, in order, and remembers those that it accepted.

    Building one takes a fraction of a millisecond after `prepare`.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        source = _Source(scene.case, scene.words)
        tongue = _Tongue(scene.language.code, scene.language)
        self._lexicon = _lexicon(source, tongue)
        self._pack = scene.language.guard
        self._beat = tuple(map(plain, _texts(scene.words, scene.character, scene.lines)))
        who = scene.words.characters[scene.character]
        public = _public(source, tongue, scene.character)
        told = [_content(self._lexicon, text) for text in (*self._beat, *scene.known)]
        near = [_content(self._lexicon, text) for text in _own_labels(scene, who)]
        offered = [_content(self._lexicon, text) for text in _open_labels(scene, who)]
        self._words = public.words.union(*(c.words for c in (*told, *offered)))
        self._numbers = public.numbers.union(*(c.numbers for c in told))
        self._grounded = public.roots.union(*(c.roots for c in (*told, *near)))
        self._free = frozenset[str]().union(*(c.aliases for c in told))
        self._holdings = [_either(way, scene.holds) for way in _ways(scene)]
        self._accepted: list[str] = []
        self._tail: tuple[str, ...] = ()
        self._length = 0

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    def read(self, sentence: str) -> str | Fault:
        """The sentence, cleaned, or what is wrong with it; empty when nothing is left.

        Cleaning takes off what a model adds out of habit: the speaker's name, quotes around
        everything, gestures between asterisks, emphasis, emoji.
        """
        fault = _markup(sentence)
        if fault:
            return fault
        text = self._clean(sentence)
        words = words_of(text)
        if not words:
            return "" if not text.strip(" .…!?—–-") else self._accept(text, words)
        fault = self._judge(text, words)
        return fault or self._accept(text, words)

    def missing(self) -> tuple[str, ...]:
        """What the beat must say and no accepted sentence has said yet."""
        scene = self._scene
        said = f" {' '.join(bares(' '.join(self._accepted)))}"
        return tuple(
            entry
            for entry in musts(scene.words, scene.character, scene.lines)
            if not any(f" {' '.join(bares(way))}" in said for way in entry.split("|"))
        )

    def _accept(self, text: str, words: list[Word]) -> str:
        self._accepted.append(text)
        self._tail = tuple(word.bare for word in words[-TAIL:])
        self._length += len(text) + 1
        return text

    def _clean(self, sentence: str) -> str:
        if max(sentence, default="") >= _FIRST_EMOJI:
            sentence = "".join(c for c in sentence if not _is_emoji(c))
        text = plain(sentence)
        text = _EMPHASIS.sub(r"\2", text)
        text = _GESTURE.sub(" ", text)
        text = text.replace("*", "").replace("_", " ")
        text = _unprefix(" ".join(text.split()), self._called)
        return " ".join(_unquote(text.lstrip("–—-•> ")).split())

    def _judge(self, text: str, words: list[Word]) -> Fault | None:
        view = " ".join(word.bare for word in words)
        return (
            self._too_long(text)
            or _link(text)
            or self._phrase(text, words, view)
            or self._foreign(text, words)
            or self._secret(text, words)
            or self._beyond(text, words)
            or self._recital(words)
            or self._number(words)
            or self._name(words)
            or self._guilt(text, words, view)
            or self._confirmation(text, words, view)
            or self._echo(text, words)
        )

    # ── the rules ───────────────────────────────────────────────────────────────────────────────

    def _too_long(self, text: str) -> Fault | None:
        if len(text) > MAX_SENTENCE:
            return Fault("length", f"{len(text)} characters")
        if self._length + len(text) > MAX_REPLY or len(self._accepted) >= MAX_SENTENCES:
            return Fault("length", f"{len(self._accepted)} sentences, {self._length} characters")
        return None

    def _phrase(self, text: str, words: list[Word], view: str) -> Fault | None:
        """Swear words; talk of machines, orders, personal data; blame; «you are right»."""
        for word in words:
            for phrase, reason in self._lexicon.phrases.get(word.bare, ()):
                if reason == "echo" and _asks(text):
                    continue
                if _has(view, phrase) and not _has(self._view, phrase):
                    return Fault(reason, phrase)
        return None

    @cached_property
    def _called(self) -> frozenset[str]:
        who = self._scene.words.characters[self._scene.character]
        return frozenset((*bares(who.name), *bares(who.short)))

    @cached_property
    def _view(self) -> str:
        """The folded words of the beat."""
        return " ".join(word for text in self._beat for word in (*bares(text), "|"))

    def _foreign(self, text: str, words: list[Word]) -> Fault | None:
        """Another script or language, or no language at all."""
        if max(text) >= _FIRST_FOREIGN:
            strange = next((c for c in text if c.isalpha() and not _is_latin(c)), None)
            if strange:
                return Fault("language", strange)
        if len(words) < 4:
            return None
        view = [word.bare for word in words]
        own = sum(word in self._pack.own for word in view)
        for code, marks in self._pack.foreign.items():
            other = sum(word in marks for word in view)
            if other > own or (other and not own):
                return Fault("language", code)
        letters = [w for w in view if not w[-1].isdigit()]
        unknown = [w for w in letters if not self._is_known(w)]
        if self._pack.own and len(unknown) > max(2, len(letters) * 0.5):
            return Fault("language", " ".join(unknown))
        return None

    def _is_known(self, word: str) -> bool:
        lexicon = self._lexicon
        return word in lexicon.ordinary or word in self._words or root(word) in lexicon.stems

    def _secret(self, text: str, words: list[Word]) -> Fault | None:
        across = [*self._tail, *(word.bare for word in words)]
        for alias, name in self._lexicon.secrets.told(text, across):
            if alias not in self._free and self._is_locked(name):
                return Fault("secret", alias)
        return None

    def _is_locked(self, secret: str) -> bool:
        gate = self._scene.case.secrets[secret]
        return not all(gate.open(holds) for holds in self._holdings)

    def _beyond(self, text: str, words: list[Word]) -> Fault | None:
        """Words of the solution that are not the beat's: a secret told in other words."""
        new = self._roots(word.bare for word in words) - self._grounded
        if _asks(text):
            new -= self._asked
        rare = new & self._rare
        keys = new & self._lexicon.keys
        if rare or len(keys) >= MANY_KEYS:
            return Fault("secret", " ".join(sorted(rare or keys)))
        return None

    @cached_property
    def _rare(self) -> frozenset[str]:
        """Telling words of the secrets that are still locked."""
        rare = self._lexicon.rare
        return frozenset().union(*(rare[name] for name in rare if self._is_locked(name)))

    def _recital(self, words: list[Word]) -> Fault | None:
        for shingle in _shingles([word.bare for word in words]):
            if shingle in self._recitable:
                return Fault("prompt", " ".join(shingle))
        return None

    @cached_property
    def _recitable(self) -> frozenset[tuple[str, ...]]:
        told = {s for text in self._beat for s in _shingles(bares(text))}
        return frozenset(s for text in self._scene.prompt for s in _shingles(bares(text))) - told

    def _number(self, words: list[Word]) -> Fault | None:
        for number in numbers_of(words, self._pack):
            if number.fact and number.value not in self._numbers and not self._is_date(number):
                return Fault("number", number.value)
        return None

    def _is_date(self, number: Number) -> bool:
        """A date or time whose parts were all read, if in another spelling."""
        parts = _parts(number.value)
        return len(parts) > 1 and "," not in number.value and self._numbers.issuperset(parts)

    def _name(self, words: list[Word]) -> Fault | None:
        for word in words:
            if not self._may_say(word):
                return Fault("name", word.raw)
        for left, right in pairwise(words):
            if (
                self._is_capital(left)
                and self._is_capital(right)
                and not right.opens
                and not (left.bare in self._words and right.bare in self._words)
            ):
                return Fault("name", f"{left.raw} {right.raw}")
        return None

    def _may_say(self, word: Word) -> bool:
        """Whether a word is no name, or that of somebody or something known here."""
        if word.bare in self._words or len(word.bare) < 3 or word.bare[-1].isdigit():
            return True
        if word.bare in self._lexicon.names:
            return False
        ordinary = word.bare in self._lexicon.ordinary
        if word.raw[0].islower():
            return ordinary or word.bare not in self._pack.people
        if word.raw.isupper():  # shouted
            return word.bare not in self._pack.people
        if word.opens:
            return ordinary or self._is_inflected(word.bare)
        return ordinary and word.bare not in self._pack.people

    def _is_inflected(self, word: str) -> bool:
        if word in self._pack.people:
            return False
        return root(word) in self._lexicon.stems or word.endswith(self._pack.endings)

    @staticmethod
    def _is_capital(word: Word) -> bool:
        """One of the words of a name, if there are several in a row."""
        return word.raw[0].isupper() and not word.raw.isupper() and not word.opens

    # ── guilt ───────────────────────────────────────────────────────────────────────────────────

    def _guilt(self, text: str, words: list[Word], view: str) -> Fault | None:
        """Somebody did something, or did not, of which the beat says nothing."""
        who = self._blamed(text, words)
        if who:
            return Fault("guilt", who)
        named = {word.bare for word in words if word.bare in self._lexicon.persons}
        persons = named | {word.bare for word in words if word.bare in self._pack.persons}
        if _asks(text) and not persons:
            return None
        for word in words:
            for act in self._lexicon.deeds.get(word.bare, ()):
                if self._accuses(word.bare, act, named, persons, view):
                    return Fault("guilt", word.raw)
        return None

    def _accuses(self, form: str, act: str, named: Set[str], persons: Set[str], view: str) -> bool:
        forms = self._pack.acts[act]
        own = form in forms.mine
        if act in self._acts and (persons if own else named) <= self._words_of_beat:
            return own and forms.mine.isdisjoint(self._words_of_beat)
        mild = act in self._pack.mild
        by_itself = form in forms.theirs and not mild
        someone = persons - self._pack.selves if mild else persons
        return own or by_itself or bool(someone) or self._is_about_secret(form, view)

    def _is_about_secret(self, form: str, view: str) -> bool:
        """«A amostra foi trocada» accuses, though nobody in particular."""
        return any(root(word) in self._hot for word in view.split() if word != form)

    @cached_property
    def _hot(self) -> frozenset[str]:
        """Stems of the words in which locked secrets are told."""
        secrets = self._scene.words.secrets
        aliases = [a for name in secrets if self._is_locked(name) for a in secrets[name]]
        language = self._scene.language
        return frozenset(_telling(aliases, language)) - _common(language)

    @cached_property
    def _words_of_beat(self) -> frozenset[str]:
        own = bares(self._scene.words.characters[self._scene.character].name)
        return frozenset(self._view.split()) | frozenset(own) | self._pack.selves

    @cached_property
    def _acts(self) -> frozenset[str]:
        """The deeds that the beat speaks of."""
        return frozenset(
            act for word in self._words_of_beat for act in self._lexicon.deeds.get(word, ())
        )

    def _blamed(self, text: str, all_words: list[Word]) -> str | None:
        """«Foi o Josué.», «era o Josué na canoa»: who it was, of which the beat says nothing."""
        if self._pack.blamed.isdisjoint(word.bare for word in all_words):
            return None
        for clause in _CLAUSE.split(text):
            words = bares(clause)
            for i, word in enumerate(words):
                if word not in self._pack.blamed:
                    continue
                who = self._person_after(words, i)
                if who and not self._tells(words, i, who):
                    return clause.strip()
        return None

    def _person_after(self, words: Sequence[str], start: int) -> int:
        """Where within three words a person is named; 0 if nowhere."""
        for i in range(start + 1, min(start + 4, len(words))):
            if words[i] in self._pack.relative:
                break
            if words[i] in self._persons:
                return i
        return 0

    def _tells(self, words: Sequence[str], start: int, who: int) -> bool:
        """Whether the beat says it too, or the clause goes on to say what they did."""
        if words[who] not in self._lexicon.persons and _has(
            self._view, " ".join(words[who - 1 : who + 1])
        ):
            return True
        if _has(self._view, " ".join(words[start : who + 1])):
            return True
        return not self._pack.relative.isdisjoint(words[who + 1 : who + 2])

    @cached_property
    def _persons(self) -> frozenset[str]:
        return self._lexicon.persons | self._pack.persons

    # ── obedience ───────────────────────────────────────────────────────────────────────────────

    def _confirmation(self, text: str, words: list[Word], view: str) -> Fault | None:
        """A bare yes or no that the beat does not say."""
        if self._accepted or _asks(text) or _has(self._view, view):
            return None
        if self._pack.answers.issuperset(word.bare for word in words):
            return Fault("echo", view)
        return None

    def _echo(self, text: str, words: list[Word]) -> Fault | None:
        """What the player typed, said back as if it were so."""
        if _asks(text):
            return None
        said = self._roots(word.bare for word in words)
        echoed = (said & self._asked) - self._told
        if len(said) >= 3 and len(echoed) >= ECHO * len(said):
            return Fault("echo", " ".join(sorted(echoed)))
        return None

    @cached_property
    def _asked(self) -> set[str]:
        return self._roots(bares(self._scene.message))

    @cached_property
    def _told(self) -> set[str]:
        return self._roots(self._view.replace("|", " ").split())

    def _roots(self, words: Iterable[str]) -> set[str]:
        return roots(words, self._scene.language)


def prepare(case: Case, words: CaseWords, language: Language) -> None:
    """Compile a case's words ahead, which takes about half a second, so that no turn waits."""
    source, tongue = _Source(case, words), _Tongue(language.code, language)
    _lexicon(source, tongue)
    for character in words.characters:
        _public(source, tongue, character)


def names_secret(case: Case, words: CaseWords, message: str, holds: Holds) -> bool:
    """Whether a question names a fact that is still locked; then no model is asked at all."""
    told = _secrets(_Source(case, words)).told(plain(message), bares(message))
    return any(not case.secrets[name].open(holds) for _, name in told)


# ── form ────────────────────────────────────────────────────────────────────────────────────────

_CLAUSE = re.compile(r"[.,;:!?…()]+|\s[–—]\s")
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|__|(?<!\w)_)(?=\S)(.+?)(?<=\S)\1")
_GESTURE = re.compile(r"\*[^*]+\*|\[[^\]]*\]")
_CODE = re.compile(
    r"```|`|</?[a-zA-Z]|\{\s*[\"'}]|\]\(|^\s*#{1,6}\s|\|\s*-{2,}|&[a-z]+;|=>|::|\\[nrtu]"
)
_LINK = re.compile(
    r"https?:|www\.|\b[\w-]+\.(?:com|org|net|br|gov|edu|io|dev|info|app|tv|me|ly|gg|xyz)\b"
    r"|@\w|\w@|#\w",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"\d{3}[.\s]?\d{3}[.\s]?\d{3}[-\s]?\d{2}|\(\d{2}\)|\b9?\d{4}[-\s]\d{4}\b|\b\d{5}-\d{3}\b|\d{8,}"
)
_LONG = re.compile(r"\S{31,}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_FIRST_EMOJI = "\u2100"
_FIRST_FOREIGN = "\u0250"
"""Below these characters there are no emoji and no letters but Latin ones."""
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»"}


def _markup(sentence: str) -> Fault | None:
    if _CONTROL.search(sentence):
        return Fault("markup", "control character")
    code = _CODE.search(sentence)
    return Fault("markup", code[0]) if code else None


def _link(text: str) -> Fault | None:
    link = _LINK.search(text)
    if link:
        return Fault("link", link[0])
    personal = _PERSONAL.search(text)
    if personal:
        return Fault("personal", personal[0])
    long = _LONG.search(text)
    return Fault("link", long[0]) if long else None


@lru_cache(maxsize=4096)
def _is_emoji(character: str) -> bool:
    return (unicodedata.category(character) in ("So", "Sk", "Cs", "Co") and character != "°") or (
        character in "\u200d\ufe0f\u20e3"
    )


@lru_cache(maxsize=4096)
def _is_latin(character: str) -> bool:
    return character in "µμºª" or unicodedata.name(character, "").startswith("LATIN")


def _unprefix(text: str, names: frozenset[str]) -> str:
    """A text without «Esmerina:» before it."""
    head, colon, rest = text.partition(":")
    if not colon or len(head) > MAX_NAME:
        return text
    words = bares(head)
    return rest.strip() if words and names.issuperset(words) else text


def _unquote(text: str) -> str:
    """A text without quotes around all of it, or a lone one left of those."""
    for left, right in _QUOTES.items():
        inner = text[1:-1]
        if (
            len(text) > 1
            and text[0] == left
            and text[-1] == right
            and not {left, right} & set(inner)
        ):
            return inner.strip()
        if left != right:
            ends = text.count(left), text.count(right)
            if text.startswith(left) and ends == (1, 0):
                return text[1:].strip()
            if text.endswith(right) and ends == (0, 1):
                return text[:-1].strip()
        elif text.count(left) == 1 and left == '"':
            return text.strip('"').strip()
    return text


def _asks(text: str) -> bool:
    return text.rstrip("»”\"'").endswith("?")


def _shingles(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for i in range(len(words) - SHINGLE + 1):
        yield tuple(words[i : i + SHINGLE])
