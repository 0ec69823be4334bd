"""What the log says is counted."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from amazonia.ops import catalogue, metrics, watching
from amazonia.ops.catalogue import METRICS, Change

ALL_EVENTS: tuple[dict[str, Any], ...] = (
    {"event": "turn.accepted", "turn": "t", "team": "x", "character": "c", "seconds": 0.01},
    {"event": "turn.duplicate", "turn": "t"},
    {
        "event": "turn.answered",
        "turn": "t",
        "source": "model",
        "kind": "answer",
        "elapsed_ms": 3210,
        "first_ms": 900,
        "save_ms": 4,
    },
    {"event": "turn.scripted", "turn": "t", "reason": "silent", "shown": 0},
    {"event": "turn.rescued", "turn": "t", "level": "warning"},
    {"event": "turn.unsaved", "turn": "t", "level": "error"},
    {"event": "turn.save_failed", "turn": "t", "attempt": 1, "level": "warning"},
    {"event": "voice.called", "provider": "openai", "turn": "t", "probe": False},
    {
        "event": "voice.answered",
        "provider": "openai",
        "turn": "t",
        "seconds": 3.2,
        "first_s": 0.7,
        "prompt_tokens": 900,
        "reply_tokens": 80,
        "cost": 0.0002,
    },
    {"event": "voice.failed", "provider": "openai", "turn": "t", "reason": "silent"},
    {"event": "voice.left", "provider": "openai", "turn": "t", "prompt_tokens": 900},
    {"event": "guard.read", "turn": "t", "sentences": 3, "seconds": 0.002},
    {"event": "guard.refused", "reason": "number"},
    {"event": "understanding.failed", "reason": "too_slow"},
    {"event": "request.refused", "reason": "busy"},
    {"event": "job.done", "name": "purge", "attempt": 1, "seconds": 0.4},
    {"event": "job.failed", "name": "purge", "attempt": 1, "again_in": 2.1},
    {"event": "job.dead", "name": "purge", "attempt": 5, "reason": "tries", "level": "error"},
)


def say(*events: dict[str, Any]) -> None:
    """Log events, as far as counting goes."""
    for event in events:
        metrics.count(None, "info", event)


def samples() -> dict[str, float]:
    """What Prometheus reads: ``name{label="value"}`` to value."""
    read = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            labels = ",".join(f'{k}="{v}"' for k, v in sorted(sample.labels.items()))
            read[f"{sample.name}{{{labels}}}"] = sample.value
    return read


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        ("amazonia_turns_accepted_total{}", 1),
        ('amazonia_turns_total{kind="answer",source="model"}', 1),
        ('amazonia_turn_seconds_sum{source="model"}', 3.21),
        ('amazonia_turn_seconds_bucket{le="3.0",source="model"}', 0),
        ('amazonia_turn_seconds_bucket{le="4.0",source="model"}', 1),
        ('amazonia_first_sentence_seconds_sum{source="model"}', 0.9),
        ("amazonia_turn_duplicates_total{}", 1),
        ('amazonia_turns_scripted_total{reason="silent"}', 1),
        ("amazonia_turns_rescued_total{}", 1),
        ("amazonia_turns_unsaved_total{}", 1),
        ("amazonia_save_retries_total{}", 1),
        ('amazonia_provider_calls_total{provider="openai"}', 1),
        ('amazonia_provider_failures_total{provider="openai",reason="silent"}', 1),
        ('amazonia_provider_seconds_sum{provider="openai"}', 3.2),
        ('amazonia_provider_first_token_seconds_sum{provider="openai"}', 0.7),
        ('amazonia_provider_tokens_total{direction="prompt",provider="openai"}', 1800),
        ('amazonia_provider_tokens_total{direction="reply",provider="openai"}', 80),
        ('amazonia_provider_cost_total{provider="openai"}', 0.0002),
        ("amazonia_guard_seconds_count{}", 1),
        ('amazonia_guard_refusals_total{reason="number"}', 1),
        ('amazonia_understanding_failures_total{reason="too_slow"}', 1),
        ('amazonia_requests_refused_total{reason="busy"}', 1),
        ('amazonia_jobs_total{job="purge",status="done"}', 1),
        ('amazonia_jobs_total{job="purge",status="failed"}', 1),
        ('amazonia_jobs_total{job="purge",status="dead"}', 1),
        ('amazonia_job_seconds_sum{job="purge"}', 0.4),
        ('amazonia_faults_total{event="turn.unsaved",level="error"}', 1),
    ],
)
def test_each_event_is_counted(sample: str, value: float) -> None:
    """What happened once is counted once, where it belongs."""
    metrics.open_metrics()
    say(*ALL_EVENTS)
    assert samples()[sample] == pytest.approx(value)


def test_every_rule_has_its_example() -> None:
    """No event moves a metric without being tested here."""
    assert {event["event"] for event in ALL_EVENTS} == set(catalogue._RULES)


@pytest.mark.parametrize("odd", [{}, {"event": None}, {"event": 7, "level": "error"}])
def test_odd_events_harm_nobody(odd: dict[str, Any]) -> None:
    """An event without its fields, or with others than expected, passes."""
    metrics.open_metrics()
    say(odd, *({"event": name} for name in catalogue._RULES))
    say(*({"event": name, "seconds": "x", "elapsed_ms": -1} for name in catalogue._RULES))
    assert samples()['amazonia_turns_total{kind="unknown",source="unknown"}'] == 2


def test_nothing_is_counted_before_metrics_are_open() -> None:
    """A command that serves nothing does not pay for metrics."""
    say(*ALL_EVENTS)
    assert metrics._process.counts is None


def test_labels_cannot_grow_without_end() -> None:
    """Beyond some hundred, what is new is counted as `other`."""
    metrics.open_metrics()
    say(*({"event": "guard.refused", "reason": f"r{i}"} for i in range(1000)))
    read = {name: value for name, value in samples().items() if "guard_refusals_total" in name}
    assert len(read) == metrics.MOST_SERIES + 1
    assert read['amazonia_guard_refusals_total{reason="other"}'] == 1000 - metrics.MOST_SERIES


def test_no_label_names_a_team_or_a_turn() -> None:
    """What Prometheus keeps says nothing of anybody."""
    labels = {label for metric in METRICS.values() for label in metric.labels}
    allowed = {
        "source",
        "kind",
        "reason",
        "provider",
        "direction",
        "state",
        "event",
        "level",
        "job",
    }
    assert labels <= allowed | {"route", "status", "version", "python"}


def test_counting_is_cheap() -> None:
    """An event costs some microseconds (the limit here allows for a busy machine)."""
    metrics.open_metrics()
    say(*ALL_EVENTS)
    best = 1.0
    for _ in range(20):
        began = time.thread_time()
        say(*ALL_EVENTS * 20)
        best = min(best, (time.thread_time() - began) / (20 * len(ALL_EVENTS)))
    assert best < 20e-6


class Voice:
    """A voice with one provider."""

    def view(self) -> list[dict[str, Any]]:
        """How it is."""
        return [{"name": "openai", "state": "open", "in_flight": 7, "limit": 64}]


class Times:
    """A database that has done something."""

    jobs = 10
    waited = 0.5

    def slowest(self) -> float:
        """Of late."""
        return 0.2


class Shared:
    """A way to Redis that is closed."""

    is_well = False
    commands = 9
    trips = 3
    failures = 2
    waited = 0.1


async def test_what_changes_by_itself_is_looked_at() -> None:
    """Breakers, turns in flight, the database, memory and the loop are read while it serves."""
    readings = watching.readings_of(Voice(), lambda: 3, Times(), Shared())
    times, slept = iter([0.0, watching.EVERY + 0.3]), asyncio.Event()

    def monotonic() -> float:
        now = next(times, 0.0)
        if now:
            slept.set()
        return now

    async with watching.watching(readings, monotonic), asyncio.timeout(10):
        await slept.wait()
    read = samples()
    assert read['amazonia_provider_state{provider="openai",state="open"}'] == 1
    assert read['amazonia_provider_state{provider="openai",state="closed"}'] == 0
    assert read['amazonia_provider_in_flight{provider="openai"}'] == 7
    assert read["amazonia_turns_in_flight{}"] == 3
    assert read["amazonia_database_jobs_total{}"] == 10
    assert read["amazonia_shared_lost{}"] == 1
    assert read["amazonia_shared_commands_total{}"] == 9
    assert read["amazonia_database_wait_seconds_total{}"] == 0.5
    assert read["amazonia_process_memory_bytes{}"] > 10_000_000
    assert read["amazonia_processes{}"] == 1
    assert read["amazonia_loop_lag_seconds_sum{}"] == pytest.approx(0.3)


def test_a_total_counts_what_was_added_since() -> None:
    """A counter that is read, not counted, grows by the difference; a new start takes nothing."""
    for total in (10, 12, 12, 1, 4):
        metrics.look([Change("amazonia_database_jobs_total", (), total)])
    assert samples()["amazonia_database_jobs_total{}"] == 15
