"""The words themselves: finished, described, and readable for pupils."""

from __future__ import annotations

import re
from collections.abc import Iterator

from amazonia.content.lint.draft import Draft
from amazonia.content.readability import enough, reading_ease
from amazonia.content.texts import TextPath, Texts
from amazonia.domain.case import Lang
from amazonia.domain.words import CaseWords
from amazonia.errors import Finding

UNFINISHED = re.compile(
    r"\bTODO(?=\s*[:)\]]|\s*$)|\b(?:FIXME|TBD|XXX+)\b|(?<!\S)\?{3,}(?!\S)|lorem ipsum|<\w[^>]*>",
    re.IGNORECASE,
)
_SHOUTED = re.compile(r"todo", re.ASCII)
ALT = (10, 600)
"""Letters of a description: fewer describe nothing, more tire who listens to them."""


def nothing_is_left_to_write(draft: Draft) -> Iterator[Finding]:
    """L11: no text still waits to be written: TODO, TBD, ???, lorem ipsum, <this>."""
    for texts in draft.texts.values():
        for path, text in texts.strings():
            found = UNFINISHED.search(text)
            if found and not _SHOUTED.fullmatch(found[0]):
                fault = f"'{found[0]}' waits to be written"
                yield texts.finding("L11", path, fault, f"'{found[0]}' está por escrever")


def documents_are_described(draft: Draft) -> Iterator[Finding]:
    """L15: what is drawn is told to who does not see it, in other words than its heading."""
    for lang, texts in draft.texts.items():
        for clue, words in draft.case.words[lang].clues.items():
            alt, heading = words.document.alt, words.document.heading
            path = ("clues", clue, "document", "alt")
            least, most = ALT
            if alt.casefold() in {heading.casefold(), words.title.casefold()}:
                fault = f"the description of '{clue}' repeats its title; say what one sees"
                falha = f"a descrição de '{clue}' repete o título; diga o que se vê"
                yield texts.finding("L15", path, fault, falha)
            elif not least <= len(alt) <= most:
                fault = f"the description of '{clue}' has {len(alt)} letters; {least} to {most}"
                falha = f"a descrição de '{clue}' tem {len(alt)} letras; de {least} a {most}"
                yield texts.finding("L15", path, fault, falha)


LEAST = {"spoken": 55.0, "read": 50.0, "taught": 30.0}
"""The reading ease that each kind of text needs: 50 to 75 suits years 6 to 9, 25 to 50 the
ensino médio (Martins et al. 1996, see `amazonia.content.readability`)."""
KINDS = {
    "spoken": ("what characters say", "as falas"),
    "read": ("what pupils read", "o que a turma lê"),
    "taught": ("what teachers discuss", "o que se discute em aula"),
}


def readers_can_follow(draft: Draft) -> Iterator[Finding]:
    """L16: sentences and words are short enough for those who read them."""
    for lang, texts in draft.texts.items():
        for path, kind, lines in _pieces(draft.case.words[lang]):
            yield from _read(texts, lang, path, kind, lines)


def _read(
    texts: Texts, lang: Lang, path: TextPath, kind: str, lines: list[str]
) -> Iterator[Finding]:
    text = " ".join(lines)
    ease = reading_ease(text, lang)
    if not enough(text) or ease >= LEAST[kind]:
        return
    english, portuguese = KINDS[kind]
    least = LEAST[kind]
    fault = f"{english} here is hard to read: {ease:.0f}, at least {least:.0f}; shorten sentences"
    falha = f"{portuguese} aqui é difícil: {ease:.0f}, no mínimo {least:.0f}; encurte as frases"
    yield texts.finding("L16", path, fault, falha)


def _pieces(words: CaseWords) -> Iterator[tuple[TextPath, str, list[str]]]:
    """Texts that are read in one go, with their kind."""
    for who, character in words.characters.items():
        said = [
            line.text
            for topic in character.topics.values()
            for step in topic.steps
            for line in step.says
        ]
        yield ("characters", who, "topics"), "spoken", said
    clues = [line for clue in words.clues.values() for line in (clue.summary, clue.found)]
    yield ("clues",), "read", clues
    for name, riddle in words.riddles.items():
        asked = [riddle.intro, riddle.prompt, riddle.explanation, *riddle.hints]
        yield ("riddles", name), "read", asked
    for ending, page in words.publication.endings.items():
        yield ("publication", "endings", ending), "read", list(page.paragraphs)
    yield ("debrief",), "taught", list(words.debrief)
