"""What is learned of the cases: once for all processes of a run and the servers that they start.

It is kept for later runs; the files' names tell what they were learned from.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amazonia.content.library import Library, bundled_cases
from amazonia.domain.case import Case, Lang
from amazonia.domain.understanding import Listener

ROOT = Path(__file__).parents[1]
LEARNED = ROOT / ".pytest_cache" / "learned"


class SharedLibrary(Library):
    """The cases of a folder; of all processes of a run one learns, and the others wait for it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, LEARNED)

    def listener(self, case: Case, lang: Lang) -> Listener:
        """What understands questions of a case in a language."""
        if self.has_learned(case):
            return super().listener(case, lang)
        LEARNED.mkdir(parents=True, exist_ok=True)
        with (LEARNED / f"{case.id}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return super().listener(case, lang)


@contextmanager
def learning() -> Iterator[None]:
    """Learn all cases beside, as long as the block lasts."""
    with subprocess.Popen([sys.executable, "-m", "tests.learned"], cwd=ROOT) as learner:
        yield
        learner.kill()


def learn(folder: Path) -> None:
    """See to it that every case of a folder is learned."""
    library = SharedLibrary(folder)
    for case in map(library.case, library.names()):
        if not library.has_learned(case):
            for lang in case.words:
                library.listener(case, lang)


def hand_on(data: Path) -> None:
    """Let whoever has this data folder find what was learned; what it learns besides is its own."""
    if not (data / "learned").exists():
        shutil.copytree(LEARNED, data / "learned")


if __name__ == "__main__":
    learn(Path(__file__).parent / "cases")
    learn(bundled_cases())
