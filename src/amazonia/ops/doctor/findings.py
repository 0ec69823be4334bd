"""What an examination finds, and how its checks are run: all at once, none for long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

Level = Literal["ok", "note", "problem"]
T = TypeVar("T")

PATIENCE = 8.0
"""Seconds that a check may take."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line about a deployment, and one about what to do.

    Attributes:
        about: the part that was looked at.
        do: what to do about it; empty where nothing needs doing.
    """

    about: str
    level: Level
    what: str
    do: str = ""


Found = list[Finding]
Check = Callable[[], Awaitable[Found]]


def ok(about: str, what: str) -> Finding:
    """All is well."""
    return Finding(about, "ok", what)


def note(about: str, what: str, do: str) -> Finding:
    """Worth knowing; the game plays."""
    return Finding(about, "note", what, do)


def problem(about: str, what: str, do: str) -> Finding:
    """Something does not work, or will not for long."""
    return Finding(about, "problem", what, do)


async def examine(checks: Mapping[str, Check], patience: float = PATIENCE) -> Found:
    """Run all checks at once; their findings in the order of the checks.

    A check that takes too long or breaks is a finding itself.

    Args:
        patience: seconds that each may take.
    """
    found = await asyncio.gather(*(_one(about, run, patience) for about, run in checks.items()))
    return [finding for each in found for finding in each]


async def _one(about: str, check: Check, patience: float) -> Found:
    try:
        async with asyncio.timeout(patience):
            return await check()
    except TimeoutError:
        what = f"does not answer within {patience:g} s"
        return [problem(about, what, "See that it runs, and that this machine reaches it")]
    except Exception as error:  # noqa: BLE001 - one check that breaks must not hide the others
        what = f"could not be examined ({type(error).__name__})"
        return [problem(about, what, "This is a fault of the doctor's: please report it")]


async def apart(work: Callable[[], T]) -> T:
    """Do what may block in a thread that nobody waits for when the program ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        try:
            outcome: tuple[T | None, BaseException | None] = (work(), None)
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits
            outcome = (None, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waited
            loop.call_soon_threadsafe(tell, *outcome)

    threading.Thread(target=run, daemon=True).start()
    return await done
