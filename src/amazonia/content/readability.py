"""How easily a text is read.

Portuguese: Flesch's reading ease as Martins, Ghiraldelo, Nunes and Oliveira Jr. adapted it
(*Readability formulas applied to textbooks in Brazilian Portuguese*, Notas do ICMSC 28, USP São
Carlos, 1996): 42 points more, since Portuguese words have more syllables. 75 to 100 suits the first
years of school, 50 to 75 years 6 to 9, 25 to 50 the ensino médio, less the university.
English: Flesch's own reading ease (Flesch 1948, with the constants of Kincaid et al. 1975).
"""

from __future__ import annotations

import re

ENOUGH = 60
"""Words below which an index says little."""

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE = re.compile(r"[.!?…:;]+(?=\s|$|[»\"”)])")
_VOWELS = {
    "pt": re.compile(
        r"[aáàâãeéêoóôõ][iuy](?![aeiouáéíóúâêô])|[iuy](?=[aeoáéóâêôãõ])"
        r"[aeoáéóâêôãõ](?:[iu])?|ão|ãe|õe|[aeiouyáéíóúàâêôãõü]"
    ),
    "en": re.compile(r"[aeiouy]+"),
}


def enough(text: str) -> bool:
    """Whether a text is long enough for an index to mean something."""
    return len(_WORD.findall(text)) >= ENOUGH


def reading_ease(text: str, lang: str) -> float:
    """Flesch's reading ease of a text, for its language; higher is easier."""
    words = _WORD.findall(text)
    if not words:
        return 100.0
    sentences = max(1, len(_SENTENCE.findall(text)))
    per_word = sum(syllables(word, lang) for word in words) / len(words)
    constant = 248.835 if lang.startswith("pt") else 206.835
    return constant - 1.015 * len(words) / sentences - 84.6 * per_word


def syllables(word: str, lang: str) -> int:
    """Syllables of a word, by its groups of vowels; near enough for an average."""
    lower = word.casefold()
    if lang.startswith("pt"):
        lower = re.sub(r"([qg])u(?=[eiéêí])", r"\1", lower)
        return max(1, len(_VOWELS["pt"].findall(lower)))
    lower = re.sub(r"(?:[^laeiouy]es|[^dt]ed|[^laeiouy]e)$", lambda m: m[0][0], lower)
    return max(1, len(_VOWELS["en"].findall(lower)))
