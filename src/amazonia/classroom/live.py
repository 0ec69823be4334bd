"""Every team of a class as its teacher sees it, as it moves: made once for all who look on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace

from amazonia.classroom.missing import NextSteps, told
from amazonia.classroom.rooms import Moves, Rooms, Subscription
from amazonia.classroom.standing import acts_of, standing
from amazonia.domain.case import Case, CharacterId
from amazonia.errors import NotTheTeacher, StoreDown
from amazonia.ports import Clock, Json, Library, StreamEvent, Team
from amazonia.ports.classes import Activity, Classes, Classroom, Command, Flag, Seen

COALESCE = 1.0
"""Seconds between two updates at least."""
LOOK_AGAIN = 30.0
"""Seconds after which time alone may have made a team idle or stuck."""
STUCK, IDLE = 360.0, 360.0
"""Seconds without a step forward, and without doing anything at all."""
TRYING = 90.0
"""Seconds of trying after the last step forward before a team counts as stuck."""
LOG = 30
"""Commands that a page shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """A team on the board. `mood` is playing, stuck, idle, done or how the class has it stand."""

    team: Team
    active: Activity
    progressed: float
    flags: tuple[Flag, ...]
    mood: str
    missing: Json | None
    rev: int

    def view(self, case: Case) -> Json:
        """The row for the teacher's page; times are seconds since 1970 by the server's clock."""
        team, words = self.team, case.words[self.team.lang]
        who = words.characters.get(CharacterId(self.active.character))
        return {
            "id": team.id,
            "name": team.name,
            "members": team.members,
            "act": acts_of(case, team.state),
            "acts": len(case.acts),
            "clues": len(team.state.clues),
            "clues_total": len(case.clues),
            "who": who.short if who else "",
            "joined_at": self.active.joined_at,
            "last_at": self.active.at,
            "progressed_at": self.progressed,
            "mood": self.mood,
            "missing": self.missing,
            "flags": sum(1 for flag in self.flags if flag.seen_at is None),
            "flags_seen": sum(1 for flag in self.flags if flag.seen_at is not None),
            "published": len(team.state.editions),
        }


@dataclass(eq=False)
class _Board:
    """The rows of a class while anybody looks on."""

    rows: dict[str, Row] = field(default_factory=dict)
    rev: int = 0
    class_rev: int = 0
    viewers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    room: Classroom | None = None
    commands: list[Command] = field(default_factory=list)
    resumed: float = 0.0
    looked_at: float = 0.0
    subscription: Subscription | None = None
    task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Let everybody see what is new."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Boards:
    """The live view of the classes of this process."""

    def __init__(
        self, library: Library, classes: Classes, rooms: Rooms, steps: NextSteps, clock: Clock
    ) -> None:
        self._library = library
        self._classes = classes
        self._rooms = rooms
        self._steps = steps
        self._clock = clock
        self._boards: dict[str, _Board] = {}

    async def follow(self, class_id: str) -> AsyncIterator[StreamEvent]:
        """`class` and `teams`, all of them at first and then what changed, until it is erased."""
        board = self._boards.setdefault(class_id, _Board())
        board.viewers += 1
        if board.task is None or board.task.done():
            board.task = asyncio.create_task(self._keep(class_id, board))
        task, seen, seen_class = board.task, 0, -1
        try:
            await board.ready.wait()
            while not task.done() and (room := board.room) is not None:
                changed = board.changed
                if board.class_rev != seen_class:
                    seen_class = board.class_rev
                    yield StreamEvent(board.rev, "class", self._class_view(board, room))
                new = [row for row in board.rows.values() if row.rev > seen]
                if new:
                    seen = board.rev
                    yield StreamEvent(seen, "teams", self._rows_view(room, new))
                if changed is board.changed:
                    await changed.wait()
        finally:
            board.viewers -= 1
            if not board.viewers and board.task is not None:
                board.task.cancel()
                if self._boards.get(class_id) is board:
                    del self._boards[class_id]

    async def evidence(self, room: Classroom, least: int) -> Json:
        """How many teams have each clue; clues that fewer than `least` have are not named."""
        teams = [team for team in await self._classes.teams(room.id) if not team.removed]
        case = self._library.case(room.case_id)
        words = case.words[room.lang]
        counts = {clue: sum(clue in team.state.clues for team in teams) for clue in case.clues}
        enough = max(1, min(least, len(teams)))
        found = [
            {"title": words.clues[clue].title, "summary": words.clues[clue].summary, "teams": n}
            for clue, n in sorted(counts.items(), key=lambda pair: -pair[1])
            if n >= enough
        ]
        return {"teams": len(teams), "least": enough, "clues": found, "total": len(case.clues)}

    def _class_view(self, board: _Board, room: Classroom) -> Json:
        commands = [
            {"id": c.id, "kind": c.kind, "team": c.team_id, "at": c.at, **c.data}
            for c in board.commands[-LOG:]
        ]
        return {**room_view(room, self._clock.now()), "commands": commands}

    def _rows_view(self, room: Classroom, rows: Iterable[Row]) -> Json:
        case = self._library.case(room.case_id)
        return {"now": self._clock.now(), "teams": [row.view(case) for row in rows]}

    # ── keeping a board ─────────────────────────────────────────────────────────────────────────

    async def _keep(self, class_id: str, board: _Board) -> None:
        """Bring the rows up to date, at most once a second, as long as anybody looks on."""
        with self._rooms.subscribe(class_id, teams=True) as board.subscription:
            moves: Moves | None = None  # everything
            while True:
                try:
                    room = await self._rooms.get(class_id)
                    await self._update(board, room, moves)
                except StoreDown:
                    await asyncio.sleep(COALESCE)
                    continue
                except NotTheTeacher:  # erased
                    return
                finally:
                    board.ready.set()
                    board.wake()
                moves = await _next_moves(board.subscription)

    async def _update(self, board: _Board, room: Classroom, moves: Moves | None) -> None:
        """Read the teams that moved; look at the others only now and then: time alone tells."""
        board.room, now = room, self._clock.now()
        rows = await self._read(board, room, moves)
        is_class_new = moves is None or moves.itself
        if is_class_new:
            board.class_rev += 1
            board.commands = await self._classes.commands(room.id)
            resumed = (c.at for c in board.commands if c.kind == "resume")
            board.resumed = max(resumed, default=0.0)
        if is_class_new or now - board.looked_at > LOOK_AGAIN:
            board.looked_at = now
            rows = {**board.rows, **rows}
        case = self._library.case(room.case_id)
        for row in rows.values():
            mood = _mood(room, case, row, max(row.progressed, board.resumed), now)
            missing = self._missing(board, case, row) if mood == "stuck" else None
            before = board.rows.get(row.team.id)
            if before is row and (mood, missing) == (row.mood, row.missing):
                continue  # of most teams, most of the time
            after = replace(row, mood=mood, missing=missing)
            if before != after:
                board.rev += 1
                board.rows[row.team.id] = replace(after, rev=board.rev)

    async def _read(self, board: _Board, room: Classroom, moves: Moves | None) -> dict[str, Row]:
        """The rows of all teams, or of those that moved, which were read already."""
        if moves is None:
            moved = {each.team.id: each for each in await self._classes.everybody(room.id)}
        else:
            moved = {id_: each for id_, each in moves.teams.items() if each is not None}
        unknown = [id_ for id_ in moved if id_ not in board.rows]
        progressed = await self._classes.progressed(unknown) if unknown else {}
        fresh = {id_: _row(board.rows.get(id_), each, progressed) for id_, each in moved.items()}
        thought = [] if moves is None else [id_ for id_ in moves.teams if id_ in board.rows]
        return {**{id_: board.rows[id_] for id_ in thought}, **fresh}

    def _missing(self, board: _Board, case: Case, row: Row) -> Json | None:
        """What a stuck team is missing, as soon as it is known."""
        team = row.team

        def tell() -> None:
            if board.subscription is not None:
                board.subscription.add(team.id)

        found = self._steps.known(case, team.state, tell)
        return told(case, case.words[team.lang], found.move) if found else None


