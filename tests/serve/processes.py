"""Looking at a server's processes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.server import PATIENCE, Server


def workers(server: Server) -> set[int]:
    """The worker processes that are there now."""
    pid = server.process.pid
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


async def workers_without(server: Server, gone: set[int], count: int = 2) -> set[int]:
    """The workers, as soon as none of some is among them and there are enough."""
    until = time.monotonic() + PATIENCE
    while (now := workers(server)) & gone or len(now) < count:
        assert time.monotonic() < until, f"{now} are still there"
        await asyncio.sleep(0.05)
    return now
