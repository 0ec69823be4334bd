"""What is done before anything serves: the database is migrated, the cases are read.

Processes of their own do it, beside what the first process imports meanwhile: it is quicker, and
what parsing and Alembic take of memory goes with them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Generic, TypeVar

from amazonia.errors import AmazoniaError

if TYPE_CHECKING:
    from amazonia.groundwork import Ground, Library
    from amazonia.settings import Settings

T = TypeVar("T")


class Preparing:
    """Begins at once, where the system has forks; else when it is waited for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._migrated = _Apart(partial(_migrate, settings))
        self._ground = _Apart(partial(_lay_ground, settings))

    def library(self) -> Library:
        """The cases, open, when the database is ready as well.

        Raises:
            BadCase: a case's files have faults.
            BadSetting: there is no case in the folder, or no driver for the database.
            StoreDown: the database cannot be migrated.
        """
        from amazonia.groundwork import open_library

        self._migrated.result()
        return open_library(self._settings, self._ground.result())


def _migrate(settings: Settings) -> None:
    from amazonia.groundwork import migrate

    migrate(settings)


def _lay_ground(settings: Settings) -> Ground:
    from amazonia import log
    from amazonia.groundwork import lay_ground

    log.set_up(settings)  # to learn takes a while, and is said
    return lay_ground(settings)


class _Apart(Generic[T]):
    """Work that a fork does meanwhile."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.result = work
        """What the work gives, or raises."""
        if "fork" in get_all_start_methods():
            fork = get_context("fork")
            receiving, sending = fork.Pipe(duplex=False)
            child = fork.Process(target=_work_for, args=(sending, work), daemon=True)
            child.start()
            sending.close()
            self.result = partial(self._received, receiving, child)

    @staticmethod
    def _received(receiving: Connection, child: BaseProcess) -> T:
        error: AmazoniaError | None
        with receiving:
            try:
                done, error = receiving.recv()
            except EOFError:
                done = None
                error = AmazoniaError("what comes before serving broke off; its traceback says why")
        child.join()
        if error is not None:
            raise error
        result: T = done
        return result


def _work_for(asker: Connection, work: Callable[[], object]) -> None:
    """Send what the work gives, or what stopped it, unless the process that asked is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        try:
            asker.send((work(), None))
        except AmazoniaError as error:
            asker.send((None, error))
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(1)


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        wait([parent.sentinel])
        os._exit(1)
