"""What is kept, why and for how long: a line for every column. docs/privacy.md is made of it.

A table or column without its line, or a line without its column, fails a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from amazonia.store.tables import metadata

Kind = Literal["typed", "played", "technical"]
"""`typed`: free text, which may hold personal data though none is asked for. `played`: what a team
did. `technical`: what the program needs; it says nothing about anybody."""

TYPED: Final[Kind] = "typed"
PLAYED: Final[Kind] = "played"
TECHNICAL: Final[Kind] = "technical"

TEAM: Final = "with its team: `RETENTION_DAYS` after its last move, or when its class is erased"
CLASS: Final = "with its class: after the days that the teacher chose, or at once when erased"


@dataclass(frozen=True, slots=True)
class Kept:
    """A table.

    Attributes:
        why: it is there.
        until: when a row goes.
        columns: what each column holds, and of which kind that is.
    """

    why: str
    until: str
    columns: Mapping[str, tuple[Kind, str]]


MAP: Final[Mapping[str, Kept]] = {
    "teams": Kept(
        "A team's game, so that it can be continued",
        TEAM,
        {
            "id": (TECHNICAL, "a random number"),
            "case_id": (PLAYED, "which case"),
            "lang": (PLAYED, "in which language"),
            "name": (TYPED, "a made-up name, drawn by the game; a team may type another"),
            "members": (PLAYED, "how many they are; no names"),
            "resume_code": (TECHNICAL, "the random code with which the team comes back"),
            "version": (TECHNICAL, "how many things happened"),
            "state": (PLAYED, "clues, answers, editions"),
            "created_at": (PLAYED, "when it began"),
            "updated_at": (PLAYED, "its last move"),
            "class_id": (PLAYED, "the class it joined, if any"),
            "removed_at": (PLAYED, "when the teacher took it out"),
        },
    ),
    "classes": Kept(
        "A class, so that its teacher can lead it",
        CLASS,
        {
            "id": (TECHNICAL, "a random number"),
            "code": (TECHNICAL, "six letters to join by"),
            "case_id": (PLAYED, "which case"),
            "key": (TECHNICAL, "a hash of the private link"),
            "recovery": (TECHNICAL, "a hash of the recovery code"),
            "passphrase": (TECHNICAL, "an argon2id hash"),
            "settings": (PLAYED, "language, voice, pause, acts held, questions of the vote"),
            "version": (TECHNICAL, "how often it changed"),
            "created_at": (PLAYED, "when it was opened"),
            "changed_at": (TECHNICAL, "when it last changed"),
            "ends_at": (PLAYED, "when it is to end"),
            "ended_at": (PLAYED, "when it was ended"),
        },
    ),
    "commands": Kept(
        "What the teacher did, so that two teachers of a class see the same",
        CLASS,
        {
            "id": (TECHNICAL, "a number"),
            "class_id": (PLAYED, "in which class"),
            "team_id": (PLAYED, "to which team"),
            "kind": (PLAYED, "pause, hint, vote …"),
            "data": (TYPED, "its words: a hint, the question of a vote"),
            "at": (PLAYED, "when"),
        },
    ),
    "flags": Kept(
        "A message of distress, for an adult to act on; it is sent to no provider",
        TEAM,
        {
            "id": (TECHNICAL, "a number"),
            "team_id": (PLAYED, "of which team"),
            "kind": (TYPED, "self-harm, abuse or threat; **sensitive**"),
            "message": (TYPED, "what was typed; **sensitive**"),
            "at": (PLAYED, "when"),
            "seen_at": (PLAYED, "when the teacher saw it"),
        },
    ),
    "devices": Kept(
        "Which browsers are signed in to a team",
        "30 days after signing in, and with its team",
        {
            "id": (TECHNICAL, "a random number that the cookie holds; nothing of the machine"),
            "team_id": (PLAYED, "to which team"),
            "created_at": (PLAYED, "since when"),
            "revoked_at": (PLAYED, "until when"),
        },
    ),
    "events": Kept(
        "What happened in a game, from which its state and the class's report are made",
        TEAM,
        {
            "team_id": (PLAYED, "to which team"),
            "seq": (TECHNICAL, "in which order"),
            "kind": (PLAYED, "a clue found, a riddle tried …"),
            "data": (PLAYED, "which one; no text of players"),
            "at": (PLAYED, "when"),
        },
    ),
    "turns": Kept(
        "The conversations, so that a team can read them again; its teacher may read them too",
        TEAM,
        {
            "id": (TECHNICAL, "a random number"),
            "team_id": (PLAYED, "which team asked"),
            "version": (TECHNICAL, "in which order"),
            "character": (PLAYED, "whom"),
            "message": (TYPED, "the question as it was typed"),
            "key": (TYPED, "the same in small letters, to know a repeated question"),
            "shown": (PLAYED, "the clue on the table"),
            "status": (TECHNICAL, "being answered, or answered"),
            "seed": (TECHNICAL, "what chance decided"),
            "beat": (PLAYED, "what the character may tell"),
            "answer": (PLAYED, "clues and suggestions that came with the reply"),
            "reply": (PLAYED, "the character's words"),
            "source": (TECHNICAL, "who spoke: model, kept reply or authored line"),
            "accepted_at": (PLAYED, "when it was asked"),
            "finished_at": (PLAYED, "when it was answered"),
            "elapsed_ms": (TECHNICAL, "how long that took"),
            "owner": (TECHNICAL, "which process spoke"),
        },
    ),
    "turn_events": Kept(
        "A reply sentence by sentence, so that a reload in the middle loses nothing",
        "the end of the day",
        {
            "turn_id": (TECHNICAL, "of which turn"),
            "seq": (TECHNICAL, "in which order"),
            "kind": (TECHNICAL, "what it is"),
            "data": (PLAYED, "a sentence of the character"),
        },
    ),
    "listeners": Kept(
        "Which processes wait for a reply",
        "when the turn is answered",
        {
            "turn_id": (TECHNICAL, "which turn"),
            "owner": (TECHNICAL, "which process"),
            "left_at": (TECHNICAL, "until when"),
        },
    ),
    "reports": Kept(
        "Replies that a team objected to",
        TEAM,
        {
            "id": (TECHNICAL, "a number"),
            "turn_id": (PLAYED, "which reply"),
            "team_id": (PLAYED, "who objected"),
            "reason": (TYPED, "why, in their words"),
            "at": (PLAYED, "when"),
        },
    ),
    "judgements": Kept(
        "The questionnaire on judging sources, only where the teacher switched it on",
        TEAM,
        {
            "team_id": (PLAYED, "of which team; never of a pupil"),
            "moment": (PLAYED, "before or after"),
            "form": (TECHNICAL, "which of the two forms"),
            "marks": (PLAYED, "how far each source was trusted"),
            "at": (PLAYED, "when"),
        },
    ),
    "replies": Kept(
        "What a model said to a question, so that it is not asked twice; no question, no team",
        "when there are too many, the least used first; `POST /api/clear-cache` takes all",
        {
            "key": (TECHNICAL, "a hash of case, character, beat and question"),
            "status": (TECHNICAL, "being spoken, complete or failed"),
            "owner": (TECHNICAL, "which process"),
            "sentences": (PLAYED, "the character's words"),
            "bytes": (TECHNICAL, "how long it is"),
            "used_at": (TECHNICAL, "when it was last used"),
        },
    ),
    "spending": Kept(
        "Tokens and money spent, so that budgets hold",
        "after 90 days, and with its team or class",
        {
            "day": (TECHNICAL, "which day"),
            "scope": (PLAYED, "which team or class, or everybody"),
            "tokens": (TECHNICAL, "how many"),
            "micros": (TECHNICAL, "how much"),
        },
    ),
    "jobs": Kept(
        "Work that nobody waits for, and how far it is",
        "after 30 days; one that was given up, until it is tried again",
        {
            "id": (TECHNICAL, "a random number"),
            "name": (TECHNICAL, "what is to be done"),
            "arguments": (TECHNICAL, "to what: numbers of a class, a team or a case"),
            "owner": (TECHNICAL, "who may see it: a class, or the administrator"),
            "key": (TECHNICAL, "so that it is done once"),
            "status": (TECHNICAL, "how it stands"),
            "attempt": (TECHNICAL, "how often it was tried"),
            "progress": (TECHNICAL, "how far it is"),
            "note": (TECHNICAL, "what it is doing"),
            "result": (TECHNICAL, "what came of it: numbers"),
            "error": (TECHNICAL, "what went wrong"),
            "trace": (TECHNICAL, "which request asked for it"),
            "created_at": (TECHNICAL, "when it was asked for"),
            "deadline": (TECHNICAL, "until when it makes sense"),
            "due_at": (TECHNICAL, "when it is tried next"),
            "ended_at": (TECHNICAL, "when it ended"),
        },
    ),
    "job_files": Kept(
        "Files that a job made for whoever asked: a report, an export",
        "a day at most",
        {
            "job_id": (TECHNICAL, "by which job"),
            "name": (TECHNICAL, "the file's name"),
            "kind": (TECHNICAL, "PDF, zip …"),
            "body": (TYPED, "the file; an export holds what is exported"),
            "expires_at": (TECHNICAL, "until when it is kept"),
        },
    ),
    "leases": Kept(
        "Which processes live, where several machines share a database without Redis",
        "its process has been gone for a while",
        {
            "owner": (TECHNICAL, "which process"),
            "beat": (TECHNICAL, "a number that moves while it lives"),
        },
    ),
    "meta": Kept(
        "Small values that all processes share",
        "never; commits' receipts after a day",
        {
            "key": (TECHNICAL, "a name"),
            "value": (TECHNICAL, "its value"),
        },
    ),
}


def faults() -> Iterator[str]:
    """What the map leaves out or tells of what is not there."""
    for name, table in metadata.tables.items():
        kept = MAP.get(name)
        if kept is None:
            yield f"{name} is not in the map"
            continue
        there, told = set(table.columns.keys()), set(kept.columns)
        yield from (f"{name}.{column} is not in the map" for column in sorted(there - told))
        yield from (f"{name}.{column} does not exist" for column in sorted(told - there))
    yield from (f"{name} does not exist" for name in MAP if name not in metadata.tables)


def page() -> str:
    """The generated part of docs/privacy.md: `.venv/bin/python -m amazonia.store.datamap`."""
    parts = []
    for name, kept in MAP.items():
        rows = [
            f"| `{column}` | {kind} | {what} |" for column, (kind, what) in kept.columns.items()
        ]
        head = f"### `{name}`\n\n{kept.why}. Kept until: {kept.until}.\n"
        parts.append("\n".join([head, "| column | kind | what |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
