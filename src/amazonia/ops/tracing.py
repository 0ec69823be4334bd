"""Traces: where the time of a turn went, made of what the log says.

An event that tells how long something took becomes a span that ended just then. So whoever does
something only logs it, and no span is open across a `yield` of a generator. What a span belongs to
is known by the turn's id, or by the request on whose behalf it is logged: a context variable, which
tasks take along.

A turn's spans follow one another without a gap, from the arrival of its request::

    POST /api/chat
    └── turn
        ├── turn.queue    from the proxy to this process, where the proxy tells (X-Request-Start)
        ├── turn.arrive   reading, signing in, limits
        ├── turn.accept   waiting for the character, understanding, directing, the first commit
        ├── turn.speak    the voice
        │   ├── chat gpt-4o-mini    each call of a provider
        │   └── guard               all its readings of the reply, added up
        └── turn.save

Attributes follow OpenTelemetry's conventions as they were in 1.44.0; the names are pinned here,
since those about generative AI still change.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from amazonia.ops.catalogue import Event, number

SCHEMA: Final = "https://opentelemetry.io/schemas/1.44.0"

HTTP_METHOD: Final = "http.request.method"
HTTP_ROUTE: Final = "http.route"
HTTP_STATUS: Final = "http.response.status_code"
ERROR_TYPE: Final = "error.type"
GEN_AI_OPERATION: Final = "gen_ai.operation.name"
GEN_AI_PROVIDER: Final = "gen_ai.provider.name"
GEN_AI_MODEL: Final = "gen_ai.request.model"
GEN_AI_STREAM: Final = "gen_ai.request.stream"
GEN_AI_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
GEN_AI_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
GEN_AI_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"

MOST_TURNS: Final = 20_000
"""Turns whose spans may be open at once; the oldest of more are closed as lost."""
LONGEST_QUEUE: Final = 60.0
"""Seconds that a proxy's word on when a request came is believed."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(slots=True)
class RequestSpan:
    """The span of a request that is being answered.

    Attributes:
        arrived: when this process got it, in nanoseconds since 1970.
        queued: when a proxy got it, if it says so, else the same.
    """

    span: Span
    context: Context
    method: str
    arrived: int
    queued: int

    @property
    def trace_id(self) -> str:
        """The trace's id, for the log."""
        return f"{self.span.get_span_context().trace_id:032x}"

    def answered(self, route: str, status: int) -> None:
        """Say where it went and how it was answered."""
        self.span.set_attribute(HTTP_STATUS, status)
        if route.startswith("/"):
            self.span.set_attribute(HTTP_ROUTE, route)
            self.span.update_name(f"{self.method} {route}")
        if status >= 500:
            self.span.set_attribute(ERROR_TYPE, str(status))
            self.span.set_status(StatusCode.ERROR)


@dataclass(slots=True)
class _OpenTurn:
    """A turn's span, under which others are put."""

    span: Span
    context: Context
    speak: Span
    speak_context: Context
    calls: dict[str, int] = field(default_factory=dict)


_request: ContextVar[RequestSpan | None] = ContextVar("request_span", default=None)


