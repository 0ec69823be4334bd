"""What `amazonia check` prints."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import typer

from amazonia.content.check import Examination, Stage
from amazonia.content.library import Library
from amazonia.content.proofs import Proof, lengths
from amazonia.domain.case import Case
from amazonia.errors import Finding

Json = dict[str, object]

STAGES: dict[Stage, tuple[str, str]] = {
    "files": ("files, ids and gates", "arquivos, nomes e condições"),
    "words": ("words, sources, skills, pictures", "textos, fontes, habilidades, desenhos"),
    "logic": ("a way to everything, from everywhere", "um caminho para tudo, de qualquer ponto"),
    "secrets": ("nothing told before its time", "nada contado antes da hora"),
    "voices": ("every ending played in every language", "cada final jogado em cada língua"),
    "ears": ("questions find their topics", "perguntas acham seus assuntos"),
}


def as_records(findings: Iterable[Finding], lang: str) -> list[Json]:
    """Findings for a program to read."""
    return [
        {
            "code": found.code,
            "file": found.file,
            "line": found.line,
            "message": found.text(lang),
            "steps": list(found.steps),
        }
        for found in findings
    ]


class Report:
    """Checks cases and says so on the way."""

    def __init__(self, lang: str) -> None:
        self.portuguese = lang.startswith("pt")
        self.lang = lang
        self.found = 0

    def check(self, library: Library, name: str) -> None:
        """Prove one case, stage by stage."""
        typer.secho(f"\n{name}", bold=True)
        began = time.monotonic()
        examination = Examination(library, name)
        for stage, found in examination.stages():
            self.found += len(found)
            self._stage(stage, found)
            if stage == "files" and not found:
                typer.secho(f"    {self._size(library.case(name))}", dim=True)
            if stage == "logic" and examination.proof is not None:
                typer.secho(f"    {self._length(examination.proof)}", dim=True)
        typer.secho(f"  {time.monotonic() - began:.1f} s", dim=True)

    def sum_up(self) -> None:
        """The last line."""
        typer.echo()
        if not self.found:
            good = self._say("every proof holds", "todas as provas valem")
            typer.secho(good, fg="green", bold=True)
            return
        many = self._say(f"{self.found} to mend", f"{self.found} a corrigir")
        more = self._say(
            "each code is explained in docs/diagnostics.md",
            "cada código está explicado em docs/diagnostics.md",
        )
        typer.secho(f"{many}; {more}", fg="red", bold=True)

    def _stage(self, stage: Stage, found: list[Finding]) -> None:
        mark = typer.style("✓", fg="green") if not found else typer.style("✗", fg="red")
        typer.echo(f"  {mark} {self._say(*STAGES[stage])}")
        for finding in found:
            code = typer.style(finding.code, fg="red", bold=True)
            typer.echo(f"    {code} {_near(finding.file)}:{finding.line}")
            typer.echo(f"        {finding.text(self.lang)}")
            for number, step in enumerate(finding.steps, 1):
                typer.secho(f"        {number:2}. {step}", dim=True)

    def _size(self, case: Case) -> str:
        topics, clues = sum(1 for _ in case.topics()), len(case.clues)
        people, riddles = len(case.characters), len(case.riddles)
        languages = ", ".join(case.words)
        return self._say(
            f"{people} characters, {topics} topics, {clues} clues, {riddles} riddles; {languages}",
            f"{people} personagens, {topics} assuntos, {clues} pistas, {riddles} enigmas; "
            f"{languages}",
        )

    def _length(self, proof: Proof) -> str:
        case = proof.case
        way = proof.ways[case.publication.best]
        if not way:
            return self._say("no way to the best ending", "nenhum caminho até o melhor final")
        shortest, typical = lengths(case, way)
        return self._say(
            f"shortest way {len(way)} moves, {shortest:.0f} minutes; a typical team "
            f"{typical:.0f} of {case.minutes}",
            f"caminho mais curto: {len(way)} jogadas, {shortest:.0f} minutos; um grupo típico, "
            f"{typical:.0f} de {case.minutes}",
        )

    def _say(self, english: str, portuguese: str) -> str:
        return portuguese if self.portuguese else english


def _near(file: str) -> str:
    """A path as one would type it here."""
    path = Path(file)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file
