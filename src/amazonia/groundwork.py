"""What must be there before anything serves: the database in its newest shape, and the cases.

Imported before what serves, and by a process that needs nothing else: it imports little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import structlog

from amazonia.content.library import Library, Read, bundled_cases
from amazonia.errors import BadSetting
from amazonia.settings import Settings

if TYPE_CHECKING:
    from amazonia.domain.case import Lang
    from amazonia.voice.guard import Lexicon

__all__ = ["Ground", "Library", "lay_ground", "migrate", "need_driver", "open_library"]

log = structlog.get_logger()


def migrate(settings: Settings) -> None:
    """Bring the database to the newest shape; once, before the first process serves.

    Raises:
        BadSetting: there is no driver for the database.
        StoreDown: the database does not answer, or a newer version wrote it.
    """
    from amazonia.store.migrate import migrate_postgres, migrate_sqlite

    if settings.is_on_postgres:
        need_driver()
        migrate_postgres(settings.database_url)
    else:
        migrate_sqlite(settings.database_file)


def need_driver() -> None:
    """See that PostgreSQL can be spoken to.

    Raises:
        BadSetting: it cannot; says what to install.
    """
    if any(find_spec(name) is None for name in ("asyncpg", "greenlet")):
        raise BadSetting(
            "DATABASE_URL: PostgreSQL needs the extra `postgres`: "
            "pip install 'amazonia[postgres]', "
            "or in a checkout pip install -r requirements-scale.lock"
        )


@dataclass(frozen=True, slots=True)
class Ground:
    """What there is to know of the cases, for another process to be given.

    Attributes:
        lexicons: by case and language, what guards a model's words; none where no model speaks.
    """

    read: Read
    lexicons: Mapping[tuple[str, Lang], Lexicon]


def lay_ground(settings: Settings) -> Ground:
    """Read the cases, learn what is not learned yet, and compile what guards a model's words.

    Raises:
        BadCase: a case's files have faults.
        BadSetting: there is no case in the folder.
    """
    library = _library(settings, None)
    read = library.read()
    return Ground(read, _prepare(library, {}) if settings.voices else {})


def open_library(settings: Settings, ground: Ground | None = None) -> Library:
    """The cases, loaded and ready to be asked.

    Args:
        ground: what `lay_ground` gave, if it was asked.

    Raises:
        BadCase: a case's files have faults.
        BadSetting: there is no case in the folder.
    """
    library = _library(settings, ground.read if ground else None)
    library.open()
    if settings.voices:
        _prepare(library, ground.lexicons if ground else {})
    return library


def _prepare(
    library: Library, ready: Mapping[tuple[str, Lang], Lexicon]
) -> dict[tuple[str, Lang], Lexicon]:
    """Have every case's words ready for the guard, so that no turn waits for it."""
    from amazonia.voice.guard import prepare

    return {
        (name, lang): prepare(case, words, library.language(lang), ready.get((name, lang)))
        for name in library.names()
        for case in (library.case(name),)
        for lang, words in case.words.items()
    }


def _library(settings: Settings, read: Read | None) -> Library:
    folder = settings.cases or bundled_cases()
    library = Library(folder, settings.data / "learned", _say_learning, read)
    if not library.names():
        raise BadSetting(
            f"AMAZONIA_CASES: there is no case in '{folder}'; a folder of case folders"
        )
    return library


def _say_learning(case: str) -> None:
    log.info("case.learning", case=case, note="once, some ten seconds a language")
