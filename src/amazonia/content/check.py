"""Everything that is proved about a case: its files, its words, its logic, its voices, its ears."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from amazonia.content.collisions import check_collisions
from amazonia.content.expectations import check_expectations
from amazonia.content.languages import languages
from amazonia.content.library import Library
from amazonia.content.lint import Draft, lint, read_draft
from amazonia.content.proofs import Fault, Proof, prove
from amazonia.content.secrecy import leaks
from amazonia.domain.case import Case, CharacterId, Lang
from amazonia.domain.walkthrough import Guide, NoWay
from amazonia.errors import BadCase, Finding

Stage = Literal["files", "words", "logic", "secrets", "voices", "ears"]


def check_case(library: Library, name: str) -> list[Finding]:
    """Load a case and prove it. An empty list means that every proof holds.

    Raises:
        UnknownCase: there is no such case.
    """
    return [f for _, found in Examination(library, name).stages() for f in found]


class Examination:
    """Proves a case part by part.

    Attributes:
        proof: what the proofs share, once the case is loaded.
    """

    def __init__(self, library: Library, name: str) -> None:
        self.library = library
        self.name = name
        self.proof: Proof | None = None

    def stages(self) -> Iterator[tuple[Stage, list[Finding]]]:
        """What was looked at, and what was found there.

        A case whose files have faults has no other stage. What does not depend on the words is
        proved once, what does in every language, always with the authored lines: no model takes
        part.

        Raises:
            UnknownCase: there is no such case.
        """
        library = self.library
        try:
            case = library.case(self.name)
            draft = read_draft(case, library.folder / self.name)
            words = list(lint(draft))
            _refuse_unknown_languages(draft)
        except BadCase as exc:
            yield "files", list(exc.findings)
            return
        proof = self.proof = Proof(case)
        yield "files", []
        yield "words", words
        yield "logic", [_finding(draft, fault) for fault in prove(proof)]
        yield "secrets", list(_kept(draft, proof))
        yield "voices", [f for lang in case.words for f in _playable(library, draft, proof, lang)]
        yield "ears", [f for lang in case.words for f in _understood(library, draft, lang)]


def _refuse_unknown_languages(draft: Draft) -> None:
    """L18: there is data for each language, without which no question is understood.

    Raises:
        BadCase: there is none for a language of the case.
    """
    known = ", ".join(languages())
    missing = [lang for lang in draft.case.words if lang not in languages()]
    if missing:
        fault = f"there is no content/languages/{missing[0]}.yaml; there are: {known}"
        falha = f"não existe content/languages/{missing[0]}.yaml; há: {known}"
        raise BadCase([draft.sheet.finding("L18", ("languages",), fault, falha)])


def _finding(draft: Draft, fault: Fault) -> Finding:
    line = draft.sheet.line(fault.path)
    file = str(draft.sheet.path)
    return Finding(fault.code, file, line, fault.english, fault.portuguese, fault.steps)


def _kept(draft: Draft, proof: Proof) -> Iterator[Finding]:
    """P09: nothing is said, listed or shown in which a secret stands before its gate."""
    for lang, words in draft.case.words.items():
        for leak in leaks(draft.case, words):
            line = leak.text.text if len(leak.text.text) < 80 else f"{leak.text.text[:77]}…"
            gate = " + ".join(sorted(leak.without))
            found = draft.texts[lang].finding(
                "P09",
                _place(draft.case, leak.text.place),
                f"{leak.text.place} tells «{leak.word}» ('{leak.secret}') before {gate}: {line}",
                f"{leak.text.place} diz «{leak.word}» ('{leak.secret}') antes de {gate}: {line}",
            )
            yield replace(found, steps=proof.shown(leak.needs, leak.without))


def _place(case: Case, place: str) -> tuple[str | int, ...]:
    """Where a text of `amazonia.content.secrecy` stands in the text files."""
    parts: list[str | int] = [
        int(p) - 1 if p.isdigit() else p for p in place.split(" ", maxsplit=1)[0].split(".")
    ]
    character = case.characters.get(CharacterId(str(parts[0])))
    if character is None:
        return tuple(parts)
    inner = ["topics"] if len(parts) > 1 and parts[1] in character.topics else []
    return ("characters", character.id, *inner, *parts[1:])


def _playable(library: Library, draft: Draft, proof: Proof, lang: Lang) -> Iterator[Finding]:
    """P04: a walkthrough to each ending, really played with the director's ear."""
    case = draft.case
    guide = Guide(case, case.words[lang], library.listener(case, lang))
    for ending, moves in proof.ways.items():
        if not moves:
            continue  # P01 says so
        try:
            guide.play(moves, ending)
        except NoWay as exc:
            path = ("publication", "endings", ending)
            falha = f"{lang}: o caminho até '{ending}' não se joga: {exc}"
            yield draft.sheet.finding("P04", path, f"{lang}: {exc}", falha)


def _understood(library: Library, draft: Draft, lang: Lang) -> Iterator[Finding]:
    listener = library.listener(draft.case, lang)
    yield from check_expectations(draft.case, lang, listener, draft.folder)
    yield from check_collisions(library, draft.case, lang, draft.texts[lang])
