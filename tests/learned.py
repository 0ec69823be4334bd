"""What is learned of the cases: once for all processes of a run and the servers that they start.

A run that is shared out learns anew and keeps nothing; pytest by itself finds what it learned
before.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from amazonia.content.library import Library, bundled_cases
from amazonia.domain.case import Case, Lang
from amazonia.domain.understanding import Listener

VARIABLE = "LEARNED_BY_TESTS"
"""Names the folder to the processes of a run."""


ROOT = Path(__file__).parents[1]
LEARNED = Path(os.environ.get(VARIABLE) or ROOT / ".pytest_cache" / "learned").resolve()


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
    """Let a run have a folder of its own, and learn all cases while its first tests run."""
    with TemporaryDirectory(prefix="amz-learned-") as folder:
        os.environ.setdefault(VARIABLE, folder)
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
