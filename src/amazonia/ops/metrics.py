"""Metrics for Prometheus: what the log says is counted, and some things are looked at.

Whoever does something only logs it; `count` is a processor of the log. One process keeps its
numbers to itself; several share them in a folder (`amazonia.ops.sharing`), which has to be there
before metrics are opened. prometheus_client is imported then, and only by who serves.
"""

from __future__ import annotations

import platform
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from amazonia import __version__
from amazonia.ops.catalogue import METRICS, Change, Metric, changes
from amazonia.ops.sharing import count_in, shared_folder, while_reading, written

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_SERIES = 100
"""Combinations of labels that a metric may have; further ones are counted as `other`."""


class Sink(Protocol):
    """Takes down changes of metrics; another one than Prometheus's."""

    def change(self, metric: Metric, change: Change) -> None:
        """Add to a counter, observe in a histogram, set a gauge."""
        ...


class Counts:
    """The metrics of this process."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, disable_created_metrics

        # One more series for each, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._folder = shared_folder()
        self._registry = CollectorRegistry()
        count_in(self._folder)
        self._sinks: list[Sink] = []
        self._series: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._many: Tally[str] = Tally()
        self._totals: dict[tuple[str, tuple[str, ...]], float] = {}
        self._metrics = {name: self._make(metric) for name, metric in METRICS.items()}
        self.change(Change("amazonia_build_info", (__version__, platform.python_version())))

    def add_sink(self, sink: Sink) -> None:
        """Tell another one of every change, too."""
        self._sinks.append(sink)

    def remove_sink(self, sink: Sink) -> None:
        """Tell it no more."""
        self._sinks.remove(sink)

    def change(self, change: Change) -> None:
        """Add to a counter, observe in a histogram, set a gauge."""
        metric = METRICS[change.name]
        labels = change.labels
        series = self._series.get((change.name, labels))
        if series is None:
            series, labels = self._begin(metric, labels)
        match metric.kind:
            case "counter":
                series.inc(change.value)
            case "gauge":
                series.set(change.value)
            case "histogram":
                series.observe(change.value)
        for sink in self._sinks:
            sink.change(metric, Change(change.name, labels, change.value))

    def look(self, reading: Change) -> None:
        """Take down a reading: of a gauge, its value; of a counter, its total so far."""
        if METRICS[reading.name].kind == "counter":
            key = (reading.name, reading.labels)
            more = reading.value - self._totals.get(key, 0.0)
            self._totals[key] = reading.value
            reading = reading._replace(value=max(0.0, more))
        self.change(reading)

    def text(self) -> bytes:
        """Everything, of every process, in Prometheus's text format."""
        from prometheus_client import CollectorRegistry, generate_latest

        if self._folder is None:
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        everybody.register(_Everybody(self._folder))
        with while_reading(self._folder):
            return generate_latest(everybody)

    def _begin(self, metric: Metric, labels: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
        """The series of these labels, or of `other` if there are too many already."""
        if self._many[metric.name] >= MOST_SERIES:
            labels = ("other",) * len(metric.labels)
        self._many[metric.name] += 1
        made = self._metrics[metric.name]
        series = made.labels(*labels) if metric.labels else made
        if self._many[metric.name] <= MOST_SERIES:
            self._series[metric.name, labels] = series
        return series, labels

    def _make(self, metric: Metric) -> Any:
        from prometheus_client import Counter, Gauge, Histogram

        common = (metric.name, metric.help, metric.labels)
        match metric.kind:
            case "counter":
                return Counter(*common, registry=self._registry)
            case "gauge":
                return Gauge(*common, registry=self._registry, multiprocess_mode=metric.mode)
            case "histogram":
                return Histogram(*common, registry=self._registry, buckets=metric.buckets)


@dataclass(frozen=True, slots=True)
class _Everybody:
    """Collects what the processes that share a folder counted."""

    folder: Path

    def collect(self) -> Iterable[Any]:
        from prometheus_client.multiprocess import MultiProcessCollector

        files = [str(file) for file in written(self.folder)]
        merged: Iterable[Any] = MultiProcessCollector.merge(files, accumulate=True)  # type: ignore[no-untyped-call]
        return merged


@dataclass(slots=True)
class _Process:
    """What this process has: one set of metrics, once they are opened."""

    counts: Counts | None = None


_process = _Process()


def open_metrics() -> Counts:
    """The metrics of this process, made at the first call.

    With several processes, `amazonia.ops.sharing.share` comes before it.
    """
    if _process.counts is None:
        _process.counts = Counts()
    return _process.counts


def count(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of the log that counts and changes nothing. Counting never stops anybody."""
    tell(*changes(event))
    return event


def tell(*told: Change) -> None:
    """Take down changes; nothing, unless metrics are open."""
    counts = _process.counts
    if counts is not None:
        with suppress(OSError, ValueError):  # the shared folder is full or gone
            for change in told:
                counts.change(change)


def look(readings: Iterable[Change]) -> None:
    """Take down readings of what changes by itself."""
    counts = open_metrics()
    with suppress(OSError, ValueError):
        for reading in readings:
            counts.look(reading)


def exposition() -> bytes:
    """Everything, of every process, in Prometheus's text format.

    It takes milliseconds and may wait for a file: call it in a thread.
    """
    return open_metrics().text()


def is_local(client: str, headers: Mapping[str, str]) -> bool:
    """Whether somebody on this very machine asks, and not a proxy on it for somebody else.

    Args:
        client: the connection's address.
        headers: of the request, in lower case.
    """
    passed_on = any(name in headers for name in ("x-forwarded-for", "forwarded", "x-real-ip"))
    return not passed_on and client in {"127.0.0.1", "::1"}
