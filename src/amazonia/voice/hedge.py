"""Two calls at once: when the first is slow, a second begins, and whoever speaks first is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager

from amazonia.voice.providers import Reply

Open = Callable[[], AbstractAsyncContextManager[Reply]]


class _Runner:
    """Reads a reply in a task of its own, so that it can be left without waiting for it."""

    def __init__(self, open_: Open) -> None:
        self.pieces: asyncio.Queue[str | Reply | Exception] = asyncio.Queue()
        self.task = asyncio.create_task(self._read(open_))

    async def _read(self, open_: Open) -> None:
        try:
            async with open_() as reply:
                async for text in reply:
                    self.pieces.put_nowait(text)
            self.pieces.put_nowait(reply)
        except Exception as exc:  # noqa: BLE001 - raised again where the pieces are heard
            self.pieces.put_nowait(exc)


async def race(
    first: Open, second: Open, after: float, may: Callable[[], bool]
) -> AsyncGenerator[str | Reply]:
    """The pieces of whichever reply speaks first, and at its end the reply itself.

    Args:
        after: seconds that the first has before the second begins.
        may: asked once, then; whether there may be a second at all.

    Raises:
        Exception: what both raised, or the only one; or the one that was heard.
    """
    runners = [_Runner(first)]
    try:
        heard = await _first_words(runners[0], after)
        if heard is None and may():
            runners.append(_Runner(second))
        if heard is None:
            heard = await _whoever_speaks(runners)
        winner, piece = heard
        for runner in runners:
            if runner is not winner:
                runner.task.cancel()
        while True:
            if isinstance(piece, Exception):
                raise piece
            yield piece
            if isinstance(piece, Reply):
                return
            piece = await winner.pieces.get()
    finally:
        for runner in runners:
            runner.task.cancel()
        await asyncio.gather(*(runner.task for runner in runners), return_exceptions=True)


_Heard = tuple[_Runner, "str | Reply | Exception"]


async def _first_words(runner: _Runner, after: float) -> _Heard | None:
    """What the runner says within some seconds, a failure included; None if nothing."""
    try:
        async with asyncio.timeout(after):
            return runner, await runner.pieces.get()
    except TimeoutError:
        return None


async def _whoever_speaks(runners: list[_Runner]) -> _Heard:
    """The first piece of any runner; a failure only if every one failed."""
    waiting = {asyncio.ensure_future(runner.pieces.get()): runner for runner in runners}
    try:
        while True:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                runner = waiting.pop(future)
                piece = future.result()
                if not isinstance(piece, Exception) or not waiting:
                    return runner, piece
    finally:
        for future in waiting:
            future.cancel()
