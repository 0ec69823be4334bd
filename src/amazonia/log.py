"""Logging: sentences on a terminal, one JSON object a line elsewhere.

Events are named, such as ``turn.accepted``. Nothing that a player typed, no key and no cookie is
ever logged. On a terminal the events of a turn read as what happened::

    22:50:00 [info ] Esmerina · called gpt-4o-mini     turn=k3j2 team=x9
    22:50:03 [info ] Esmerina · answered in 3.2 s      turn=k3j2 team=x9 source=model
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
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


Event = MutableMapping[str, Any]


def set_up(settings: Settings, *watchers: structlog.types.Processor) -> None:
    """Send structured and standard logging to standard error, in the chosen format.

    Args:
        watchers: see every event of ours, whole, before it is written; they change nothing.
    """
    pretty = settings.log_format == "pretty" or (not settings.log_format and sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if pretty else "iso", utc=not pretty),
    ]
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        if pretty
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    faults: list[structlog.types.Processor] = (
        [] if pretty else [structlog.processors.format_exc_info]
    )
    words: list[structlog.types.Processor] = [say] if pretty else []
    processors = structlog.get_config()["processors"]  # one list for good: loggers in use keep it
    processors[:] = [*shared, *watchers, *words, *faults, renderer]
    structlog.configure(
        processors=processors,
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


# ── sentences ───────────────────────────────────────────────────────────────────────────────────

_TOO_LATE = frozenset({"silent", "stalled", "deadline", "overtime"})
"""Reasons for which a voice broke off that are a question of time."""


def say(_: object, __: str, event: Event) -> Event:
    """A processor that makes a sentence of an event; what that does not say stays beside it."""
    sentence = _SENTENCES.get(event.get("event", ""))
    if sentence is not None:
        said = sentence(event)
        character = str(event.pop("character", "")).replace("_", " ").title()
        event["event"] = f"{character} · {said}" if character else said
    return event


def _called(event: Event) -> str:
    whom = event.pop("model", "") or event.get("provider", "a model")
    return (
        f"called {whom}, to see whether it is back" if event.pop("probe", 0) else f"called {whom}"
    )


def _spoke(event: Event) -> str:
    who = event.pop("model", "") or event.get("provider", "a model")
    return f"{who} finished{_in_seconds(event, 'seconds')}"


def _turn_answered(event: Event) -> str:
    event["seconds"] = event.pop("elapsed_ms", 0) / 1000
    return f"answered{_in_seconds(event, 'seconds')}"


def _failed(event: Event) -> str:
    reason = event.pop("reason", "")
    if reason in _TOO_LATE:
        return f"timeout{_in_seconds(event, 'seconds', 'after')} ({reason})"
    return f"error: {reason}{_in_seconds(event, 'seconds', 'after')}"


def _scripted(event: Event) -> str:
    return f"{_failed(event)} → scripted"


def _in_seconds(event: Event, name: str, how: str = "in") -> str:
    seconds = event.pop(name, None)
    return f" {how} {seconds:.1f} s" if isinstance(seconds, (int, float)) else ""


def _guard_read(event: Event) -> str:
    count = event.pop("sentences", 0)
    return f"the guard let {count} sentence{'' if count == 1 else 's'} pass"


_SENTENCES: Mapping[str, Callable[[Event], str]] = {
    "turn.accepted": lambda _: "asked",
    "turn.duplicate": lambda _: "duplicate: this question is that turn already",
    "turn.answered": _turn_answered,
    "turn.scripted": _scripted,
    "turn.declined": lambda e: f"declined: {e.pop('kind', '')}, as the {e.pop('by', '')} has it",
    "moderation.failed": lambda e: f"moderation: {_failed(e)}, the filter decides alone",
    "turn.rescued": lambda _: "its process died as it spoke: the rest is told → scripted",
    "turn.unsaved": lambda _: "error: the reply could not be saved",
    "voice.called": _called,
    "voice.answered": _spoke,
    "voice.failed": _failed,
    "voice.left": lambda _: "left: nobody needs this answer any more",
    "guard.read": _guard_read,
    "guard.refused": lambda e: f"the guard refused a sentence: {e.pop('reason', '')}",
    "process.began": lambda e: f"worker {e.pop('worker', '')} begins",
    "process.ended": lambda e: f"worker {e.pop('worker', '')} is gone",
    "processes.renewed": lambda _: "asked to renew (HUP): new workers begin, then the old ones go",
    "job.ordered": lambda e: f"job {e.get('name')} ordered",
    "job.began": lambda e: f"job {e.get('name')} begun",
    "job.done": lambda e: f"job {e.get('name')} done{_in_seconds(e, 'seconds')}",
    "job.failed": lambda e: f"job {e.get('name')} failed, again{_in_seconds(e, 'again_in')}",
    "job.dead": lambda e: f"job {e.get('name')} given up: {e.pop('error', '')}",
    "job.queue_down": lambda e: f"the queue is down ({e.pop('reason', '')}), done here instead",
    "provider.unauthorized": lambda e: f"{e.get('provider')} refuses the key: check it",
    "shared.lost": lambda e: f"Redis is not well ({e.get('why')}): the database does its work",
    "shared.back": lambda e: f"Redis is back after {e.get('seconds')} s",
    "provider.back": lambda e: f"{e.get('provider')} is back",
    "provider.still_down": lambda e: f"{e.get('provider')} is still down",
}
