"""Metrics of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from amazonia.ops import metrics


@pytest.fixture(autouse=True)
def own_metrics(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No number of another test is here, and no id stays bound."""
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    metrics._process.counts = None
    yield
    metrics._process.counts = None
    structlog.contextvars.clear_contextvars()
