"""Texts folded so that spellings of one word are equal, each once and each word only once ever."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from amazonia.domain.language import Language, fold, stem

REMEMBERED = 4_096
"""Words whose folded form, stem, … are kept; all that is kept of them takes some five megabytes."""

# Letters come first, so that a word is not read again after no digit was found behind it.
_WORD = re.compile(r"[^\W\d_]+(?:\d+(?:[.,:/h]\d+)*)?|\d+(?:[.,:/h]\d+)*")
_WORD_BETWEEN = re.compile(f"({_WORD.pattern})")
_OPENING = frozenset(".!?…:;«“\"'()[]–—*")
_HIDDEN = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2060-\u2064\ufeff]")
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһӏвкмнтгαεορτυικνχηѵɡıℓ", "aeopcyxijsdhlbkmhtraeoptuiknxnvgil"
)


class Word(NamedTuple):
    """A word, read once and kept.

    Attributes:
        raw: as it is spelled.
        bare: folded, so that spellings of one word are equal.
        root: its stem.
        sense: its stem too, if the word is long enough to mean something and no number; else "".
        single: without its plural ending.
        mirror: read from its end.
    """

    raw: str
    bare: str
    root: str
    sense: str
    single: str
    mirror: str


class Text(NamedTuple):
    """A text, folded once for all who read it. What is said of words is in their order.

    Attributes:
        plain: the text itself (see `plain`).
        opens: whether a word begins a sentence, a quotation or a part after a colon.
        vocabulary: the folded words, each once.
        view: the folded words between spaces, in which `has` finds phrases.
        asks: it is a question.
    """

    plain: str
    words: tuple[Word, ...]
    bares: tuple[str, ...]
    senses: tuple[str, ...]
    opens: tuple[bool, ...]
    vocabulary: frozenset[str]
    view: str
    asks: bool

    @classmethod
    def of(cls, text: str) -> Text:
        """A text that is `plain`, folded."""
        words: list[Word] = []
        opens: list[bool] = []
        is_opened = True
        for piece in text.split(" "):
            found, opened, ends = _piece(piece)
            if found:
                words += found
                opens.append(is_opened or opened[0])
                opens += opened[1:]
                is_opened = ends
            else:
                is_opened = is_opened or ends
        bares = tuple([word.bare for word in words])
        return cls(
            plain=text,
            words=tuple(words),
            bares=bares,
            senses=tuple([word.sense for word in words]),
            opens=tuple(opens),
            vocabulary=frozenset(bares),
            view=view_of(bares),
            asks=text.endswith("?") or text.rstrip("»”\"'").endswith("?"),
        )


def without(text: Text, phrases: Iterable[tuple[str, ...]]) -> Text:
    """A text without the words of some phrases, if they stand in it; its `plain` stays."""
    bares = text.bares
    gone = {
        at
        for phrase in phrases
        for i in range(len(bares) - len(phrase) + 1)
        if bares[i : i + len(phrase)] == phrase
        for at in range(i, i + len(phrase))
    }
    kept = [i for i in range(len(bares)) if i not in gone]
    left = tuple([bares[i] for i in kept])
    return text._replace(
        words=tuple([text.words[i] for i in kept]),
        bares=left,
        senses=tuple([text.senses[i] for i in kept]),
        opens=tuple([text.opens[i] for i in kept]),
        vocabulary=frozenset(left),
        view=view_of(left),
    )


def plain(text: str) -> str:
    """One form for equal characters, without hidden ones, spaces collapsed."""
    return " ".join(_HIDDEN.sub("", unicodedata.normalize("NFKC", text)).split())


@lru_cache(REMEMBERED)
def bare(word: str) -> str:
    """A word folded: lower case, no accents, letters of other scripts replaced by lookalikes."""
    return fold(word.casefold().translate(_LOOKALIKES))


@lru_cache(REMEMBERED)
def root(word: str) -> str:
    """A folded word's stem."""
    return stem(word)


@lru_cache(REMEMBERED)
def single(word: str) -> str:
    """A folded word without its plural ending."""
    if len(word) > 3 and word[-1] == "s" and not word[0].isdigit():
        return word[:-1]
    return word


@lru_cache(REMEMBERED)
def _word(raw: str) -> Word:
    word = bare(raw)
    sense = root(word) if len(word) > 2 and not is_number(word) else ""
    return Word(raw, word, root(word), sense, single(word), single(word[::-1]))


@lru_cache(REMEMBERED)
def _piece(piece: str) -> tuple[tuple[Word, ...], tuple[bool, ...], bool]:
    """What stands between two spaces: its words, which ones open, whether the next one does."""
    parts = _WORD_BETWEEN.split(piece)
    words = tuple(map(_word, parts[1::2]))
    return words, tuple(map(_opens, parts[:-1:2])), _opens(parts[-1])


def _opens(gap: str) -> bool:
    return not _OPENING.isdisjoint(gap)


def bares(text: str) -> tuple[str, ...]:
    """The folded words of a text."""
    return tuple(map(bare, _WORD.findall(plain(text))))


def is_number(word: str) -> bool:
    """Whether a folded word is written with digits."""
    return word[-1].isdigit()


def roots(words: Iterable[str], language: Language) -> set[str]:
    """The stems of the folded words that carry meaning; numbers are another rule's."""
    stopwords = language.stopwords
    return {
        root(word)
        for word in words
        if len(word) > 2 and word not in stopwords and not is_number(word)
    }


def meaning(text: Text, language: Language) -> set[str]:
    """The `roots` of a text."""
    stopwords = language.stopwords
    pairs = zip(text.bares, text.senses, strict=True)
    return {sense for word, sense in pairs if sense and word not in stopwords}


def view_of(words: Iterable[str]) -> str:
    """Folded words in a row, in which `has` finds phrases."""
    return f" {' '.join(words)} "


def has(view: str, phrase: str) -> bool:
    """Whether a phrase of folded words stands in a view, as whole words."""
    return f" {phrase} " in view
