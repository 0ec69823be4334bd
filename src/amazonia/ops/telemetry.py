"""OpenTelemetry: sending traces and metrics to a collector, where one is named.

Each process sends by itself, from threads, in batches out of a bounded queue: while the collector
is down what does not fit is dropped, and one line says so. The library reads the standard
variables for headers, sampling, batches and the service's name.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import threading
from collections.abc import AsyncIterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import structlog

from amazonia import __version__
from amazonia.ops.catalogue import Change, Metric
from amazonia.ops.metrics import open_metrics
from amazonia.ops.tracing import SCHEMA, Traces
from amazonia.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

log = structlog.get_logger()

EXPORT: Final = 5.0
"""Seconds that one sending may take."""
FAREWELL: Final = 2.0
"""Seconds that the last sending may hold up the end of the process."""

CONVENTIONAL: Final = {
    "amazonia_provider_seconds": "gen_ai.client.operation.duration",
    "amazonia_provider_tokens_total": "gen_ai.client.token.usage",
}
"""Metrics that OpenTelemetry's conventions (1.44.0) have a name for."""
CONVENTIONAL_LABELS: Final = {
    "provider": "gen_ai.provider.name",
    "direction": "gen_ai.token.type",
}
TOKEN_TYPES: Final = {"prompt": "input", "reply": "output"}


@dataclass(slots=True)
class _Process:
    """What this process has open."""

    traces: Traces | None = None


_process = _Process()


def traces() -> Traces | None:
    """Where this process's spans go, if they go anywhere."""
    return _process.traces


def trace(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of the log that makes spans and changes nothing."""
    if _process.traces is not None:
        _process.traces(logger, method, event)
    return event


@asynccontextmanager
async def telemetry(settings: Settings) -> AsyncIterator[None]:
    """Send traces and metrics as long as the block lasts, if a collector is named.

    Open it in the process that serves, after any fork: it starts threads.
    """
    if not settings.otlp_endpoint:
        yield
        return
    try:
        sending = await asyncio.to_thread(_open, settings.otlp_endpoint)
    except ImportError:
        log.warning(
            "telemetry.missing",
            note="OTEL_EXPORTER_OTLP_ENDPOINT is set, but nothing can be sent: "
            "pip install 'amazonia[telemetry]'",
        )
        yield
        return
    _process.traces = sending.traces
    open_metrics().add_sink(sending.meters)
    try:
        yield
    finally:
        _process.traces = None
        open_metrics().remove_sink(sending.meters)
        # A thread that nobody need wait for: the collector may hang.
        last = threading.Thread(target=sending.close, name="telemetry-end", daemon=True)
        last.start()
        await asyncio.to_thread(last.join, FAREWELL)


class Meters:
    """Takes metrics down for OpenTelemetry."""

    def __init__(self, provider: MeterProvider) -> None:
        self._meter = provider.get_meter("amazonia", __version__, SCHEMA)
        self._instruments: dict[str, Any] = {}

    def change(self, metric: Metric, change: Change) -> None:
        """Add to a counter, observe in a histogram, set a gauge."""
        instrument = self._instruments.get(metric.name)
        if instrument is None:
            instrument = self._instruments[metric.name] = self._make(metric)
        labels = _attributes(metric, change.labels)
        match metric.kind:
            case "counter" if metric.name not in CONVENTIONAL:
                instrument.add(change.value, labels)
            case "gauge":
                instrument.set(change.value, labels)
            case _:
                instrument.record(change.value, labels)

    def _make(self, metric: Metric) -> Any:
        unit = "s" if "seconds" in metric.name else ""
        if metric.name in CONVENTIONAL:  # token usage, too, is a histogram there
            unit = unit or "{token}"
            bounds = metric.buckets or None
            name = CONVENTIONAL[metric.name]
            return self._meter.create_histogram(
                name, unit, metric.help, explicit_bucket_boundaries_advisory=bounds
            )
        name = metric.name.removesuffix("_total").replace("amazonia_", "amazonia.", 1)
        match metric.kind:
            case "counter":
                return self._meter.create_counter(name, unit, metric.help)
            case "gauge":
                return self._meter.create_gauge(name, unit, metric.help)
            case "histogram":
                return self._meter.create_histogram(
                    name, unit, metric.help, explicit_bucket_boundaries_advisory=metric.buckets
                )


def _attributes(metric: Metric, labels: tuple[str, ...]) -> dict[str, str]:
    given = dict(zip(metric.labels, labels, strict=True))
    if metric.name not in CONVENTIONAL:
        return given
    named = {CONVENTIONAL_LABELS[name]: TOKEN_TYPES.get(v, v) for name, v in given.items()}
    if metric.name.startswith("amazonia_provider"):
        named["gen_ai.operation.name"] = "chat"
    return named


@dataclass(frozen=True, slots=True)
class _Sending:
    """What is open between this process and the collector."""

    traces: Traces
    meters: Meters
    _spans: TracerProvider
    _metrics: MeterProvider

    def close(self) -> None:
        """Send the rest and stop."""
        self._spans.shutdown()
        self._metrics.shutdown(timeout_millis=FAREWELL * 1000)


def _open(endpoint: str) -> _Sending:
    """Open the way to a collector.

    Raises:
        ImportError: the extra is not installed.
    """
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # It says at every sending what went wrong, with the address: `_Spans` says it once.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    base, resource = endpoint.rstrip("/"), _resource()
    spans = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = _Spans(OTLPSpanExporter(f"{base}/v1/traces", timeout=EXPORT))
    spans.add_span_processor(BatchSpanProcessor(cast("SpanExporter", exporter)))
    metric_exporter = OTLPMetricExporter(f"{base}/v1/metrics", timeout=EXPORT)
    reader = PeriodicExportingMetricReader(metric_exporter, export_timeout_millis=EXPORT * 1000)
    metrics = MeterProvider([reader], resource, shutdown_on_exit=False)
    tracer = spans.get_tracer("amazonia", __version__, schema_url=SCHEMA)
    return _Sending(Traces(tracer), Meters(metrics), spans, metrics)


class _Spans:
    """Sends spans; says once that the collector does not take them, and once that it does."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans, or drop them."""
        result = self._exporter.export(spans)
        lost = result.name != "SUCCESS"
        if lost and not self._lost:
            log.warning("telemetry.lost", dropped=len(spans))
        elif self._lost and not lost:
            log.info("telemetry.back")
        self._lost = lost
        return result

    def shutdown(self) -> None:
        """Send no more."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait for what is being sent."""
        return self._exporter.force_flush(timeout_millis)


def _resource() -> Resource:
    """Who sends: this process of this version; the environment may say more."""
    from opentelemetry.sdk.resources import Resource

    name = os.environ.get("OTEL_SERVICE_NAME", "").strip() or "amazonia"
    return Resource.create(
        {
            "service.name": name,
            "service.version": __version__,
            "service.instance.id": f"{platform.node()}-{os.getpid()}",
            "process.pid": os.getpid(),
        },
        schema_url=SCHEMA,
    )
