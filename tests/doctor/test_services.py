"""What the doctor says of Redis, brokers and providers: each is there, and is as bad as told."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from tests.doctor.examining import examined, the
from tests.providers import provider
from tests.redis import redis_server
from tests.server import free_port

CLOSED = "redis://:hidden-password@127.0.0.1:{port}/0"


def test_redis_that_is_not_there(data_folder: Path) -> None:
    """A closed port; the password of the address is not repeated."""
    found = examined(data_folder, REDIS_URL=CLOSED.format(port=free_port()))
    assert the(found, "Redis", "does not let us in").level == "problem"
    assert "hidden-password" not in str(found)


def test_redis_that_forgets_jobs(data_folder: Path, tmp_path: Path) -> None:
    """As a broker it must neither evict nor forget; full it refuses; a copy takes no writes."""
    with redis_server(tmp_path) as redis:
        found = examined(data_folder, REDIS_URL=redis.url)
        assert the(found, "Redis", "Redis ").level == "ok"
        assert the(found, "Redis", "answers in").level in {"ok", "note"}
        assert the(found, "Redis", "maxmemory is not set").level == "note"
        assert the(found, "Redis", "keeps no log of writes").level == "note"
        assert the(found, "job queue", "same Redis").level == "ok"
        redis.config("maxmemory", "100mb")
        redis.config("maxmemory-policy", "allkeys-lru")
        found = examined(data_folder, REDIS_URL=redis.url)
        assert the(found, "Redis", "allkeys-lru: jobs").level == "problem"
        apart = examined(
            data_folder, REDIS_URL=redis.url, CELERY_BROKER_URL=redis.url.replace("/0", "/1")
        )
        assert the(apart, "Redis", "may use 105 MB").level == "ok"
        assert the(apart, "job queue", "allkeys-lru: jobs").level == "problem"
        redis.config("maxmemory", "1mb")
        found = examined(data_folder, REDIS_URL=redis.url)
        assert the(found, "Redis", "MB are used").level == "problem"


def test_a_redis_that_is_a_copy(data_folder: Path, tmp_path: Path) -> None:
    """A replica refuses every write."""
    with redis_server(tmp_path) as redis:
        redis.config("replica-serve-stale-data", "yes")
        assert redis._answer(f"REPLICAOF 127.0.0.1 {free_port()}") == b"+OK\r\n"
        found = examined(data_folder, REDIS_URL=redis.url)
        assert the(found, "Redis", "it is a copy").level == "problem"


def _once(answer: bytes) -> int:
    """A port that answers whatever it is asked with this, once."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as client:
            client.recv(64)
            client.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("answer", "level", "words"),
    [
        (b"\x01\x00\x00\x00\x00\x00\x10", "ok", "RabbitMQ answers"),
        (b"HTTP/1.1 400", "problem", "speaks something else"),
        (b"", "problem", "does not answer as RabbitMQ"),
    ],
)
def test_a_broker_that_should_be_rabbitmq(
    data_folder: Path, answer: bytes, level: str, words: str
) -> None:
    """It begins with a frame of AMQP 0-9-1, or it is none."""
    url = f"amqp://guest:hidden-password@127.0.0.1:{_once(answer)}//"
    found = examined(data_folder, CELERY_BROKER_URL=url)
    assert the(found, "job queue", words).level == level
    assert "hidden-password" not in str(found)


def test_a_provider_that_accepts_the_key(data_folder: Path) -> None:
    """It lists its models; a word is asked for only when somebody wants that."""
    with provider("fast") as speaks:
        environ = {"OPENAI_BASE_URL": speaks.url, "OPENAI_API_KEY": "sk-hidden"}
        found = examined(data_folder, environ)
        assert the(found, "voice openai", "accepts the key").level in {"ok", "note"}
        assert the(found, "clock", "agrees").level == "ok"
        assert speaks.stats()["calls"] == 0
        found = examined(data_folder, environ, call=True)
        assert the(found, "voice openai", "spoke after").level == "ok"
        assert speaks.stats()["calls"] == 1


@pytest.mark.parametrize(
    ("profile", "words"), [("badkey", "does not speak (401"), ("error", "does not speak (500")]
)
def test_a_provider_that_does_not_speak(data_folder: Path, profile: str, words: str) -> None:
    """A wrong key and a fault of its own, in its own code and not in its words."""
    with provider(profile) as speaks:
        environ = {"OPENAI_BASE_URL": speaks.url, "OPENAI_API_KEY": "sk-hidden"}
        found = examined(data_folder, environ, call=True)
        assert the(found, "voice openai", words).level == "problem"
        assert "sk-hidden" not in str(found)


@pytest.mark.parametrize(
    ("status", "words", "level"),
    [
        (401, "refuses the key (401)", "problem"),
        (404, "lists no models", "note"),
        (429, "too many requests", "note"),
        (503, "in trouble (503)", "problem"),
        (302, "answers 302", "problem"),
    ],
)
def test_what_a_provider_answers(data_folder: Path, status: int, words: str, level: str) -> None:
    """Each status has its meaning."""
    port = _once(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
    environ = {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "OPENAI_API_KEY": "sk-hidden"}
    assert the(examined(data_folder, environ), "voice openai", words).level == level


def test_a_provider_that_is_not_there(data_folder: Path) -> None:
    """A closed port."""
    found = examined(data_folder, OPENAI_BASE_URL=f"http://127.0.0.1:{free_port()}/v1")
    assert the(found, "voice openai", "cannot be reached").level == "problem"
