"""How a run is shared out among processes: file by file, and one lane for what is timed closely.

Players who are promised a reply within so many seconds are not to wait for other such players: what
is timed closely comes one after the other in one process, and the others step back for it.
"""

from __future__ import annotations

import os
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

TIMED: Final = ("tests/faults/", "tests/cluster/", "tests/serve/")
"""They are one lane."""
LONG: Final = ("tests/browser/",)
"""They begin early, so that no process is left with one of them at the end."""
STEP_BACK: Final = 10


class Lanes(LoadScopeScheduling):  # type: ignore[misc] # it comes without types
    """Gives each process a file at a time, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return "timed" if nodeid.startswith(TIMED) else nodeid.partition("::")[0]


def in_order(item: pytest.Item) -> int:
    """Sorts what is timed before what takes long, and that before the rest."""
    return 0 if item.nodeid.startswith(TIMED) else 1 if item.nodeid.startswith(LONG) else 2


def step_back(item: pytest.Item) -> None:
    """Let the processor be another's first, from the first test on that is not timed."""
    if not item.nodeid.startswith(TIMED) and os.nice(0) < STEP_BACK:
        os.nice(STEP_BACK)
