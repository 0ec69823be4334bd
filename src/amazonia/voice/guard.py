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
SHINGLE = 6
"""Words in a row that are a recital of the prompt."""
SMALL = 10
"""Number words up to this one are not facts by themselves: «duas coisas»."""
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
_OPENING = frozenset(".!?…:;«“\"'(–—*")
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


def _has(text: str, phrases: Iterable[str]) -> str | None:
    """The first of the phrases that stands in a text of folded words, as whole words."""
    padded = f" {text} "
    return next((phrase for phrase in phrases if f" {phrase} " in padded), None)


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────

_CHUNK = re.compile(r"\S+")
_LEET = str.maketrans("013457@$!", "oieastasi")
_LEET_L = str.maketrans("013457@$!", "oleastasl")
_DIGITS = str.maketrans("oOiIlLsSzZbB", "001111552288")
_JOIN = 12
"""Letters that stand apart are joined to words of at most this many pieces."""


def _single(word: str) -> str:
    """A word without its plural ending."""
    if len(word) > 3 and word[-1] == "s" and not word[0].isdigit():
        return word[:-1]
    return word


@dataclass(frozen=True)
class Secrets:
    """Finds a case's secrets in texts, however they are spelled.

    Attributes:
        gates: secret → when it may be told.
        starts: first word of an alias → the aliases, each with its secret.
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
                key = tuple(map(_single, bares(alias)))
                starts.setdefault(key[0], []).append((key, name))
                joined["".join(key)] = (" ".join(key), name)
        return cls(case.secrets, {k: tuple(v) for k, v in starts.items()}, joined)

    def told(self, text: str) -> Iterator[tuple[str, str]]:
        """Each alias that stands in a `plain` text, with its secret."""
        for view in _views(text):
            singles = [_single(word) for word in view]
            yield from self._plainly(singles)
            yield from self._apart(singles)

    def _plainly(self, words: Sequence[str]) -> Iterator[tuple[str, str]]:
        for i, word in enumerate(words):
            for key, name in self.starts.get(word, ()):
                if tuple(words[i : i + len(key)]) == key:
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

    def locked(self, text: str, free: Set[str], holds: Holds) -> str | None:
        """The first alias in a `plain` text whose secret is locked and which is not in `free`."""
        for alias, name in self.told(text):
            if alias not in free and not self.gates[name].open(holds):
                return alias
        return None


def _views(text: str) -> Iterator[list[str]]:
    """The folded words of a text: as it stands, with digits read as letters, and backwards."""
    words = [bare(raw) for raw in _WORD.findall(text)]
    yield words
    yield [word[::-1] for word in reversed(words)]
    chunks = text.split(" ")
    mixed = [any(map(str.isalpha, c)) and not c.isalpha() for c in chunks]
    if any(mixed):
        for table in (_LEET, _LEET_L, _DIGITS):
            yield list(bares(" ".join(
                c.translate(table) if mix else c for c, mix in zip(chunks, mixed, strict=True)
            )))


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


@dataclass(frozen=True)
class Lexicon:
    """The words of a case in one language.

    Attributes:
        ordinary: words that are written in lower case somewhere, and so are no names.
        stems: their stems.
        names: words that the case only writes with a capital.
        deeds: form → acts (see `amazonia.domain.language.Act`).
    """

    language: Language
    secrets: Secrets
    ordinary: frozenset[str]
    stems: frozenset[str]
    names: frozenset[str]
    deeds: Mapping[str, frozenset[str]]
    persons: frozenset[str]

    @property
    def pack(self) -> GuardWords:
        """What the language says about guarding."""
        return self.language.guard


@dataclass(frozen=True, slots=True)
class _Key:
    """Equal for equal revisions; carries what the revision stands for."""

    revision: str
    lang: str
    case: Case = field(compare=False, repr=False)
    words: CaseWords = field(compare=False, repr=False)
    language: Language = field(compare=False, repr=False)


@lru_cache(maxsize=32)
def _lexicon(key: _Key) -> Lexicon:
    pack = key.language.guard
    lower: set[str] = set()
    upper: set[str] = set()
    for text in _strings(key.words, skip=("examples", "aliases", "secrets")):
        for word in words_of(plain(text)):
            if word.raw.islower():
                lower.add(word.bare)
            elif not word.opens and not word.raw.isupper():
                upper.add(word.bare)
    names = frozenset(word for word in upper - lower if len(word) > 2)
    spoken = {word for text in _utterances(key.words, key.language) for word in bares(text)}
    people = {word for word in pack.people if word not in lower}
    ordinary = frozenset((lower | spoken) - names - people)
    deeds: dict[str, set[str]] = {}
    for name, act in pack.acts.items():
        for form in (*act.mine, *act.theirs, *act.named):
            deeds.setdefault(form, set()).add(name)
    return Lexicon(
        language=key.language,
        secrets=Secrets.of(key.case, key.words),
        ordinary=ordinary,
        stems=frozenset(map(stem, ordinary)),
        names=names,
        deeds={form: frozenset(acts) for form, acts in deeds.items()},
        persons=frozenset(_called(key.words)) - pack.names - {"da", "de", "do", "dona", "dr"},
    )


def _called(words: CaseWords) -> Iterator[str]:
    for who in words.characters.values():
        yield from bares(who.name)
        yield from bares(who.short)


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


@dataclass(frozen=True, slots=True)
class _PublicKey:
    """A character of a case, as `_Key`."""

    key: _Key
    character: CharacterId


@dataclass(frozen=True, slots=True)
class Public:
    """What a character may always mention: words and numbers that everybody reads."""

    words: frozenset[str]
    numbers: frozenset[str]


@lru_cache(maxsize=256)
def _public(key: _PublicKey) -> Public:
    """The names of people and places, the opening, the character's own sheet."""
    words = key.key.words
    who = words.characters[key.character]
    sheet = (who.place, who.about, who.manner, who.role, who.subject)
    spoken = (*who.greeting, *who.greeting_again, *who.smalltalk.get("who", ()))
    names = [text for w in words.characters.values() for text in (w.name, w.short, w.role)]
    places = [text for place in words.places.values() for text in (place.name, place.line)]
    opening = (words.title, words.setting, *words.opening, *words.briefing)
    texts = (*sheet, *spoken, *names, *places, *opening)
    pack = key.key.language.guard
    all_words = [word for text in texts for word in words_of(plain(text))]
    counted = (*sheet, *spoken, *opening)
    return Public(
        frozenset(word.bare for word in all_words) | pack.names,
        frozenset(n for text in counted for n in _values(text, pack)) | ({str(who.age)} - {"0"}),
    )


