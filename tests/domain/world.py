"""The cases that the tests play: read once, taught once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.learned import SharedLibrary

from amazonia.content.library import Library, bundled_cases
from amazonia.domain.case import Case, Character, CharacterId, Lang, TopicId
from amazonia.domain.understanding import Listener, Reading
from amazonia.domain.walkthrough import Guide
from amazonia.domain.words import CaseWords

ROOT = Path(__file__).resolve().parents[2]
MINI = ROOT / "tests" / "cases"
PT = Lang("pt-BR")


@dataclass(frozen=True, eq=False)
class World:
    """A case in one language, and where it came from."""

    case: Case
    words: CaseWords
    library: Library

    @property
    def listener(self) -> Listener:
        """The trained ear, from the cache if it can be."""
        return self.library.listener(self.case, PT)

    @property
    def guide(self) -> Guide:
        """Plays the case by itself."""
        return Guide(self.case, self.words, self.listener)

    def who(self, name: str) -> Character:
        """A character by name."""
        return self.case.characters[CharacterId(name)]


def _world(folder: Path, name: str) -> World:
    library = SharedLibrary(folder)
    case = library.case(name)
    return World(case, case.words[PT], library)


@cache
def mini() -> World:
    """The small case for tests: a cake, a cat, three people."""
    return _world(MINI, "mini")


@cache
def lama() -> World:
    """The real case."""
    return _world(bundled_cases(), "lama_sem_ouro")


@cache
def papel() -> World:
    """The second real case, shorter: one lesson, four people."""
    return _world(bundled_cases(), "bezerro_de_papel")


def about(*topics: str, double: bool = False) -> Reading:
    """The reading of a question that is clearly about these topics."""
    return Reading("answer", tuple(map(TopicId, topics)), double=double)