class Traces:
    """Makes spans.

    Args:
        now: nanoseconds since 1970.
    """

    def __init__(self, tracer: Tracer, now: Callable[[], int] = time.time_ns) -> None:
        self._tracer = tracer
        self._now = now
        self._turns: OrderedDict[str, _OpenTurn] = OrderedDict()
        self._propagator = TraceContextTextMapPropagator()
        self._rules: Mapping[str, Callable[[Event, int], None]] = {
            "turn.accepted": self._accepted,
            "turn.scripted": self._note,
            "turn.answered": self._answered,
            "turn.unsaved": self._unsaved,
            "turn.save_failed": self._note,
            "guard.refused": self._note,
            "guard.read": self._guard,
            "understanding.failed": self._note,
            "voice.called": self._called,
            "voice.answered": self._call_ended,
            "voice.failed": self._call_ended,
            "voice.left": self._call_ended,
        }

    def __call__(
        self, _: object, __: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """A processor of the log that changes nothing."""
        rule = self._rules.get(event.get("event", ""))
        if rule is not None:
            rule(event, self._now())
        return event

    @contextmanager
    def request(self, method: str, headers: Mapping[bytes, str]) -> Iterator[RequestSpan]:
        """The span of a request, as long as the block lasts; a caller's trace is carried on."""
        arrived = self._now()
        known = method if method in METHODS else "HTTP"
        carrier = {"traceparent": headers.get(b"traceparent", "")}
        span = self._tracer.start_span(
            known,
            self._propagator.extract(carrier),
            SpanKind.SERVER,
            {HTTP_METHOD: known if known in METHODS else "_OTHER"},
            start_time=arrived,
        )
        queued = _queued_at(headers.get(b"x-request-start", ""), arrived)
        request = RequestSpan(span, set_span_in_context(span, Context()), known, arrived, queued)
        token = _request.set(request)
        try:
            yield request
        finally:
            _request.reset(token)
            span.end(self._now())

    def carried(self) -> str:
        """The trace of the request that is being answered, as a `traceparent` header."""
        carrier: dict[str, str] = {}
        request = _request.get()
        if request is not None:
            self._propagator.inject(carrier, request.context)
        return carrier.get("traceparent", "")

    @contextmanager
    def job(self, name: str, ordered_by: str) -> Iterator[None]:
        """The span of a job, as long as the block lasts, in the trace of whoever ordered it."""
        parent = self._propagator.extract({"traceparent": ordered_by})
        span = self._tracer.start_span(
            f"job {name}", parent, SpanKind.CONSUMER, {"amazonia.job": name}, start_time=self._now()
        )
        context = set_span_in_context(span, Context())
        token = _request.set(RequestSpan(span, context, name, self._now(), self._now()))
        try:
            yield
        finally:
            _request.reset(token)
            span.end(self._now())

    # ── turns ───────────────────────────────────────────────────────────────────────────────────

    def _accepted(self, event: Event, now: int) -> None:
        """Open the turn's span, with what came before it was accepted."""
        request = _request.get()
        asked = now - _nanoseconds(event)
        arrived = min(request.arrived, asked) if request else asked
        queued = min(request.queued, arrived) if request else arrived
        about = {
            "amazonia.turn": _text(event, "turn"),
            "amazonia.character": _text(event, "character"),
        }
        parent = request.context if request else Context()
        turn = self._tracer.start_span("turn", parent, attributes=about, start_time=queued)
        context = set_span_in_context(turn, Context())
        self._between("turn.queue", context, queued, arrived)
        self._between("turn.arrive", context, arrived, asked)
        self._between("turn.accept", context, asked, now)
        speak = self._tracer.start_span("turn.speak", context, start_time=now)
        opened = _OpenTurn(turn, context, speak, set_span_in_context(speak, Context()))
        self._turns[_text(event, "turn")] = opened
        if len(self._turns) > MOST_TURNS:
            self._lose(self._turns.popitem(last=False)[1], now)

    def _answered(self, event: Event, now: int) -> None:
        turn = self._turns.pop(_text(event, "turn"), None)
        if turn is None:
            return
        saving = now - _nanoseconds(event, "save_ms", 1e6)
        turn.speak.set_attribute("amazonia.source", _text(event, "source"))
        if (first := number(event, "first_ms")) is not None:
            turn.speak.set_attribute("amazonia.first_sentence_ms", first)
        turn.speak.end(saving)
        self._between("turn.save", turn.context, saving, now)
        turn.span.set_attributes(
            {"amazonia.source": _text(event, "source"), "amazonia.kind": _text(event, "kind")}
        )
        turn.span.end(now)

    def _unsaved(self, event: Event, now: int) -> None:
        turn = self._turns.pop(_text(event, "turn"), None)
        if turn is not None:
            self._lose(turn, now)

    def _lose(self, turn: _OpenTurn, now: int) -> None:
        turn.speak.end(now)
        turn.span.set_status(StatusCode.ERROR)
        turn.span.end(now)

    def _note(self, event: Event, now: int) -> None:
        """Something without a duration that happened to a turn."""
        turn = self._turns.get(_text(event, "turn"))
        if turn is not None:
            reason = {"reason": _text(event, "reason")} if event.get("reason") else {}
            turn.speak.add_event(_text(event, "event"), reason, now)

    def _guard(self, event: Event, now: int) -> None:
        sums = {"amazonia.guard.sentences": number(event, "sentences") or 0}
        self._between("guard", self._speaking(event), now - _nanoseconds(event), now, sums)

    # ── calls of providers ──────────────────────────────────────────────────────────────────────

    def _called(self, event: Event, now: int) -> None:
        turn = self._turns.get(_text(event, "turn"))
        if turn is not None:
            turn.calls[_text(event, "provider")] = now

    def _call_ended(self, event: Event, now: int) -> None:
        """A span for the call, from what the event tells or from when it was noticed to begin."""
        turn = self._turns.get(_text(event, "turn"))
        noticed = turn.calls.pop(_text(event, "provider"), now) if turn else now
        taken = _nanoseconds(event)
        began = now - taken if taken else noticed
        model = _text(event, "model") or _text(event, "provider")
        call = self._tracer.start_span(
            f"chat {model}",
            self._speaking(event),
            SpanKind.CLIENT,
            _about_call(event, model),
            start_time=began,
        )
        if (first := number(event, "first_s")) is not None:
            call.add_event("first token", timestamp=began + round(first * 1e9))
        if event["event"] == "voice.failed":
            call.set_attribute(ERROR_TYPE, _text(event, "reason"))
            call.set_status(StatusCode.ERROR)
        call.end(now)

    def _speaking(self, event: Event) -> Context:
        """What an event of the voice belongs to."""
        turn = self._turns.get(_text(event, "turn"))
        if turn is not None:
            return turn.speak_context
        request = _request.get()
        return request.context if request else Context()

    def _between(
        self,
        name: str,
        context: Context,
        began: int,
        ended: int,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        if ended > began:
            self._tracer.start_span(name, context, attributes=about, start_time=began).end(ended)


def _about_call(event: Event, model: str) -> dict[str, Any]:
    told = {
        GEN_AI_INPUT_TOKENS: number(event, "prompt_tokens"),
        GEN_AI_OUTPUT_TOKENS: number(event, "reply_tokens"),
        GEN_AI_FIRST_CHUNK: number(event, "first_s"),
        "amazonia.cost": number(event, "cost"),
    }
    for tokens in (GEN_AI_INPUT_TOKENS, GEN_AI_OUTPUT_TOKENS):
        if told[tokens] is not None:
            told[tokens] = int(told[tokens] or 0)
    return {
        GEN_AI_OPERATION: "chat",
        GEN_AI_PROVIDER: _text(event, "provider"),
        GEN_AI_MODEL: model,
        GEN_AI_STREAM: True,
        **{name: value for name, value in told.items() if value is not None},
    }


def _text(event: Event, name: str) -> str:
    return str(event.get(name) or "")


def _nanoseconds(event: Event, name: str = "seconds", unit: float = 1e9) -> int:
    return round((number(event, name) or 0.0) * unit)


def _queued_at(header: str, arrived: int) -> int:
    """When a proxy got the request, by ``t=1760000000.123``, in seconds or milliseconds."""
    try:
        at = float(header.strip().removeprefix("t="))
    except ValueError:
        return arrived
    for unit in (1e9, 1e6, 1e3):
        nanoseconds = at * unit
        if 0 <= arrived - nanoseconds <= LONGEST_QUEUE * 1e9:
            return int(nanoseconds)
    return arrived
