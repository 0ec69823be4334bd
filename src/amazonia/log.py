"""Logging: pretty on a terminal, one JSON object a line elsewhere.

Events are named, such as ``turn.accepted``. Nothing that a player typed, no key and no cookie is
ever logged.
"""

from __future__ import annotations

import logging
import sys

import structlog

from amazonia.settings import Settings


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
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    faults: list[structlog.types.Processor] = (
        [] if pretty else [structlog.processors.format_exc_info]
    )
    structlog.configure(
        processors=[*shared, *faults, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
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
