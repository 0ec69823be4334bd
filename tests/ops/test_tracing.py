"""Where the time of a turn went, as a collector sees it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs
from tests.ops.collector import Collector, Span, collector, wait_until
from tests.ops.playing import QUESTION, watched
from tests.providers import provider

from amazonia.ops import telemetry, tracing
from amazonia.ops.tracing import Traces
from amazonia.settings import read_settings

MS = 1_000_000


# ── a real game, a real collector ───────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, float, str]]:
    """A turn of some seconds: what the collector got, its seconds for the player, the log."""
    data = tmp_path_factory.mktemp("traced") / "data"
    with provider("healthy", speed=2.5) as speaks, collector() as heard:
        environ = {"OPENAI_BASE_URL": speaks.url, "OTEL_EXPORTER_OTLP_ENDPOINT": heard.url}
        with watched(data, OTEL_BSP_SCHEDULE_DELAY="100", **environ) as running:
            (answer,) = running.play(QUESTION, traceparent=f"00-{'ab' * 16}-{'cd' * 8}-01")
            seconds = answer.elapsed.total_seconds()
            assert answer.json()["source"] == "model"
            wait_until(lambda: heard.named("POST /api/chat"))
            log = running.stop()
        wait_until(lambda: heard.metrics)
        yield heard, seconds, log


def test_spans_explain_a_turn(game: tuple[Collector, float, str]) -> None:
    """At least 99 % of what the player waited lies in spans, from the request's arrival on."""
    heard, seconds, _ = game
    (request,), (turn,) = heard.named("POST /api/chat"), heard.named("turn")
    parts = [span for span in heard.spans if span.parent == turn.id]
    assert turn.began == request.began
    assert covered(parts) >= 0.99 * (turn.ended - turn.began)
    assert covered(parts) >= 0.99 * seconds * 1e9


def test_spans_hang_together(game: tuple[Collector, float, str]) -> None:
    """Tasks take the request's trace along, and a caller's trace is carried on."""
    heard, _, log = game
    (request,), (turn,) = heard.named("POST /api/chat"), heard.named("turn")
    (speak,) = heard.named("turn.speak")
    (call,) = [span for span in heard.spans if span.name.startswith("chat ")]
    assert (call.parent, speak.parent, turn.parent) == (speak.id, turn.id, request.id)
    assert request.parent == bytes.fromhex("cd" * 8)
    assert {span.trace for span in (request, turn, speak, call)} == {bytes.fromhex("ab" * 16)}
    assert f'"trace":"{"ab" * 16}"' in log


def test_a_call_tells_what_the_conventions_ask(game: tuple[Collector, float, str]) -> None:
    """A provider's call has the attributes of OpenTelemetry's conventions on generative AI."""
    (call,) = [span for span in game[0].spans if span.name.startswith("chat ")]
    assert call.attributes["gen_ai.operation.name"] == "chat"
    assert call.attributes["gen_ai.provider.name"] == "openai"
    assert call.attributes["gen_ai.request.model"]


def test_metrics_go_to_the_collector_too(game: tuple[Collector, float, str]) -> None:
    """Turns, and calls by their conventional name, arrive as metrics."""
    assert {"amazonia.turns", "gen_ai.client.operation.duration"} <= set(game[0].metrics)


def test_nothing_that_was_typed_is_sent(game: tuple[Collector, float, str]) -> None:
    """A collector learns no word of a player."""
    assert "segredo" not in repr(game[0].spans) + repr(game[0].metrics)


def test_an_outage_costs_nothing(tmp_path: Path) -> None:
    """While the collector refuses, turns are answered as ever, and one line says so."""
    with collector() as broken:
        broken.status = 400
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": broken.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        with watched(tmp_path / "data", **environ) as running:
            for number in range(8):
                began = time.monotonic()
                (answer,) = running.play(f"{number}? {QUESTION}")
                assert answer.status_code == 200
                assert time.monotonic() - began < 2
            wait_until(lambda: broken.refused > 2)
            log = running.stop()
    assert log.count("telemetry.lost") == 1
    assert "opentelemetry" not in log


def test_without_a_collector_nothing_is_loaded(tmp_path: Path) -> None:
    """Who does not trace does not pay: the trace's id is absent, the turn is answered."""
    with watched(tmp_path / "data") as running:
        (answer,) = running.play(QUESTION)
        log = running.stop()
    assert answer.status_code == 200
    assert '"trace"' not in log


