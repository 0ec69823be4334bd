"""In which language a sentence is, told by its words."""

from __future__ import annotations

from collections.abc import Set

from amazonia.voice.guard.folding import Text, is_number, root
from amazonia.voice.guard.lexicon import Lexicon

FEW = 2
"""Words that no language has and that are no reason to refuse a sentence."""


def other_language(text: Text, strangers: Set[str], lexicon: Lexicon) -> str:
    """The language of which a sentence has more frequent words than of its own; "" if none.

    Args:
        strangers: the words that nobody has read yet; the others may be of a name («da Luz»).
    """
    if lexicon.foreign.isdisjoint(strangers):
        return ""
    own = sum(map(lexicon.pack.own.__contains__, text.bares))
    for code, marks in lexicon.pack.foreign.items():
        other = sum(map((marks & strangers).__contains__, text.bares))
        if other > own or (other and not own):
            return code
    return ""


def unknown(text: Text, strangers: Set[str], lexicon: Lexicon) -> list[str]:
    """The strangers among a sentence's words that no inflection explains, if they are most of it.

    Args:
        strangers: the words that nobody has read yet.
    """
    odd = {w for w in strangers if w not in lexicon.ordinary and root(w) not in lexicon.stems}
    if not odd or not lexicon.pack.own:
        return []
    letters = [word for word in text.bares if not is_number(word)]
    found = [word for word in letters if word in odd]
    return found if len(found) > max(FEW, len(letters) * 0.5) else []
