"""What is measured: every metric with its labels, and which event of the log moves it.

Labels are few and bounded: never a team, a turn or anything that somebody wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Event = Mapping[str, Any]

SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
TURN = (0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 18.0, 20.0)
"""Seconds. The deadline of a turn, 18 s, is a bound of its own: beyond it is broken."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Attributes:
        mode: how the processes' gauges make one: their sum, or the highest.
    """

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    mode: Literal["livesum", "livemax"] = "livesum"


def _counter(name: str, help_: str, *labels: str) -> Metric:
    return Metric("counter", name, help_, labels)


def _gauge(
    name: str, help_: str, *labels: str, mode: Literal["livesum", "livemax"] = "livesum"
) -> Metric:
    return Metric("gauge", name, help_, labels, mode=mode)


def _histogram(name: str, help_: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    return Metric("histogram", name, help_, labels, buckets)


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        # turns
        _counter("amazonia_turns_accepted_total", "Questions that became a turn."),
        _counter("amazonia_turns_total", "Turns answered, by who spoke.", "source", "kind"),
        _histogram("amazonia_turn_seconds", "From accepted to saved.", TURN, "source"),
        _histogram("amazonia_first_sentence_seconds", "From asked to shown.", TURN, "source"),
        _counter("amazonia_turn_duplicates_total", "Questions that were a turn already."),
        _counter("amazonia_turns_scripted_total", "Turns whose voice broke off, why.", "reason"),
        _counter("amazonia_turns_rescued_total", "Turns of a dead process that were finished."),
        _counter("amazonia_turns_unsaved_total", "Replies that were never saved."),
        _counter("amazonia_save_retries_total", "Attempts to save a reply that failed."),
        _gauge("amazonia_turns_in_flight", "Turns that are being spoken."),
        # providers
        _counter("amazonia_provider_calls_total", "Calls to a provider.", "provider"),
        _counter("amazonia_provider_failures_total", "Failed calls.", "provider", "reason"),
        _histogram("amazonia_provider_seconds", "A whole successful call.", TURN, "provider"),
        _histogram("amazonia_provider_first_token_seconds", "To its first word.", TURN, "provider"),
        _counter("amazonia_provider_tokens_total", "Tokens used.", "provider", "direction"),
        _counter("amazonia_provider_cost_total", "Money, by the prices set.", "provider"),
        _gauge("amazonia_provider_state", "Processes whose breaker is so.", "provider", "state"),
        _gauge("amazonia_provider_in_flight", "Calls under way.", "provider"),
        _gauge("amazonia_provider_limit", "Calls allowed at once.", "provider"),
        # guard, understanding, refusals
        _counter("amazonia_guard_refusals_total", "Sentences that were not let pass.", "reason"),
        _histogram("amazonia_guard_seconds", "Reading one reply.", SHORT),
        _counter("amazonia_understanding_failures_total", "Second opinions not given.", "reason"),
        _counter("amazonia_requests_refused_total", "Requests refused: busy, too fast.", "reason"),
        _counter("amazonia_http_requests_total", "Requests answered.", "route", "status"),
        _histogram("amazonia_http_seconds", "Until the answer began.", SHORT, "route"),
        # work that nobody waits for
        _counter("amazonia_jobs_total", "Jobs, by how an attempt ended.", "job", "status"),
        _histogram("amazonia_job_seconds", "A whole successful attempt.", TURN, "job"),
        # the ground
        _counter("amazonia_faults_total", "Warnings and errors in the log.", "event", "level"),
        _counter("amazonia_database_jobs_total", "Reads and writes of the database."),
        _counter("amazonia_database_wait_seconds_total", "Seconds that they took together."),
        _gauge("amazonia_database_slowest_seconds", "The slowest of late.", mode="livemax"),
        _gauge("amazonia_shared_lost", "Processes that do without Redis at present."),
        _counter("amazonia_shared_commands_total", "What was asked of Redis."),
        _counter("amazonia_shared_trips_total", "In so many round trips."),
        _counter("amazonia_shared_failures_total", "Round trips that failed."),
        _counter("amazonia_shared_wait_seconds_total", "Seconds that they took together."),
        _histogram("amazonia_loop_lag_seconds", "How late the event loop wakes up.", SHORT),
        _gauge("amazonia_process_memory_bytes", "Memory of all processes (PSS on Linux)."),
        _gauge("amazonia_processes", "Processes that serve."),
        _gauge("amazonia_build_info", "Always 1.", "version", "python", mode="livemax"),
    )
}


class Change(NamedTuple):
    """What an event does to a metric: adds to a counter, or is observed by a histogram."""

    name: str
    labels: tuple[str, ...] = ()
    value: float = 1.0


Rule = Callable[[Event], Iterator[Change]]


def changes(event: Event) -> Iterator[Change]:
    """What an event of the log does to the metrics. Never raises, whatever the event holds."""
    rule = _RULES.get(event.get("event", ""))
    if rule is not None:
        yield from rule(event)
    level = event.get("level")
    if level in {"warning", "error", "critical"}:
        yield Change("amazonia_faults_total", (_text(event, "event"), str(level)))


def number(event: Event, name: str) -> float | None:
    """A number of an event that is not negative; None if there is none."""
    value = event.get(name)
    return float(value) if isinstance(value, (int, float)) and value >= 0 else None


def _text(event: Event, name: str) -> str:
    return str(event.get(name) or "unknown")[:40]


def _seen(event: Event, field: str, name: str, *labels: str, unit: float = 1.0) -> Iterator[Change]:
    """A change by a number of the event, if it has it."""
    value = number(event, field)
    if value is not None:
        yield Change(name, labels, value * unit)


def _plain(name: str, *fields: str) -> Rule:
    """Counts the events, by some of their fields."""

    def rule(event: Event) -> Iterator[Change]:
        yield Change(name, tuple(_text(event, field) for field in fields))

    return rule


def _turn_answered(event: Event) -> Iterator[Change]:
    source = _text(event, "source")
    yield Change("amazonia_turns_total", (source, _text(event, "kind")))
    yield from _seen(event, "elapsed_ms", "amazonia_turn_seconds", source, unit=0.001)
    yield from _seen(event, "first_ms", "amazonia_first_sentence_seconds", source, unit=0.001)


def _voice_answered(event: Event) -> Iterator[Change]:
    provider = _text(event, "provider")
    yield from _seen(event, "seconds", "amazonia_provider_seconds", provider)
    yield from _seen(event, "first_s", "amazonia_provider_first_token_seconds", provider)
    yield from _spent(event)


def _voice_failed(event: Event) -> Iterator[Change]:
    labels = (_text(event, "provider"), _text(event, "reason"))
    yield Change("amazonia_provider_failures_total", labels)
    yield from _spent(event)


def _spent(event: Event) -> Iterator[Change]:
    """Tokens and money; a call that was broken off has spent them too."""
    provider = _text(event, "provider")
    tokens = "amazonia_provider_tokens_total"
    yield from _seen(event, "prompt_tokens", tokens, provider, "prompt")
    yield from _seen(event, "reply_tokens", tokens, provider, "reply")
    yield from _seen(event, "cost", "amazonia_provider_cost_total", provider)


def _job_ended(status: str) -> Rule:
    """Counts attempts that ended so."""

    def rule(event: Event) -> Iterator[Change]:
        yield Change("amazonia_jobs_total", (_text(event, "name"), status))
        yield from _seen(event, "seconds", "amazonia_job_seconds", _text(event, "name"))

    return rule


def _guard_read(event: Event) -> Iterator[Change]:
    yield from _seen(event, "seconds", "amazonia_guard_seconds")


_RULES: Mapping[str, Rule] = {
    "turn.accepted": _plain("amazonia_turns_accepted_total"),
    "turn.duplicate": _plain("amazonia_turn_duplicates_total"),
    "turn.answered": _turn_answered,
    "turn.scripted": _plain("amazonia_turns_scripted_total", "reason"),
    "turn.rescued": _plain("amazonia_turns_rescued_total"),
    "turn.unsaved": _plain("amazonia_turns_unsaved_total"),
    "turn.save_failed": _plain("amazonia_save_retries_total"),
    "voice.called": _plain("amazonia_provider_calls_total", "provider"),
    "voice.answered": _voice_answered,
    "voice.failed": _voice_failed,
    "voice.left": _spent,
    "guard.read": _guard_read,
    "guard.refused": _plain("amazonia_guard_refusals_total", "reason"),
    "understanding.failed": _plain("amazonia_understanding_failures_total", "reason"),
    "job.done": _job_ended("done"),
    "job.failed": _job_ended("failed"),
    "job.dead": _job_ended("dead"),
    "request.refused": _plain("amazonia_requests_refused_total", "reason"),
}