def _row(before: Row | None, seen: Seen, progressed: Mapping[str, float]) -> Row:
    """A team's row; it made progress now if it has more than it had before."""
    team, active = seen.team, seen.active
    if before is None:
        at, missing, rev = progressed.get(team.id, active.joined_at), None, 0
    else:
        is_further = _steps(team) != _steps(before.team)
        at = active.at if is_further else before.progressed
        missing, rev = before.missing, before.rev
    return Row(team, active, at, seen.flags, "playing", missing, rev)


async def _next_moves(subscription: Subscription) -> Moves:
    """What moved next, after a rest; nothing when only time went by."""
    await asyncio.sleep(COALESCE)
    try:
        async with asyncio.timeout(LOOK_AGAIN):
            return await subscription.take()
    except TimeoutError:
        return Moves()


def _mood(room: Classroom, case: Case, row: Row, since: float, now: float) -> str:
    stands = standing(room, row.team, case, now)
    if stands != "playing":
        return stands
    if row.team.state.editions:
        return "done"
    if now - max(row.active.at, since) > IDLE:
        return "idle"
    if now - since > STUCK and row.active.at - since > TRYING:
        return "stuck"
    return "playing"


def room_view(room: Classroom, now: float) -> Json:
    """A class as its teacher's pages see it."""
    vote = room.vote
    return {
        "now": now,
        "code": room.code,
        "version": room.version,
        "lang": room.lang,
        "voice": room.voice,
        "paused": room.paused,
        "held": room.held,
        "ends_at": room.ends_at,
        "ended_at": room.ended_at,
        "is_over": room.is_over(now),
        "vote": vote_view(room) if vote else None,
    }


def vote_view(room: Classroom) -> Json | None:
    """A vote without who voted."""
    vote = room.vote
    if vote is None:
        return None
    return {
        "id": vote.id,
        "question": vote.question,
        "options": list(vote.options),
        "hands": list(vote.hands),
        "tally": list(vote.tally()),
        "is_open": vote.is_open,
    }


def _steps(team: Team) -> tuple[int, int, int]:
    """What counts as a step forward: clues, riddles solved, rounds won."""
    state = team.state
    solved = sum(tries.right for tries in state.riddles.values())
    won = sum(tries.right for tries in state.rounds.values())
    return len(state.clues) + len(state.shown), solved, won + len(state.editions)