def _values(text: str, pack: GuardWords) -> Iterator[str]:
    """The numbers of a text and the parts of its dates and times."""
    for number in numbers_of(words_of(plain(text)), pack):
        yield number.value
        if "," not in number.value:
            yield from _parts(number.value)


# ── the beat ────────────────────────────────────────────────────────────────────────────────────


def _texts(words: CaseWords, character: CharacterId, lines: Iterable[str]) -> Iterator[str]:
    for ref in lines:
        try:
            line = read(words, character, ref)
        except KeyError:  # the case was revised since
            continue
        yield line.text


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


class Guard:
    """Reads the sentences of one reply, in order, and remembers those that it accepted.

    Building one takes about a millisecond, the first of a case some hundred.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        key = _Key(scene.case.revision, scene.language.code, scene.case, scene.words, scene.language)
        self._lexicon = _lexicon(key)
        self._pack = scene.language.guard
        self._beat = tuple(map(plain, _texts(scene.words, scene.character, scene.lines)))
        who = scene.words.characters[scene.character]
        told = (*self._beat, *map(plain, scene.known))
        public = _public(_PublicKey(key, scene.character))
        self._words = public.words | {
            word.bare for text in (*told, *_open_labels(scene, who)) for word in words_of(text)
        }
        self._numbers = public.numbers | {n for text in told for n in _values(text, self._pack)}
        self._free = {alias for text in told for alias, _ in self._lexicon.secrets.told(text)}
        self._implied = _ways(scene)
        self._accepted: list[str] = []
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
            return "" if not text.strip(" .…!?—–-") else self._accept(text)
        fault = self._judge(text, words)
        return fault if fault else self._accept(text)

    def missing(self) -> tuple[str, ...]:
        """What the beat must say and no accepted sentence has said yet."""
        scene = self._scene
        said = f" {' '.join(bares(' '.join(self._accepted)))}"
        return tuple(
            entry
            for entry in musts(scene.words, scene.character, scene.lines)
            if not any(f" {' '.join(bares(way))}" in said for way in entry.split("|"))
        )

    def _accept(self, text: str) -> str:
        self._accepted.append(text)
        self._length += len(text) + 1
        return text

    def _clean(self, sentence: str) -> str:
        text = plain("".join(c for c in sentence if not _is_emoji(c)))
        text = _EMPHASIS.sub(r"\2", text)
        text = _GESTURE.sub(" ", text)
        text = text.replace("*", "").replace("_", " ")
        who = self._scene.words.characters[self._scene.character]
        text = _unprefix(" ".join(text.split()), (who.name, who.short))
        return " ".join(_unquote(text.lstrip("–—-•> ")).split())

    def _judge(self, text: str, words: list[Word]) -> Fault | None:
        view = " ".join(word.bare for word in words)
        return (
            self._too_long(text)
            or _link(text)
            or self._phrases(view)
            or self._foreign(text, words)
            or self._secret(text)
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

    def _phrases(self, view: str) -> Fault | None:
        """Swear words; talk about machines, orders and the game; personal data."""
        lists: tuple[tuple[Reason, tuple[str, ...]], ...] = (
            ("profanity", self._pack.profanity),
            ("machine", self._pack.machine),
            ("personal", self._pack.personal),
        )
        for reason, phrases in lists:
            for phrase in phrases:
                if phrase in view and _has(view, (phrase,)) and not _has(self._view, (phrase,)):
                    return Fault(reason, phrase)
        return None

    @cached_property
    def _view(self) -> str:
        """The folded words of the beat."""
        return " ".join(word for text in self._beat for word in (*bares(text), "|"))

    def _foreign(self, text: str, words: list[Word]) -> Fault | None:
        """Another script or language, or no language at all."""
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
        return word in lexicon.ordinary or word in self._words or stem(word) in lexicon.stems

    def _secret(self, text: str) -> Fault | None:
        before = " ".join(bares(self._accepted[-1])[-TAIL:]) if self._accepted else ""
        for way in self._implied:
            alias = self._lexicon.secrets.locked(
                f"{before} {text}".strip(),
                self._free,
                lambda atom, way=way: atom in way or self._scene.holds(atom),  # type: ignore[misc]
            )
            if alias:
                return Fault("secret", alias)
        return None

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
            if all(self._is_coined(word) for word in (left, right)):
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
        if word.opens or word.raw.isupper():
            return ordinary or self._is_inflected(word.bare)
        return ordinary and word.bare not in self._pack.people

    def _is_inflected(self, word: str) -> bool:
        if word in self._pack.people:
            return False
        return stem(word) in self._lexicon.stems or word.endswith(self._pack.endings)

    def _is_coined(self, word: Word) -> bool:
        """One of several everyday words that capitals make a name of."""
        capital = word.raw[0].isupper() and not word.raw.isupper() and not word.opens
        return capital and word.bare not in self._words

    # ── guilt ───────────────────────────────────────────────────────────────────────────────────

    def _guilt(self, text: str, words: list[Word], view: str) -> Fault | None:
        """Somebody did something, or did not, of which the beat says nothing."""
        blame = _has(view, self._pack.blames)
        if blame and not _has(self._view, (blame,)):
            return Fault("guilt", blame)
        who = self._blamed(text)
        if who:
            return Fault("guilt", who)
        named = {word.bare for word in words if word.bare in self._lexicon.persons}
        persons = named | {word.bare for word in words if word.bare in self._pack.persons}
        if text.rstrip("»”\"'").endswith("?") and not persons:
            return None
        for word in words:
            for act in self._lexicon.deeds.get(word.bare, ()):
                if self._accuses(word.bare, act, named, persons, view):
                    return Fault("guilt", word.raw)
        return None

    def _accuses(
        self, form: str, act: str, named: Set[str], persons: Set[str], view: str
    ) -> bool:
        forms = self._pack.acts[act]
        if form not in forms.mine and form not in forms.theirs and not persons:
            return self._is_about_secret(view)
        if act not in self._acts or not named <= self._words_of_beat:
            return True
        return form in forms.mine and forms.mine.isdisjoint(self._words_of_beat)

    def _is_about_secret(self, view: str) -> bool:
        del view
        return False

    @cached_property
    def _words_of_beat(self) -> frozenset[str]:
        own = bares(self._scene.words.characters[self._scene.character].name)
        return frozenset(self._view.split()) | frozenset(own)

    @cached_property
    def _acts(self) -> frozenset[str]:
        """The deeds that the beat speaks of."""
        return frozenset(
            act for word in self._words_of_beat for act in self._lexicon.deeds.get(word, ())
        )

    def _blamed(self, text: str) -> str | None:
        """«Foi o Josué.»: a person at the end of a clause that says who it was."""
        for clause in _CLAUSE.split(text):
            words = bares(clause)
            if not 1 < len(words) <= 8 or words[-1] not in self._persons:
                continue
            near = words[-5:-1]
            if not self._pack.blamed.isdisjoint(near) and not _has(
                self._view, (" ".join(words[-2:]),)
            ):
                return clause.strip()
        return None

    @cached_property
    def _persons(self) -> frozenset[str]:
        return self._lexicon.persons | self._pack.persons

    # ── obedience ───────────────────────────────────────────────────────────────────────────────

    def _confirmation(self, text: str, words: list[Word], view: str) -> Fault | None:
        """A yes, a no or a «you are right» that the beat does not say."""
        phrase = _has(view, self._pack.confirms)
        if phrase and not text.endswith("?") and not _has(self._view, (phrase,)):
            return Fault("echo", phrase)
        if self._accepted or text.endswith("?") or _has(self._view, (view,)):
            return None
        if self._pack.answers.issuperset(word.bare for word in words):
            return Fault("echo", view)
        return None

    def _echo(self, text: str, words: list[Word]) -> Fault | None:
        """What the player typed, said back as if it were so."""
        if text.rstrip("»”\"'").endswith("?"):
            return None
        roots = self._roots(word.bare for word in words)
        if len(roots) < 3:
            return None
        echoed = (roots & self._asked) - self._told
        return Fault("echo", " ".join(sorted(echoed))) if len(echoed) >= 0.7 * len(roots) else None

    @cached_property
    def _asked(self) -> set[str]:
        return self._roots(bares(self._scene.message))

    @cached_property
    def _told(self) -> set[str]:
        return self._roots(self._view.replace("|", " ").split())

    def _roots(self, words: Iterable[str]) -> set[str]:
        stopwords = self._scene.language.stopwords
        return {stem(word) for word in words if word not in stopwords and len(word) > 2}


def names_secret(case: Case, words: CaseWords, message: str, holds: Holds) -> bool:
    """Whether a question names a fact that is still locked; then no model is asked at all."""
    secrets = _secrets(_SecretsKey(case.revision, hash(tuple(words.secrets)), case, words))
    return secrets.locked(plain(message), frozenset(), holds) is not None


@dataclass(frozen=True, slots=True)
class _SecretsKey:
    revision: str
    names: int
    case: Case = field(compare=False, repr=False)
    words: CaseWords = field(compare=False, repr=False)


@lru_cache(maxsize=32)
def _secrets(key: _SecretsKey) -> Secrets:
    return Secrets.of(key.case, key.words)


# ── form ────────────────────────────────────────────────────────────────────────────────────────

_CLAUSE = re.compile(r"[.,;:!?…()]+|\s[–—]\s")
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|__|(?<!\w)_)(?=\S)(.+?)(?<=\S)\1")
_GESTURE = re.compile(r"\*[^*]+\*|\[[^\]]*\]")
_CODE = re.compile(r"```|`|</?[a-zA-Z]|\{\s*[\"'}]|\]\(|^\s*#{1,6}\s|\|\s*-{2,}|&[a-z]+;|=>|::|\\[nrtu]")
_LINK = re.compile(
    r"https?:|www\.|\b[\w-]+\.(?:com|org|net|br|gov|edu|io|dev|info|app|tv|me|ly|gg|xyz)\b"
    r"|@\w|\w@|#\w",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"\d{3}[.\s]?\d{3}[.\s]?\d{3}[-\s]?\d{2}|\(\d{2}\)|\b9?\d{4}[-\s]\d{4}\b|\b\d{5}-\d{3}\b|\d{8,}"
)
_LONG = re.compile(r"\S{31,}")
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»"}


def _markup(sentence: str) -> Fault | None:
    if any(c in _DIRECTION or (unicodedata.category(c) == "Cc" and c not in "\n\r\t") for c in sentence):
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


def _unprefix(text: str, names: Iterable[str]) -> str:
    """A text without «Esmerina:» before it."""
    head, colon, rest = text.partition(":")
    words = set(bares(head))
    if colon and words and len(words) <= 5 and words <= {w for n in names for w in bares(n)}:
        return rest.strip()
    return text


def _unquote(text: str) -> str:
    """A text without quotes around all of it, or a lone one left of those."""
    for left, right in _QUOTES.items():
        inner = text[1:-1]
        if len(text) > 1 and text[0] == left and text[-1] == right and not {left, right} & set(inner):
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


def _shingles(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for i in range(len(words) - SHINGLE + 1):
        yield tuple(words[i : i + SHINGLE])
