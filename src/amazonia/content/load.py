"""A folder of files → a `Case`, or every fault found in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from amazonia.content.consistency import check_references, check_words, nearest
from amazonia.content.files import Sheet, case_names, read_sheet
from amazonia.content.models import (
    CaseFile,
    CharacterFile,
    PublicationFile,
    RiddleFile,
    RoundFile,
    SourceFile,
)
from amazonia.content.svg import check_files
from amazonia.content.texts import misshapen, read_texts, words_of
from amazonia.domain import gates
from amazonia.domain.case import (
    Accepted,
    Case,
    Challenge,
    ChallengeId,
    Character,
    CharacterId,
    Claim,
    Clue,
    ClueId,
    Confrontation,
    ConfrontationId,
    Counter,
    CounterId,
    Decision,
    Ending,
    Form,
    Lang,
    Publication,
    Reason,
    Riddle,
    RiddleId,
    Round,
    Source,
    Step,
    Topic,
    TopicId,
    WrongOrder,
)
from amazonia.domain.errors import GateSyntaxError
from amazonia.domain.gates import OPEN, Gate
from amazonia.domain.words import CaseWords
from amazonia.errors import BadCase, Finding, UnknownCase

_Path = tuple[str | int, ...]
_T = TypeVar("_T")
_M = TypeVar("_M", bound=BaseModel)


def load_case(folder: Path) -> Case:
    """Load a case from its folder.

    Raises:
        BadCase: with every fault that was found, each with file, line and what to write instead.
        UnknownCase: there is no such folder.
    """
    if not (folder / "case.yaml").is_file():
        raise UnknownCase(folder.name, case_names(folder.parent))
    if found := list(check_files(folder)):
        raise BadCase(found)
    return _Builder(folder).build()


def revision(folder: Path) -> str:
    """A hash over all YAML files of a case."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.yaml")):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class _Builder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.findings: list[Finding] = []
        self.sheet = read_sheet(folder / "case.yaml")
        self.file = _validate(CaseFile, self.sheet)
        self.known = _known_atoms(self.file)

    def build(self) -> Case:
        file = self.file
        if file.id != self.folder.name:
            self._find(
                "L01",
                ("id",),
                f"is '{file.id}' but the folder is '{self.folder.name}'",
                f"é '{file.id}', mas a pasta se chama '{self.folder.name}'",
            )
        start, end = (_minutes(t) for t in (file.clock.start, file.clock.end))
        case = Case(
            id=file.id,
            licence=file.licence,
            renamed=dict(file.renamed),
            revision=revision(self.folder),
            start=tuple(map(ClueId, file.start)),
            clock=(start, end),
            minutes=file.lesson.minutes * file.lesson.lessons,
            bncc=tuple(file.bncc),
            acts=tuple((a.id, self._gate(a.when, ("acts",))) for a in file.acts),
            characters={CharacterId(n): self._character(n, c) for n, c in file.characters.items()},
            clues=self._clues(),
            riddles={RiddleId(n): self._riddle(n, r) for n, r in file.riddles.items()},
            challenges=self._challenges(),
            counters={
                CounterId(n): Counter(
                    CounterId(n), CharacterId(c.by), tuple(c.options), tuple(c.facts)
                )
                for n, c in file.counters.items()
            },
            confrontations=self._confrontations(),
            publication=self._publication(file.publication),
            secrets={n: self._gate(g, ("secrets", n)) for n, g in file.secrets.items()},
            marks={n: self._gate(g, ("marks", n)) for n, g in file.marks.items()},
            discussion={n: self._gate(g, ("discussion", n)) for n, g in file.discussion.items()},
            questionnaire=self._questionnaire(),
            sources=self._sources(),
            words={Lang(lang): self._words(lang) for lang in file.languages},
        )
        self.findings += check_references(case, self.sheet)
        self.findings += check_words(case, self.folder)
        if self.findings:
            raise BadCase(self.findings)
        return case

    # ── faults ──────────────────────────────────────────────────────────────────────────────────

    def _find(self, code: str, path: _Path, message: str, portuguese: str) -> None:
        self.findings.append(self.sheet.finding(code, path, message, portuguese))

    def _gate(self, text: str | None, path: _Path, character: str = "") -> Gate:
        try:
            gate = gates.parse(text)
        except GateSyntaxError as exc:
            self._find(
                "L02",
                path,
                f"{exc}; write for example: r_one + (clue_a / clue_b)",
                f"a condição '{text}' não se lê; escreva por exemplo: r_um + (pista_a / pista_b)",
            )
            return OPEN
        gate = gate.rename(lambda atom: _full_atom(atom, character))
        for atom in sorted(gate.atoms() - self.known):
            near = nearest(atom, self.known)
            self._find(
                "L03",
                path,
                f"gate '{text}' names '{atom}', which does not exist{near.english}",
                f"a condição '{text}' cita '{atom}', que não existe{near.portuguese}",
            )
        return gate

    # ── logic ───────────────────────────────────────────────────────────────────────────────────

    def _character(self, name: str, file: CharacterFile) -> Character:
        at: _Path = ("characters", name)
        topics = {}
        for topic_name, topic in file.topics.items():
            path = (*at, "topics", topic_name)
            steps = tuple(
                Step(
                    when=self._gate(step.when, (*path, "steps", i), name),
                    clue=ClueId(step.clue) if step.clue else None,
                    asks=CounterId(step.asks) if step.asks else None,
                    instead=tuple(
                        (n, self._gate(g, (*path, "steps", i), name))
                        for n, g in step.instead.items()
                    ),
                )
                for i, step in enumerate(topic.steps)
            )
            topics[TopicId(topic_name)] = Topic(
                id=TopicId(topic_name),
                character=CharacterId(name),
                when=self._gate(topic.when, path, name),
                steps=steps,
                facts=tuple(topic.facts),
            )
        return Character(
            id=CharacterId(name),
            when=self._gate(file.when, at, name),
            place=file.place,
            emotions=file.emotions,
            topics=topics,
            shows={ClueId(c): TopicId(t) for c, t in file.shows.items()},
        )

    def _clues(self) -> dict[ClueId, Clue]:
        return {
            ClueId(name): Clue(
                id=ClueId(name),
                weight=clue.weight,
                basis=clue.basis,
                document=clue.document,
                supports=tuple(clue.supports),
                against=tuple(clue.against),
                links=tuple(map(ClueId, clue.links)),
                falls=self._gate(clue.falls, ("clues", name)) if clue.falls else None,
            )
            for name, clue in self.file.clues.items()
        }

    def _riddle(self, name: str, file: RiddleFile) -> Riddle:
        at: _Path = ("riddles", name)
        answer = [file.answer] if isinstance(file.answer, str) else file.answer
        pieces = file.items or file.layers or file.records
        if file.type == "order" and sorted(answer) != sorted(file.items):
            self._find(
                "L04",
                at,
                "answer must hold every item once, in the right order",
                "answer deve ter cada item uma vez, na ordem certa",
            )
        if file.options and not set(answer) <= set(file.options):
            known = ", ".join(file.options)
            self._find(
                "L04",
                at,
                f"answer must be one of the options: {known}",
                f"answer deve ser uma das opções: {known}",
            )
        for option, parts in file.parts.items():
            if option not in file.options or not set(parts) <= set(pieces):
                self._find(
                    "L04",
                    at,
                    f"parts of '{option}' must name layers or records listed here",
                    f"parts de '{option}' deve citar layers ou records listados aqui",
                )
        return Riddle(
            id=RiddleId(name),
            type=file.type,
            when=self._gate(file.when, at),
            options=tuple(file.options),
            answer=tuple(answer),
            wrong=tuple(WrongOrder(w.id, *w.before) for w in file.wrong),
            remarks=tuple((n, self._gate(g, at)) for n, g in file.remark.items()),
            parts={o: frozenset(p) for o, p in file.parts.items()},
            pieces=tuple(pieces),
            unions=tuple((n, self._gate(u.when, at)) for n, u in file.unions.items()),
            accepts=tuple(Accepted(self._gate(a.clues, at), a.union) for a in file.accepts),
            pick=file.pick,
            facts=tuple(file.facts),
        )

    def _challenges(self) -> dict[ChallengeId, Challenge]:
        challenges = {}
        for name, file in self.file.challenges.items():
            at: _Path = ("challenges", name)
            if file.answer not in file.options:
                known = ", ".join(file.options)
                self._find(
                    "L04",
                    at,
                    f"answer must be one of: {known}",
                    f"answer deve ser um destes: {known}",
                )
            challenges[ChallengeId(name)] = Challenge(
                id=ChallengeId(name),
                by=CharacterId(file.by),
                when=self._gate(file.when, at),
                options=tuple(file.options),
                answer=file.answer,
                bncc=file.bncc,
                facts=tuple(file.facts),
                rumour=file.rumour,
            )
        return challenges

    def _confrontations(self) -> dict[ConfrontationId, Confrontation]:
        return {
            ConfrontationId(name): Confrontation(
                id=ConfrontationId(name),
                character=CharacterId(file.with_),
                when=self._gate(file.when, ("confrontations", name)),
                wins=file.wins,
                asks=CounterId(file.asks) if file.asks else None,
                facts=tuple(file.facts),
                requires=(
                    self._gate(file.requires, ("confrontations", name)) if file.requires else None
                ),
                rounds={
                    n: self._round(n, r, ("confrontations", name, "rounds", n))
                    for n, r in file.rounds.items()
                },
            )
            for name, file in self.file.confrontations.items()
        }

    def _round(self, name: str, file: RoundFile, at: _Path) -> Round:
        if not any(reason.right for reason in file.reasons.values()):
            self._find(
                "L04",
                at,
                "one of the reasons needs `right: true`",
                "uma das razões precisa de `right: true`",
            )
        return Round(
            id=name,
            when=self._gate(file.when, at),
            pick=file.pick,
            accepts=self._gate(file.accepts, at),
            partial=self._gate(file.partial, at) if file.partial else None,
            reasons=tuple(
                Reason(n, self._gate(r.when, (*at, "reasons", n)), r.right)
                for n, r in file.reasons.items()
            ),
        )

    def _publication(self, file: PublicationFile) -> Publication:
        at = "publication"
        if file.best not in file.endings:
            known = ", ".join(file.endings)
            self._find(
                "L04", (at, "best"), f"must be one of: {known}", f"deve ser um destes: {known}"
            )
        last, ending = list(file.endings.items())[-1]
        if ending.any or ending.claims:
            fault = f"'{last}' comes last, so it must fit always; remove its `any` and `claims`"
            falha = f"'{last}' vem por último e deve servir sempre; tire `any` e `claims`"
            self._find("L04", (at, "endings", last), fault, falha)
        return Publication(
            when=self._gate(file.when, (at, "when")),
            claims={
                n: Claim(
                    id=n,
                    when=self._gate(c.when, (at, "claims", n)),
                    truth=c.truth,
                    needs=self._gate(c.needs, (at, "claims", n)),
                    harmful=c.harmful,
                )
                for n, c in file.claims.items()
            },
            decisions={
                n: Decision(n, self._gate(d.when, (at, "decisions", n)), tuple(d.options))
                for n, d in file.decisions.items()
            },
            endings=tuple(
                Ending(
                    id=n,
                    any=frozenset(e.any),
                    claims=self._gate(e.claims, (at, "endings", n)) if e.claims else None,
                    headline=e.headline,
                )
                for n, e in file.endings.items()
            ),
            best=file.best,
            epilogue={
                ending: {
                    group: tuple(
                        (n, self._gate(g, (at, "epilogue", ending, group)))
                        for n, g in choices.items()
                    )
                    for group, choices in groups.items()
                }
                for ending, groups in file.epilogue.items()
            },
        )

    def _questionnaire(self) -> tuple[Form, ...]:
        forms = self.file.questionnaire
        if forms and len(forms) != 2:
            fault = "needs two parallel forms: a team gets one before and the other after"
            falha = "precisa de dois formulários paralelos: um antes e outro depois"
            self._find("L04", ("questionnaire",), fault, falha)
        if len({tuple(sorted(items.values())) for items in forms.values()}) > 1:
            fault = "both forms must hold as many solid and as many weak sources"
            falha = "os dois formulários devem ter o mesmo número de fontes sólidas e frágeis"
            self._find("L04", ("questionnaire",), fault, falha)
        for name, items in forms.items():
            if set(items.values()) != {"solid", "weak"}:
                fault = "needs solid and weak sources: the result is the difference between them"
                falha = "precisa de fontes sólidas e frágeis: o resultado é a diferença entre elas"
                self._find("L04", ("questionnaire", name), fault, falha)
        return tuple(
            Form(name, {item: kind == "solid" for item, kind in items.items()})
            for name, items in forms.items()
        )

    def _sources(self) -> dict[str, Source]:
        path = self.folder / "sources.yaml"
        if not path.is_file():
            return {}
        sheet = read_sheet(path)
        shape = TypeAdapter(dict[str, SourceFile])
        files = _checked(lambda: shape.validate_python(sheet.data), sheet)
        return {n: Source(id=n, **f.model_dump()) for n, f in files.items()}

    # ── words ───────────────────────────────────────────────────────────────────────────────────

    def _words(self, lang: str) -> CaseWords:
        return words_of(read_texts(self.folder, lang))


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────


