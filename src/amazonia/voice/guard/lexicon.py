"""The words of a case in one language, compiled once for every turn that is played in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, is_dataclass
from functools import lru_cache
from typing import NamedTuple

from amazonia.domain.case import Case
from amazonia.domain.language import GuardWords, Language
from amazonia.domain.table import Table
from amazonia.domain.words import CaseWords
from amazonia.voice.guard.aliases import Secrets
from amazonia.voice.guard.folding import Text, bares, plain, root, roots, view_of, without
from amazonia.voice.guard.scene import Reason


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What is compiled once: the words of one revision of a case. The same object is the same."""

    case: Case
    words: CaseWords

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source) and self.words is other.words

    def __hash__(self) -> int:
        return hash((self.case.revision, id(self.words)))


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language, equal by its code."""

    code: str
    language: Language = field(compare=False, repr=False)


class Phrase(NamedTuple):
    """Words in a row that are refused unless the beat has them too.

    Attributes:
        rank: the lower, the earlier it is named of two that begin alike.
        view: the words between spaces (see `folding.view_of`).
        reason: the rule that refuses it.
    """

    rank: int
    view: str
    first: str
    reason: Reason


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The words of a case in one language.

    Attributes:
        ordinary: words that are written in lower case somewhere, and so are no names.
        stems: their stems.
        names: words that the case only writes with a capital.
        deeds: form → acts (see `amazonia.domain.language.Act`).
        persons: words by which characters are meant.
        people: these and the language's words for persons.
        phrases: longest word → the phrases that hold it.
        idioms: longest word → the idioms that hold it, in folded words.
        foreign: words by which other languages are known.
        rare: stem that hardly stands in everyday talk → the secrets that are told with it.
        hot: stem → the secrets that are told with it.
        keys: stems of what the case is solved with: clues, secrets, claims, what a beat must say.
        faint: those among them that stand in everyday talk.
    """

    language: Language
    secrets: Secrets
    ordinary: Table
    stems: Table
    names: frozenset[str]
    deeds: Mapping[str, frozenset[str]]
    persons: frozenset[str]
    people: frozenset[str]
    phrases: Mapping[str, tuple[Phrase, ...]]
    idioms: Mapping[str, tuple[tuple[str, ...], ...]]
    foreign: frozenset[str]
    rare: Mapping[str, frozenset[str]]
    hot: Mapping[str, frozenset[str]]
    keys: frozenset[str]
    faint: frozenset[str]

    @property
    def pack(self) -> GuardWords:
        """What the language says about guarding."""
        return self.language.guard

    def literal(self, text: Text) -> Text:
        """A text without its idioms, whose words would only seem to tell something."""
        if self.idioms.keys().isdisjoint(text.vocabulary):
            return text
        return without(text, [i for word in text.vocabulary for i in self.idioms.get(word, ())])


_ready: dict[Source, Lexicon] = {}
"""Lexicons that were compiled before they were needed."""


def keep(source: Source, lexicon: Lexicon) -> None:
    """Have a lexicon ready."""
    _ready[source] = lexicon


def lexicon_of(source: Source, tongue: Tongue) -> Lexicon:
    """The lexicon of a case; the first time takes half a second."""
    return _ready.get(source) or _lexicon(source, tongue)


def secrets_of(source: Source) -> Secrets:
    """The secrets of a case in one language."""
    return _ready[source].secrets if source in _ready else _secrets(source)


@lru_cache(maxsize=32)
def _secrets(source: Source) -> Secrets:
    return Secrets.of(source.words)


@lru_cache(maxsize=32)
def _lexicon(source: Source, tongue: Tongue) -> Lexicon:
    words, language = source.words, tongue.language
    pack = language.guard
    lower, upper = _written(words)
    names = frozenset(word for word in upper - lower if len(word) > 2)
    spoken = {word for text in _utterances(words, language) for word in bares(text)}
    people = {word for word in pack.people if word not in lower}
    ordinary = frozenset((lower | spoken) - names - people)
    persons = frozenset(_called(words, ordinary)) - language.stopwords - pack.persons
    common = _common(language)
    return Lexicon(
        language=language,
        secrets=secrets_of(source),
        ordinary=Table.of(ordinary),
        stems=Table.of({root(word) for word in ordinary}),
        names=names,
        deeds=_deeds(tongue),
        persons=persons,
        people=persons | pack.persons,
        phrases=_phrases(tongue),
        idioms=_idioms(tongue),
        foreign=frozenset().union(*pack.foreign.values()),
        rare=_tellers(words, language, common | _everyday(language)),
        hot=_tellers(words, language, common),
        keys=(keys := frozenset(_keys(words, language)) - common),
        faint=keys & roots(pack.frequent, language),
    )


