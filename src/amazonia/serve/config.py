"""Gunicorn's configuration. Why each value is what it is: `gunicorn_config.py`."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import structlog

from amazonia import log
from amazonia.ops import metrics, sharing, telemetry
from amazonia.settings import Settings

events = structlog.get_logger()

BACKLOG = 4096
KEEPALIVE = 75
TIMEOUT = 60
GRACE = 7.0
"""Seconds beyond a turn's deadline that a process has for finishing its turns."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - Gunicorn makes its own unnamed file there

WORKERS = {
    "asgi": "amazonia.serve.asgi.Worker",
    "uvicorn": "amazonia.serve.uvicorn_worker.UvicornWorker",
    "gthread": "amazonia.serve.threads.ThreadWorker",
}


def _ignore(_arbiter: Any) -> None:
    """What happens where nobody wants to know."""


def _ignore_worker(_arbiter: Any, _worker: Any) -> None:
    """The same of a worker; Gunicorn counts a hook's arguments."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What else is told of the processes' lives, in the order of a life.

    Attributes:
        starting: in the first process, before it listens: `f(arbiter)`.
        ready: in the first process, when the application is built and before a worker is forked.
        forked: in a new worker, before it serves: `f(arbiter, worker)`.
        ended: in the first process, when a worker is gone, however it went: `f(arbiter, worker)`.
    """

    starting: Callable[[Any], None] = _ignore
    ready: Callable[[Any], None] = _ignore
    forked: Callable[[Any, Any], None] = _ignore_worker
    ended: Callable[[Any, Any], None] = _ignore_worker


def graceful_timeout(settings: Settings) -> int:
    """Seconds that a process may need to end: every turn under way is answered first."""
    return round(settings.turn_deadline + GRACE)


def gunicorn_settings(settings: Settings, hooks: Hooks | None = None) -> dict[str, Any]:
    """Gunicorn's configuration; `gunicorn_config.py` is this.

    Args:
        hooks: who else wants to know when processes begin and end.
    """
    hooks = hooks or Hooks()

    def on_starting(arbiter: object) -> None:
        log.set_up(settings, metrics.count, telemetry.trace)
        sharing.share()
        metrics.open_metrics()
        hooks.starting(arbiter)

    def on_reload(arbiter: object) -> None:
        events.info("processes.renewed", workers=settings.workers)

    def post_fork(arbiter: Any, worker: Any) -> None:
        events.info("process.began", worker=worker.pid)
        hooks.forked(arbiter, worker)

    def child_exit(arbiter: Any, worker: Any) -> None:
        events.info("process.ended", worker=worker.pid)
        sharing.bury(worker.pid)
        hooks.ended(arbiter, worker)

    def when_ready(arbiter: object) -> None:
        warm_up(settings)
        share_memory()
        hooks.ready(arbiter)

    return {
        "bind": f"127.0.0.1:{settings.port}",
        "wsgi_app": "amazonia.serve:app()",
        "worker_class": WORKERS[settings.worker_class],
        "workers": settings.workers,
        "threads": settings.threads if settings.worker_class == "gthread" else 1,
        "preload_app": True,
        "backlog": BACKLOG,
        "keepalive": KEEPALIVE,
        "timeout": TIMEOUT,
        "graceful_timeout": graceful_timeout(settings),
        "max_requests": settings.max_requests,
        "max_requests_jitter": settings.max_requests // 5,
        "worker_tmp_dir": str(SHARED_MEMORY) if os.access(SHARED_MEMORY, os.W_OK) else None,
        "asgi_disconnect_grace_period": 0,
        "asgi_lifespan": "on",
        "control_socket_disable": True,
        "logger_class": "amazonia.serve.logger.Logger",
        "loglevel": "warning",
        "limit_request_line": 8190,
        "on_starting": on_starting,
        "when_ready": when_ready,
        "on_reload": on_reload,
        "post_fork": post_fork,
        "child_exit": child_exit,
    }


def warm_up(settings: Settings) -> None:
    """Do once for all workers, before they are forked, what each would do for itself."""
    from amazonia.services import compile_statements

    compile_statements(settings)
    with contextlib.suppress(ImportError):
        import_module("uvloop")


YOUNG = 10_000
"""New objects after which garbage is looked for. The usual 700 are a fraction of a turn, which
makes few cycles: looking that often took some 5 % of a worker's time."""


ARENA_MAX, ARENAS = -8, 2
"""`mallopt`: each thread of a worker would keep what it freed in an arena of its own."""
CODE = Path("/proc/self/maps")
"""Where Linux tells which files lie where in memory."""
DONTNEED = 4
"""Linux' advice that pages are not needed (`madvise`)."""


def share_memory() -> None:
    """Let workers share what was read before they were forked: it lives as long as they do.

    What reading left behind is given back. The garbage collector writes into what it looks at, and
    a page that is written to is shared no longer: it need not look at any of this again.
    """
    gc.collect()
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):  # the GNU C library
        library.malloc_trim(0)
        library.mallopt(ARENA_MAX, ARENAS)
    if CODE.exists():
        _leave_code(library.madvise)
    gc.freeze()
    gc.set_threshold(YOUNG)  # inherited by the workers


def _leave_code(madvise: Callable[..., int]) -> None:
    """Let go of libraries' code: most of it only built what is there now, and all is in a file.

    Pages with code are never written to; what is called again is mapped again.
    """
    for line in CODE.read_text().splitlines():
        span, rights, *_, name = line.split()
        if rights == "r-xp" and name.startswith("/"):
            start, end = (ctypes.c_size_t(int(part, 16)) for part in span.split("-"))
            madvise(start, ctypes.c_size_t(end.value - start.value), DONTNEED)
