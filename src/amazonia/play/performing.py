"""What a voice is given of a turn, and how its words are taken down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from amazonia.domain.case import CharacterId
from amazonia.errors import StoreDown
from amazonia.play.audience import Audience
from amazonia.play.directing import spender
from amazonia.play.game import Game
from amazonia.play.stream import told_of
from amazonia.play.text import question_key
from amazonia.ports import Exchange, Performance, Said, StreamEvent, Team, Turn, Turns
from amazonia.voice.speak import RESERVE, Deadline

SHARE_EVERY = 0.1
"""Seconds after which a slow performance is made visible to other processes."""


def performance_of(
    game: Game, team: Team, turn: Turn, history: tuple[Exchange, ...] = ()
) -> Performance:
    """The performance of a turn."""
    table = game.table(team)
    return Performance(
        turn=turn.id,
        case=table.case,
        words=table.words,
        lang=team.lang,
        language=game.library.language(team.lang),
        character=turn.character,
        kind=turn.answer["kind"],
        lines=turn.lines,
        message=turn.message,
        key=question_key(turn.message),
        shown=turn.shown,
        state=table.state,
        history=history,
        spender=spender(team),
    )


async def performance_in_full(
    game: Game, turns: Turns, team: Team, turn: Turn, messages: int
) -> Performance:
    """The same, with the talk before it if the question only carries that on.

    Args:
        messages: how many of the last messages are told at most.
    """
    if not turn.follows or not messages:
        return performance_of(game, team, turn)
    try:
        newest = await game.teams.get(team.id)
        history = await _history(turns, team.id, turn.character, messages)
    except StoreDown:  # the beat alone is enough
        return performance_of(game, team, turn)
    return performance_of(game, newest or team, turn, history)


async def _history(
    turns: Turns, team_id: str, character: CharacterId, messages: int
) -> tuple[Exchange, ...]:
    """The last messages with a character, oldest first, but for those that were declined; of an
    odd number the first is a reply."""
    recent = await turns.recent(team_id, character, (messages + 1) // 2)
    exchanges = [Exchange(t.message, t.reply) for t in recent if t.answer["kind"] != "declined"]
    if messages % 2 and 2 * len(exchanges) > messages:
        exchanges[0] = Exchange("", exchanges[0].reply)
    return tuple(exchanges)


async def next_piece(
    speech: AsyncGenerator[Said], audience: Audience, deadline: Deadline
) -> Said | None:
    """The next piece, or None at the end.

    Raises:
        TimeoutError: the deadline came too near, or nobody listens any more.
    """
    now = asyncio.get_running_loop().time()
    async with asyncio.timeout_at(now + deadline.left() - RESERVE) as patience:
        with audience.call_when_gone(lambda: patience.reschedule(now)):
            return await anext(speech, None)


class Share:
    """Lets other processes see what is said, within `SHARE_EVERY`; nobody waits for it.

    Args:
        events: what was said; grows meanwhile.
        changed: tells other processes what was said, at once; nobody need hear it.
    """

    def __init__(
        self,
        turns: Turns,
        turn_id: str,
        events: Sequence[StreamEvent],
        changed: Callable[[str, str], None],
    ) -> None:
        self._turns = turns
        self._changed = changed
        self._turn_id = turn_id
        self._events = events
        self._shared = 0
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def soon(self) -> None:
        """There is something new."""
        self._changed(self._turn_id, told_of(self._events))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SHARE_EVERY, self._begin)

    def end(self) -> asyncio.Task[None] | None:
        """Write no more: the rest is saved with the whole reply. The write under way, if any."""
        if self._timer is not None:
            self._timer.cancel()
        return self._task

    def _begin(self) -> None:
        if self._task is not None and not self._task.done():
            self._timer = asyncio.get_running_loop().call_later(SHARE_EVERY, self._begin)
            return
        self._timer = None
        self._task = asyncio.create_task(self._write())

    async def _write(self) -> None:
        new = self._events[self._shared :]
        try:
            await self._turns.say(self._turn_id, new)
        except StoreDown:
            return
        self._shared += len(new)