def _validate(model: type[_M], sheet: Sheet) -> _M:
    return _checked(lambda: model.model_validate(sheet.data), sheet)


def _checked(validate: Callable[[], _T], sheet: Sheet) -> _T:
    try:
        return validate()
    except ValidationError as exc:
        raise BadCase([misshapen(error, {(): sheet}) for error in exc.errors()]) from exc


def _known_atoms(file: CaseFile) -> frozenset[str]:
    """Every atom that a gate of the case may name."""
    depths = (
        f"{who}.{topic}@{depth}"
        for who, character in file.characters.items()
        for topic, t in character.topics.items()
        for depth in range(1, len(t.steps) + 1)
    )
    return frozenset(
        [
            *file.clues,
            *file.riddles,
            *file.confrontations,
            *(f"{name}_{option}" for name, c in file.counters.items() for option in c.options),
            *(f"mostra:{who}:{clue}" for who in file.characters for clue in file.clues),
            *depths,
            *file.publication.endings,
            *file.publication.claims,
            *(f"{n}:{o}" for n, d in file.publication.decisions.items() for o in d.options),
        ]
    )


def _full_atom(atom: str, character: str) -> str:
    """``mostra:x`` inside a character means: laid on this character's table."""
    prefix, _, clue = atom.partition(":")
    return f"mostra:{character}:{clue}" if prefix == "mostra" and ":" not in clue else atom


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
