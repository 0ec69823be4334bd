"""The report as spreadsheets, which open right where they are read.

In Portuguese: semicolons, decimal commas, dates as dd/mm/aaaa, and a byte order mark, without which
Excel takes UTF-8 for something else. In English: commas and points. A text that a spreadsheet would
take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from amazonia.classroom.labels import Labels
from amazonia.classroom.path import TeamReport, Tried
from amazonia.classroom.report import Report

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
Cell = str | int | float | datetime | None


def sheet(labels: Labels, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A spreadsheet in the labels' language."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";" if labels.is_portuguese else ",")
    writer.writerow([labels(name) for name in columns])
    writer.writerows([_cell(labels, value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(labels: Labels, value: Cell) -> str:
    match value:
        case None:
            return ""
        case float():
            return labels.number(value).replace("−", "-")
        case datetime():
            return value.strftime("%d/%m/%Y %H:%M" if labels.is_portuguese else "%Y-%m-%d %H:%M")
        case int():
            return str(value)
    clean = " ".join(value.split())
    return f"'{clean}" if value.startswith(FORMULA) or clean.startswith(FORMULA) else clean


# ── the sheets ──────────────────────────────────────────────────────────────────────────────────

TEAM_COLUMNS = (
    *("team", "members", "began", "last", "minutes", "breaks", "act_reached", "questions"),
    *("clues", "clue_list", "riddles_solved", "riddle_tries", "challenges_right"),
    *("challenges_tried", "rounds_won", "hints", "editions", "ending", "proved", "unproved"),
    *("complaints", "flags"),
)


def team_sheet(report: Report, labels: Labels) -> bytes:
    """A row for each team."""
    return sheet(labels, TEAM_COLUMNS, (_team(team, labels) for team in report.teams))


def _team(team: TeamReport, labels: Labels) -> list[Cell]:
    riddles, challenges = team.of("riddle"), team.of("challenge")
    sentences = team.ending.sentences if team.ending else ()
    proved = sum(sentence.verdict == "proved" for sentence in sentences)
    return [
        team.name,
        team.members,
        labels.time(team.began),
        labels.time(team.ended),
        round(team.minutes, 1),
        team.breaks,
        team.act,
        team.questions,
        len(team.clues),
        " | ".join(clue.name for clue in team.clues),
        _right(riddles),
        sum(tried.tries for tried in riddles),
        _right(challenges),
        len(challenges),
        _right(team.of("round")),
        team.hints,
        len(team.issues),
        team.ending.headline if team.ending else None,
        proved,
        len(sentences) - proved,
        team.complaints,
        len(team.flags),
    ]


def _right(tried: Iterable[Tried]) -> int:
    return sum(one.right for one in tried)


def path_sheet(report: Report, labels: Labels) -> bytes:
    """A row for each step of each team."""
    columns = ("team", "minute", "when", "kind", "name", "waited_short")
    return sheet(labels, columns, _steps(report, labels))


def _steps(report: Report, labels: Labels) -> Iterator[list[Cell]]:
    for team in report.teams:
        for step in team.steps:
            when, kind = labels.time(step.at), labels(f"kind_{step.kind}")
            yield [team.name, step.minute, when, kind, step.name, step.waited]


def sentence_sheet(report: Report, labels: Labels) -> bytes:
    """A row for each claim of each edition, with what there was to show for it."""
    columns = ("team", "when", "ending", "sentence", "verdict", "evidence", "against", "lacked")
    return sheet(labels, columns, _sentences(report, labels))


def _sentences(report: Report, labels: Labels) -> Iterator[list[Cell]]:
    for team in report.teams:
        for issue in team.issues:
            for said in issue.sentences:
                yield [
                    team.name,
                    labels.time(issue.at),
                    issue.headline,
                    said.text,
                    labels(f"verdict_{said.verdict}"),
                    " | ".join(said.evidence),
                    " | ".join(said.against),
                    " | ".join(said.lacked),
                ]


def judging_sheet(report: Report, labels: Labels) -> bytes:
    """A row for each team that answered the questionnaire both times."""
    pairs = report.judging.pairs if report.judging else ()
    rows: Iterator[list[Cell]] = (
        [pair.name, pair.before, pair.after, pair.difference] for pair in pairs
    )
    return sheet(labels, ("team", "before", "after", "difference"), rows)


def all_sheets(report: Report, labels: Labels) -> Mapping[str, bytes]:
    """Every sheet, by the name of its file."""
    return {
        f"{labels('file_report')}.csv": team_sheet(report, labels),
        f"{labels('file_path')}.csv": path_sheet(report, labels),
        f"{labels('file_sentences')}.csv": sentence_sheet(report, labels),
        f"{labels('file_judging')}.csv": judging_sheet(report, labels),
    }
