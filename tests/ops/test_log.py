"""What an operator reads, and what nobody may."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.ops.playing import QUESTION, watched
from tests.providers import provider

from amazonia.log import say

KEY = "key-that-nobody-may-see"


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ({"event": "turn.accepted", "character": "esmerina"}, "Esmerina · asked"),
        (
            {"event": "voice.called", "character": "esmerina", "model": "gpt-4o-mini"},
            "Esmerina · called gpt-4o-mini",
        ),
        ({"event": "voice.called", "provider": "openai", "probe": False}, "called openai"),
        (
            {"event": "voice.called", "provider": "openai", "probe": True},
            "called openai, to see whether it is back",
        ),
        ({"event": "voice.answered", "provider": "o", "seconds": 3.21}, "o finished in 3.2 s"),
        (
            {"event": "turn.answered", "character": "dona_cida", "elapsed_ms": 3210},
            "Dona Cida · answered in 3.2 s",
        ),
        (
            {"event": "turn.scripted", "character": "cida", "reason": "silent", "seconds": 6.0},
            "Cida · timeout after 6.0 s (silent) → scripted",
        ),
        (
            {"event": "turn.scripted", "character": "cida", "reason": "server"},
            "Cida · error: server → scripted",
        ),
        ({"event": "voice.failed", "reason": "cut", "seconds": 2}, "error: cut after 2.0 s"),
        (
            {"event": "turn.duplicate", "character": "cida"},
            "Cida · duplicate: this question is that turn already",
        ),
        ({"event": "case.learning", "case": "mini"}, "case.learning"),
    ],
)
def test_events_read_as_sentences(event: dict[str, Any], sentence: str) -> None:
    """On a terminal, what happens to a turn is said as a person would say it."""
    assert say(None, "info", event)["event"] == sentence


def test_what_is_not_said_stays_beside_it() -> None:
    """The ids of a turn remain, as key and value."""
    event = {"event": "turn.answered", "turn": "t1", "elapsed_ms": 900, "source": "model"}
    assert say(None, "info", event) == {
        "event": "answered in 0.9 s",
        "turn": "t1",
        "source": "model",
    }


@pytest.fixture(scope="module", params=["pretty", "json"])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The log of a game that goes well, then badly, with secrets in every place."""
    data = tmp_path_factory.mktemp("logged") / "data"
    with provider("fast") as speaks:
        environ = {
            "OPENAI_BASE_URL": speaks.url,
            "OPENAI_API_KEY": KEY,
            "LOG_FORMAT": str(request.param),
            "OPENAI_MAX_RETRIES": "0",
        }
        with watched(data, **environ) as running:
            running.play(QUESTION, QUESTION, "a que horas saiu do forno?")
            speaks.switch("error")
            running.play("quem comeu o bolo?")
            speaks.switch("garbage")
            running.play("cadê o bolo da festa?")
            with httpx.Client(base_url=running.url) as http:
                http.post("/api/session", json={"team": "time-secreto"}).raise_for_status()
                cookie = http.cookies["amazonia"]
                http.post("/api/chat", json={"entity_id": "cida", "message": {"x": QUESTION}})
                http.post("/api/session/resume", json={"resume_code": "SEGREDO23456"})
                http.get(f"/api/turns/{QUESTION}")
            return running.stop() + f"\ncookie={cookie}"


def test_nobody_is_quoted(story: str) -> None:
    """No player's word, name or code, no key and no cookie stands in the log."""
    log, _, cookie = story.partition("\ncookie=")
    assert len(log.splitlines()) > 10
    for secret in ("segredo", "SEGREDO", "secreto", KEY, cookie, cookie.partition(".")[0]):
        assert secret not in log


def test_the_story_can_be_read(story: str) -> None:
    """Asked, called, answered, the same question again, an error and who spoke instead."""
    log = story
    if any(line.startswith("{") for line in log.splitlines()):
        wanted = ["turn.accepted", "voice.called", "turn.answered", "turn.duplicate"]
        wanted += ["voice.failed", "turn.scripted", '"request":', '"turn":', '"team":']
    else:
        wanted = ["Cida · asked", "called ", "Cida · answered in", "Cida · duplicate"]
        wanted += ["error: server", "→ scripted", "request=", "turn=", "team="]
    assert [words for words in wanted if words not in log] == []
