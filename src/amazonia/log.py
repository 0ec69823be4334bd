"""Logging: pretty on a terminal, one JSON object a line elsewhere.

Events are named, such as ``turn.accepted``. Nothing that a player typed, no key and no cookie is
ever logged.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import queue
import sys
import threading
from functools import cache
from typing import Any, TextIO, cast

import orjson
import structlog

from amazonia.settings import Settings


class _Writer:
    """A stream to standard error that keeps nobody waiting: a thread writes.

    Lines that come while it writes go out together. An orderly end waits for the last; one that
    was logged in the very moment in which a process is killed may be lost.
    """

    def __init__(self) -> None:
        self._start()
        os.register_at_fork(after_in_child=self._start)  # a fork takes no thread along
        atexit.register(self._finish)

    def write(self, text: str) -> int:
        """Take a line, or a piece of one."""
        self._texts.put(text)
        return len(text)

    def flush(self) -> None:
        """Nothing: the thread does it."""

    def _start(self) -> None:
        self._texts: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def _finish(self) -> None:
        self._texts.put(None)
        self._thread.join(timeout=2.0)

    def _write_all(self) -> None:
        while (text := self._texts.get()) is not None:
            texts: list[str | None] = [text]
            while not self._texts.empty():
                texts.append(self._texts.get())
            with contextlib.suppress(OSError, ValueError):  # standard error was closed
                sys.stderr.write("".join(filter(None, texts)))
                sys.stderr.flush()
            if None in texts:
                return


@cache
def _writer() -> _Writer:
    """The one of this process."""
    return _Writer()


def _json(event: Any, **_: object) -> str:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def set_up(settings: Settings) -> None:
    """Send structured and standard logging to standard error, in the chosen format."""
    pretty = settings.log_format == "pretty" or (not settings.log_format and sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if pretty
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    faults: list[structlog.types.Processor] = (
        [] if pretty else [structlog.processors.format_exc_info]
    )
    structlog.configure(
        processors=[*shared, *faults, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _writer())),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_writer())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *faults,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("alembic", "sqlalchemy", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
