"""Imports structlog without Rich, which it takes up wherever it is installed, for tracebacks that
nobody prints here: fifty modules, four megabytes of every process. Whoever needs Rich has it."""

from __future__ import annotations

import sys

if "structlog" not in sys.modules and "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # «not to be found»
    import structlog  # noqa: F401

    del sys.modules["rich"]
