"""What operators are given says what is there: alerts, dashboard, runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from tests.ops.promql import holds, selectors, strangers
from tests.ops.test_metrics import ALL_EVENTS, Shared, Times, Voice, say

from amazonia.ops import metrics, watching
from amazonia.ops.catalogue import METRICS, Change

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "amazonia.json").read_text())
PAGE = (ROOT / "docs" / "operate.md").read_text()


def panels() -> Iterator[dict[str, Any]]:
    """The dashboard's panels, without the headings."""
    return (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


QUERIES = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in panels()
        for target in panel["targets"]
    },
}


@pytest.fixture
def exposed() -> dict[str, list[Sample]]:
    """A real /metrics after everything has happened, by name."""
    metrics.open_metrics()
    say(*ALL_EVENTS)
    more: list[dict[str, Any]] = [
        {"event": "turn.answered", "source": source, "kind": "answer", "elapsed_ms": 1}
        for source in ("cache", "scripted")
    ]
    say(*more, {"event": "voice.failed", "provider": "openai", "reason": "unauthorized"})
    metrics.look(watching.readings_of(Voice(), lambda: 1, Times(), Shared())())
    metrics.look(watching._process(1))
    metrics.tell(Change("amazonia_loop_lag_seconds", (), 0.001))
    for status in ("200", "429", "500"):
        metrics.tell(Change("amazonia_http_requests_total", ("/api/chat", status)))
        metrics.tell(Change("amazonia_http_seconds", ("/api/chat",), 0.01))
    found: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_finds_something(name: str, exposed: dict[str, list[Sample]]) -> None:
    """Every metric, label and value that an alert or a panel asks for is exposed."""
    query = QUERIES[name]
    asked = selectors(query)
    assert asked
    assert not strangers(query)
    for selector in asked:
        samples = exposed[selector.name]
        found = [s for s in samples if _fits(selector.matchers, s)]
        assert found, f"{selector} finds nothing"
        assert selector.grouped <= set(found[0].labels), selector


def _fits(matchers: tuple[tuple[str, str, str], ...], sample: Sample) -> bool:
    return all(m[0] in sample.labels and holds(m, sample.labels[m[0]]) for m in matchers)


@pytest.mark.parametrize(
    "query",
    [
        "sum(amazonia_nothing_total)",
        'sum(amazonia_turns_total{sauce="x"})',
        'sum(amazonia_turns_total{source="nobody"})',
        "sum by (team) (amazonia_turns_total)",
    ],
)
def test_a_wrong_query_would_be_found(query: str, exposed: dict[str, list[Sample]]) -> None:
    """The test above does find what is misspelt."""
    QUERIES["wrong"] = query
    with pytest.raises((AssertionError, KeyError)):
        test_a_query_finds_something("wrong", exposed)


def test_every_metric_is_used_and_explained() -> None:
    """What is measured stands in the dashboard and in docs/operate.md."""
    used = {selector.name for query in QUERIES.values() for selector in selectors(query)}
    drawn = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    assert set(METRICS) <= drawn
    assert [name for name in METRICS if f"`{name}`" not in PAGE] == []


def test_every_alert_has_its_runbook() -> None:
    """An alert says how bad it is and leads to its chapter; no chapter is left over."""
    chapters = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)
    assert [rule["alert"] for rule in RULES] == chapters
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["runbook"] == f"docs/operate.md#{rule['alert'].lower()}"


def test_the_dashboards_panels_do_not_overlap() -> None:
    """Every panel has a place of its own."""
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells
