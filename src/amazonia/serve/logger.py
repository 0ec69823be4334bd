"""Gunicorn's own messages."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger as GunicornLogger


class Logger(GunicornLogger):
    """Gunicorn's messages, in the program's own format."""

    def setup(self, cfg: Any) -> None:
        """Hand every message to the root logger."""
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            logger.handlers[:] = []
            logger.propagate = True