async def test_a_missing_extra_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collector is named but nothing is installed: one line says what to do, and it serves."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", None)
    settings = read_settings({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    with capture_logs() as lines:
        async with telemetry.telemetry(settings):
            assert telemetry.traces() is None
    (line,) = lines
    assert line["event"] == "telemetry.missing"
    assert "pip install 'amazonia[telemetry]'" in line["note"]


# ── events become spans ─────────────────────────────────────────────────────────────────────────


class Clock:
    """Nanoseconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000 * MS

    def __call__(self) -> int:
        """The time."""
        return self.now

    def pass_(self, milliseconds: float) -> None:
        """Time passes."""
        self.now += round(milliseconds * MS)


class World:
    """Traces whose spans are kept."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._kept = InMemorySpanExporter()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self._kept))
        self.traces = Traces(tracers.get_tracer("test"), self.clock)

    def say(self, event: str, **told: Any) -> None:
        """Log an event."""
        self.traces(None, "info", {"event": event, "turn": "t1", **told})

    def spans(self) -> dict[str, ReadableSpan]:
        """Those that ended, by name."""
        return {span.name: span for span in self._kept.get_finished_spans()}

    def seconds(self, name: str) -> float:
        """How long a span took."""
        span = self.spans()[name]
        assert span.start_time is not None
        assert span.end_time is not None
        return (span.end_time - span.start_time) / 1e9


def test_a_turn_in_full() -> None:
    """Queue, arrival, acceptance, speech with call and guard, saving: each has its own time."""
    world = World()
    queued = f"t={(world.clock.now - 30 * MS) / 1e9:.3f}"
    with world.traces.request("POST", {b"x-request-start": queued}) as request:
        world.clock.pass_(5)
        world.clock.pass_(12)
        world.say("turn.accepted", character="cida", seconds=0.012)
        request.answered("/api/chat", 202)
    world.clock.pass_(1000)
    told = {"prompt_tokens": 900, "reply_tokens": 80, "cost": 0.001, "first_s": 0.4}
    world.say("voice.answered", provider="openai", model="gpt-x", seconds=0.95, **told)
    world.say("guard.read", sentences=3, seconds=0.002)
    world.clock.pass_(7)
    world.say("turn.answered", source="model", kind="answer", save_ms=7.0, first_ms=500)
    names = ("turn.queue", "turn.arrive", "turn.accept", "turn.speak", "turn.save", "guard")
    assert [world.seconds(name) for name in names] == pytest.approx(
        [0.03, 0.005, 0.012, 1.0, 0.007, 0.002], abs=2e-3
    )
    assert world.seconds("turn") == pytest.approx(1.054, abs=2e-3)
    call = world.spans()["chat gpt-x"]
    about = dict(call.attributes or {})
    assert about[tracing.GEN_AI_INPUT_TOKENS] == 900
    assert about[tracing.GEN_AI_OUTPUT_TOKENS] == 80
    assert [event.name for event in call.events] == ["first token"]


def test_what_went_wrong_is_marked() -> None:
    """A failed call is an error with its reason; what happened to the turn stands in its speech."""
    world = World()
    world.say("turn.accepted")
    world.say("voice.called", provider="openai")
    world.clock.pass_(6000)
    world.say("voice.failed", provider="openai", reason="silent")
    world.say("turn.scripted", reason="silent")
    world.say("turn.answered", source="scripted")
    assert world.seconds("chat openai") == pytest.approx(6.0)
    call, speak = world.spans()["chat openai"], world.spans()["turn.speak"]
    assert dict(call.attributes or {})[tracing.ERROR_TYPE] == "silent"
    assert not call.status.is_ok
    assert [event.name for event in speak.events] == ["turn.scripted"]


def test_open_turns_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns whose end is never logged do not pile up."""
    monkeypatch.setattr(tracing, "MOST_TURNS", 2)
    world = World()
    for number in range(5):
        world.say("turn.accepted", turn=f"t{number}")
    assert len(world.traces._turns) == 2
    assert not world.spans()["turn"].status.is_ok


@pytest.mark.parametrize("name", ["turn.answered", "turn.unsaved", "guard.read", "voice.answered"])
def test_odd_events_harm_nobody(name: str) -> None:
    """An event of a turn that nobody opened, without its fields, passes."""
    World().say(name)


@pytest.mark.parametrize(
    ("header", "queued_ms"),
    [("", 0), ("t=x", 0), ("t=1699999999.5", 500), ("1699999999500", 500), ("t=1", 0)],
)
def test_a_proxys_word_is_believed_within_reason(header: str, queued_ms: int) -> None:
    """X-Request-Start in seconds or milliseconds; nonsense is no queue."""
    arrived = 1_700_000_000_000 * MS
    assert (arrived - tracing._queued_at(header, arrived)) / MS == pytest.approx(queued_ms, abs=1)


def covered(spans: Sequence[Span]) -> int:
    """Nanoseconds that lie in at least one of the spans."""
    total = last = 0
    for span in sorted(spans, key=lambda span: span.began):
        total += max(0, span.ended - max(span.began, last))
        last = max(last, span.ended)
    return total
