"""Names that a case does not know, told by capitals and by lists."""

from __future__ import annotations

from collections.abc import Set

from amazonia.voice.guard.folding import Text, Word, is_number
from amazonia.voice.guard.lexicon import Lexicon


def strange_name(text: Text, strangers: Set[str], lexicon: Lexicon) -> str:
    """A name that is one of the strangers, or has one of them in it; "" if there is none.

    Args:
        strangers: the words that nobody has read yet.
    """
    odd = [i for i, word in enumerate(text.bares) if word in strangers]
    for i in odd:
        if not _is_no_name(text.words[i], lexicon, opens=text.opens[i]):
            return text.words[i].raw
    for i in odd:
        if _is_capital(text, i) and (_is_capital(text, i - 1) or _is_capital(text, i + 1)):
            return text.words[i].raw
    return ""


def _is_no_name(word: Word, lexicon: Lexicon, *, opens: bool) -> bool:
    if len(word.bare) < 3 or is_number(word.bare):
        return True
    if word.bare in lexicon.names:
        return False
    ordinary = word.bare in lexicon.ordinary
    person = word.bare in lexicon.pack.people
    if word.raw[0].islower():
        return ordinary or not person or word.bare in lexicon.pack.frequent
    if word.raw.isupper():  # shouted
        return not person
    if opens:
        return ordinary or (not person and _is_inflected(word, lexicon))
    return ordinary and not person


def _is_inflected(word: Word, lexicon: Lexicon) -> bool:
    return word.root in lexicon.stems or word.bare.endswith(lexicon.pack.endings)


def _is_capital(text: Text, at: int) -> bool:
    """One of the words of a name, if there are several in a row."""
    if not 0 <= at < len(text.words) or text.opens[at]:
        return False
    raw = text.words[at].raw
    return raw[0].isupper() and not raw.isupper()