def strings(value: object, skip: Sequence[str] = ()) -> Iterator[str]:
    """Every text inside a value, leaving out fields of these names."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from strings(item, skip)
    elif isinstance(value, tuple):
        for item in value:
            yield from strings(item, skip)
    elif is_dataclass(value):
        for part in fields(value):
            if part.name not in skip:
                yield from strings(getattr(value, part.name), skip)


def _written(words: CaseWords) -> tuple[set[str], set[str]]:
    """The words that the case writes in lower case, and those with a capital that none asks for."""
    lower: set[str] = set()
    upper: set[str] = set()
    for text in strings(words, skip=("examples", "aliases", "secrets")):
        folded = Text.of(plain(text))
        for word, opens in zip(folded.words, folded.opens, strict=True):
            if word.raw.islower():
                lower.add(word.bare)
            elif not opens and not word.raw.isupper():
                upper.add(word.bare)
    return lower, upper


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
    yield from language.guard.frequent


def _called(words: CaseWords, ordinary: Set[str]) -> Iterator[str]:
    """The words by which a character is meant: «Graça», but not the «Luz» of a surname."""
    for who in words.characters.values():
        yield bares(who.short)[-1]
        yield from (word for word in bares(who.name) if word not in ordinary and len(word) > 2)


def _common(language: Language) -> set[str]:
    """Stems that tell nothing, whatever a case makes of them."""
    pack = language.guard
    return roots((*pack.everyday, *pack.own, *pack.numbers, *language.questions), language)


def _everyday(language: Language) -> set[str]:
    """Stems of talk that has nothing to do with any case."""
    talk = (*language.offtopic, *(line for lines in language.smalltalk.values() for line in lines))
    words = (word for text in talk for word in bares(text))
    return roots((*words, *language.guard.frequent), language)


@lru_cache(maxsize=8)
def _deeds(tongue: Tongue) -> dict[str, frozenset[str]]:
    deeds: dict[str, set[str]] = {}
    for name, act in tongue.language.guard.acts.items():
        for form in (*act.mine, *act.theirs, *act.named):
            deeds.setdefault(form, set()).add(name)
    return _frozen(deeds)


@lru_cache(maxsize=8)
def _phrases(tongue: Tongue) -> dict[str, tuple[Phrase, ...]]:
    pack = tongue.language.guard
    lists: tuple[tuple[Reason, tuple[str, ...]], ...] = (
        ("profanity", pack.profanity),
        ("machine", pack.machine),
        ("personal", pack.personal),
        ("guilt", pack.blames),
        ("echo", pack.confirms),
    )
    index: dict[str, tuple[Phrase, ...]] = {}
    every = ((reason, phrase) for reason, phrases in lists for phrase in phrases)
    for rank, (reason, phrase) in enumerate(every):
        words = phrase.split()
        longest = max(words, key=len)
        found = Phrase(rank, view_of(words), words[0], reason)
        index[longest] = (*index.get(longest, ()), found)
    return index


@lru_cache(maxsize=8)
def _idioms(tongue: Tongue) -> dict[str, tuple[tuple[str, ...], ...]]:
    index: dict[str, tuple[tuple[str, ...], ...]] = {}
    for idiom in tongue.language.guard.idioms:
        words = tuple(idiom.split())
        longest = max(words, key=len)
        index[longest] = (*index.get(longest, ()), words)
    return index


def _tellers(words: CaseWords, language: Language, besides: Set[str]) -> dict[str, frozenset[str]]:
    """Stem → the secrets whose aliases hold it, besides some stems."""
    tellers: dict[str, set[str]] = {}
    for name, aliases in words.secrets.items():
        for stem in _telling(aliases, language):
            if stem not in besides:
                tellers.setdefault(stem, set()).add(name)
    return _frozen(tellers)


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


def _frozen(index: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {key: frozenset(members) for key, members in index.items()}
