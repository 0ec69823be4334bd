"""From what a pupil typed to features: spelling, slang, stems, concepts, word pairs, letter groups.

Nothing here knows a case. A `Language` holds the data of one language (see
`content/languages/*.yaml`); a `Reader` adds a vocabulary against which typos are mended.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from amazonia.domain.table import Table

_WORD = re.compile(r"\d+(?:[.,h:/]\d+)*|[a-z]+(?:['’][a-z]+)*")
_APOSTROPHE = re.compile("['’]")
_STRETCHED = re.compile(r"([a-z])\1{2,}")

_SUFFIXES = frozenset(
    """
    amentos imentos amento imento adoras adores adora ador acoes acao ancias ancia encias encia
    idades idade mente avamos aramos assem aram eram iram avam iam ando endo indo aria eria iria
    ados adas idos idas ado ada ido ida ava ia ou ei eu iu ar er ir am em as es os is a e i o s
    oes ao aos
    ing ings ed ers y ies ied ly ness ment ments ation ations ams ems ars irs
    """.split()  # noqa: SIM905 -- a table of endings, of Portuguese and then of English
)
_DOUBLED = frozenset("bb dd gg mm nn pp tt".split())  # noqa: SIM905
_LONGEST = max(map(len, _SUFFIXES))

REMEMBERED = 2000
"""Unknown words of which a reader remembers what was meant: pupils repeat theirs."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person can be guilty of, in the forms in which it is said.

    Attributes:
        mine: forms of the speaker's own deed (*troquei*).
        theirs: forms of somebody's deed (*trocou*).
        named: forms that need a person beside them to accuse anybody (*trocar*, *culpado*).
    """

    mine: frozenset[str] = frozenset()
    theirs: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GuardWords:
    """What the guard knows of a language. Words are folded; phrases are folded words in a row.

    Attributes:
        names: words of places and institutions that anybody may mention.
        people: first names and surnames.
        selves: words for the speaker (*eu*).
        persons: words other than names that stand for a person (*ele*, *prefeito*, *alguém*).
        numbers: number word → value.
        decimal: the sign before decimals in digits; the other of «,» and «.» parts thousands.
        point: words between the whole and the decimals of a number (*vírgula*).
        joint: words that join the parts of a number (*e*).
        clock: words before a time of day, as they are spelled (*às*).
        measures: words beside which even a small number states a fact (*horas*, *da manhã*).
        acts: name → what a person can be guilty of.
        mild: acts whose words are everyday words too; they accuse only beside a person.
        blames: phrases that accuse or excuse whoever is meant (*fui eu*, *por trás disso*).
        blamed: words before a person that say who it was (*foi* o Josué).
        relative: words after a person that go on to say what they did (foi ele *quem* mediu).
        pronouns: persons whom `blamed` does not name (is what *I* saw); `blames` has who it was.
        confirms: phrases that tell a team it is right.
        answers: words of which a bare yes or no is made.
        machine: phrases of a speaker that talks about being a program or about its orders.
        personal: phrases that ask for or give personal data or a way out of the game.
        profanity: words and phrases that no character says.
        own: frequent words of this language that the languages of `foreign` do not have.
        foreign: language → frequent words of it that this language does not have.
        everyday: further words that are no names and tell nothing.
        frequent: words that are no names and tell nothing alone, though two of them may.
        idioms: phrases whose words do not mean what they mean elsewhere (it *took a while*).
        endings: endings by which an unknown word at a sentence's start is no name.
    """

    names: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    selves: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()
    numbers: Mapping[str, int] = field(default_factory=dict)
    decimal: str = ","
    point: frozenset[str] = frozenset()
    joint: frozenset[str] = frozenset()
    clock: frozenset[str] = frozenset()
    measures: frozenset[str] = frozenset()
    acts: Mapping[str, Act] = field(default_factory=dict)
    mild: frozenset[str] = frozenset()
    blames: tuple[str, ...] = ()
    blamed: frozenset[str] = frozenset()
    relative: frozenset[str] = frozenset()
    pronouns: frozenset[str] = frozenset()
    confirms: tuple[str, ...] = ()
    answers: frozenset[str] = frozenset()
    machine: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    profanity: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()
    foreign: Mapping[str, frozenset[str]] = field(default_factory=dict)
    everyday: frozenset[str] = frozenset()
    frequent: frozenset[str] = frozenset()
    idioms: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Language:
    """What the engine knows of one language. All words are normalised (see `fold`).

    Attributes:
        slang: chat spelling → standard words.
        stopwords: words that carry no topic.
        questions: expression → class of question (quem, quando, …).
        concepts: expression → class of near-synonyms (morte, garimpo, …).
        carriers: first words of a sentence that carries the talk on (e, mas, …).
        followups: utterance (as `squeeze` gives it) → class (why, more, …).
        about: questions about another person; ``{name}`` stands for who is meant.
        smalltalk: class → utterances.
        offtopic: utterances that have nothing to do with any case.
        guard: what the guard of the voice looks for; nothing is learned from it.
    """

    code: str
    slang: Mapping[str, str]
    stopwords: frozenset[str]
    questions: Mapping[str, str]
    concepts: Mapping[str, str]
    carriers: frozenset[str]
    followups: Mapping[str, str]
    about: tuple[str, ...]
    smalltalk: Mapping[str, tuple[str, ...]]
    offtopic: tuple[str, ...]
    guard: GuardWords = field(default_factory=GuardWords)


def fold(text: str) -> str:
    """Lower case, no accents, no stretched letters: «Péééixe!» → ``peixe!``."""
    plain = unicodedata.normalize("NFKD", text).lower()
    if not plain.isascii():
        plain = "".join([c for c in plain if not unicodedata.combining(c)])
    return _STRETCHED.sub(r"\1", plain)


def stem(word: str) -> str:
    """A light stem: the word without its ending, at least three letters long.

    One table serves every language: what ends a word in one of them hardly ever does in another.
    """
    if word[0].isdigit():
        return word
    for size in range(min(_LONGEST, len(word) - 3), 0, -1):
        if word[-size:] in _SUFFIXES:
            return _undoubled(word[:-size])
    return word


def _undoubled(root: str) -> str:
    """«swapp-ed» as «swap»."""
    return root[:-1] if len(root) > 3 and root[-2:] in _DOUBLED else root


def written(text: str) -> list[str]:
    """The folded words of a text as they stand, a contraction («don't») as one."""
    return [_APOSTROPHE.sub("'", word) for word in _WORD.findall(fold(text))]


@dataclass(frozen=True)
class Reader:
    """Reads text in one language, mending typos against a vocabulary.

    Attributes:
        vocabulary: words that are spelled right (folded).
        typos: words with one letter left out.
        meant: by a typo's number, the number of the word that is meant.
    """

    language: Language
    vocabulary: Table
    typos: Table
    meant: memoryview[int]
    _mended: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, language: Language, words: Iterable[str]) -> Reader:
        """A reader that knows these words; where a typo fits two, the shorter one is meant."""
        vocabulary = sorted(words, key=lambda word: (len(word), word))
        typos: dict[str, int] = {}
        for number, word in enumerate(vocabulary):
            if len(word) >= 5:
                for typo in _deletions(word):
                    typos.setdefault(typo, number)
        meant = memoryview(array("I", typos.values()))
        return cls(language, Table.of(vocabulary), Table.of(typos), meant)

    def words(self, text: str) -> list[str]:
        """The words of a text: folded, slang written out, typos mended."""
        slang = self.language.slang
        found: list[str] = []
        for raw in written(text):
            for part in (raw,) if raw in slang else raw.split("'"):
                found.extend(slang[part].split() if part in slang else (self._mend(part),))
        return found

    def _mend(self, word: str) -> str:
        if word in self.vocabulary or len(word) < 5 or word[0].isdigit():
            return word
        if word not in self._mended:
            if len(self._mended) >= REMEMBERED:
                self._mended.clear()
            self._mended[word] = self._nearest(word)
        return self._mended[word]

    def _nearest(self, word: str) -> str:
        """A known word that differs by one letter left out, added, changed or swapped."""
        if (typo := self.typos.get(word)) is not None:
            return self.vocabulary.word(self.meant[typo])
        for shorter in _deletions(word):
            if shorter in self.vocabulary:
                return shorter
            if (typo := self.typos.get(shorter)) is not None:
                return self.vocabulary.word(self.meant[typo])
        return word

    def features(self, text: str) -> frozenset[str]:
        """What the matcher sees of a text.

        ``w:`` stem · ``k:`` concept · ``q:`` question class · ``b:`` pair of neighbours ·
        ``c:`` pair of concepts · ``g:`` four letters of a word.
        """
        return self.features_of(self.words(text))

    def features_of(self, words: list[str]) -> frozenset[str]:
        """What the matcher sees of words that were read already; see `features`."""
        return frozenset(self._features(words))

    def _features(self, words: list[str]) -> Iterator[str]:
        language = self.language
        stems: list[str] = []
        concepts: list[str] = []
        for expression in expressions(words):
            if expression in language.questions:
                yield f"q:{language.questions[expression]}"
            concept = language.concepts.get(expression)
            if concept is None and " " not in expression:
                concept = language.concepts.get(stem(expression))
            if concept is not None and concept not in concepts:
                concepts.append(concept)
                yield f"k:{concept}"
        for word in words:
            if word in language.stopwords:
                continue
            root = stem(word)
            stems.append(root)
            yield f"w:{root}"
            if len(word) >= 5 and not word[0].isdigit():
                padded = f"_{word}_"
                for i in range(len(padded) - 3):
                    yield f"g:{padded[i : i + 4]}"
        for left, right in pairwise(stems):
            yield f"b:{left} {right}"
        ordered = sorted(concepts)
        for i, left in enumerate(ordered):
            for right in ordered[i + 1 :]:
                yield f"c:{left} {right}"


def expressions(words: list[str]) -> Iterator[str]:
    """Every run of one to four words."""
    for size in (1, 2, 3, 4):
        for i in range(len(words) - size + 1):
            yield " ".join(words[i : i + size])


def squeeze(words: Iterable[str]) -> str:
    """Words as one string, to look utterances up."""
    return " ".join(words)


def _deletions(word: str) -> Iterator[str]:
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]
