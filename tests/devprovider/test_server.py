"""The development provider's calls, profiles and counts, over a real socket."""

import asyncio
import base64
import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest
from tests.devprovider.asking import PROMPT, SPEED, Client, drain, text_of

from amazonia.devprovider.profiles import NAMES, UnknownProfile
from amazonia.devprovider.server import BadSpeed, Provider
from amazonia.devprovider.words import PARAGRAPH, embed

LINES = "O rio subiu. Ninguém viu o barco, nem o Zé."


# ── whole answers ───────────────────────────────────────────────────────────────────────────────


async def test_a_stream_is_openais(client: Client):
    """Role, content, finish, usage and the end mark come in OpenAI's order and shape."""
    events = await client.events(stream_options={"include_usage": True})
    assert events[-1] == "[DONE]"
    role, *contents, finish, usage = map(json.loads, events[:-1])
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert all(len(c["choices"][0]["delta"]["content"]) <= 4 for c in contents)
    assert finish["choices"][0] == {
        "index": 0,
        "delta": {},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == len(contents)
    chunks = [role, *contents, finish]
    assert {c["object"] for c in (*chunks, usage)} == {"chat.completion.chunk"}
    assert len({c["id"] for c in (*chunks, usage)}) == 1
    assert all(c["usage"] is None for c in chunks)
    assert text_of(events).endswith(LINES)


async def test_usage_comes_only_when_asked(client: Client):
    """Without the option no chunk speaks of usage."""
    events = await client.events()
    assert not any("usage" in event for event in events)


async def test_a_whole_answer_is_one_document(client: Client):
    """Without `stream` the same text comes as one completion."""
    status, answer = await client.post(
        "/v1/chat/completions", {"model": "m", "messages": PROMPT, "stream": False}
    )
    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["choices"][0]["message"]["content"] == text_of(await client.events())
    assert answer["usage"]["total_tokens"] > answer["usage"]["completion_tokens"]


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
async def test_max_tokens_cuts_the_reply(client: Client, field: str):
    """A reply longer than asked ends after that many tokens, and says why."""
    options: dict[str, Any] = {field: 3}
    events = await client.events(messages=[{"role": "user", "content": "Oi"}], **options)
    assert text_of(events) == PARAGRAPH[:12]
    assert json.loads(events[-2])["choices"][0]["finish_reason"] == "length"


async def test_content_may_come_in_parts(client: Client):
    """A message's content may be a list of texts, or null."""
    parts = [{"type": "text", "text": "<beat>Si"}, {"type": "text", "text": "m.</beat>"}]
    messages = [{"role": "system", "content": parts}, {"role": "user", "content": None}]
    assert text_of(await client.events(messages=messages)).endswith("Sim.")


async def test_embeddings_are_deterministic(client: Client):
    """A text's vector is the same in a list, alone and packed."""
    body = {"model": "e", "input": ["o rio", "o barco"]}
    _, answer = await client.post("/v1/embeddings", body)
    assert [item["embedding"] for item in answer["data"]] == [embed("o rio"), embed("o barco")]
    _, packed = await client.post(
        "/v1/embeddings", {"model": "e", "input": "o rio", "encoding_format": "base64"}
    )
    numbers = struct.unpack("<64f", base64.b64decode(packed["data"][0]["embedding"]))
    assert numbers == pytest.approx(embed("o rio"))


async def test_models_are_listed(client: Client):
    """There is a model for every profile."""
    models = await client.get("/v1/models")
    assert {f"amazonia-{name}" for name in NAMES} < {model["id"] for model in models["data"]}


async def test_healthy_takes_its_time(client: Client):
    """At a fiftieth of the time a whole reply takes 60 to 160 ms."""
    started = time.monotonic()
    await client.events()
    assert 3 / SPEED <= time.monotonic() - started < 1


async def test_fast_is_fast(client: Client):
    """At full speed a fast reply takes about 50 ms."""
    await client.post("/profile", {"profile": "fast", "speed": 1})
    started = time.monotonic()
    await client.events()
    assert 0.04 <= time.monotonic() - started < 0.5


@pytest.mark.parametrize("name", ["slow", "late"])
async def test_a_patient_client_gets_the_whole(client: Client, name: str):
    """What is only slow is whole in the end."""
    events = await client.events(name)
    assert text_of(events).endswith(LINES)
    assert events[-1] == "[DONE]"


async def test_a_drip_arrives_whole(client: Client):
    """Byte by byte, the stream is valid."""
    await client.post("/profile", {"profile": "drip", "speed": 1000})
    events = await client.events(max_tokens=1)
    assert len(text_of(events)) == 4
    assert events[-1] == "[DONE]"


async def test_empty_is_complete_without_text(client: Client):
    """The stream ends well and has said nothing."""
    events = await client.events("empty")
    assert text_of(events) == ""
    assert json.loads(events[-2])["choices"][0]["finish_reason"] == "stop"
    assert events[-1] == "[DONE]"


async def test_a_leak_says_what_it_is_told(client: Client):
    """The player's words come back, whatever the beat is."""
    messages = [PROMPT[0], {"role": "user", "content": "Diga que a Graça assinou"}]
    assert text_of(await client.events("leak", messages=messages)) == "A Graça assinou."


async def test_a_call_that_classifies_answers_an_id(client: Client):
    """A message with topics makes it a classification, counted apart."""
    topics = "<topics>\nagua: a água\nbarco: o barco que sumiu\n</topics>"
    messages = [{"role": "system", "content": topics}, PROMPT[1]]
    assert text_of(await client.events(messages=messages)) == "barco"
    assert (await client.get("/stats"))["by_kind"] == {"classify": 1}


# ── faults ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("ratelimit", 429, "rate_limit_exceeded"),
        ("error", 500, None),
        ("filter", 400, "content_filter"),
        ("toolong", 400, "context_length_exceeded"),
        ("badkey", 401, "invalid_api_key"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_errors_are_openais(
    client: Client, name: str, status: int, code: str | None, stream: bool
):
    """An error has OpenAI's status, shape and code, streamed or not."""
    async with client.chat(name, stream=stream) as response:
        assert response.status == status
        error = (await response.json())["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert response.headers.get("Retry-After") == ("2" if status == 429 else None)


@pytest.mark.parametrize("stream", [True, False])
async def test_an_outage_sends_nothing(client: Client, stream: bool):
    """The request is accepted; not even a status comes back."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await client.chat("outage", stream=stream)


@pytest.mark.parametrize("stream", [True, False])
async def test_refuse_resets_the_connection(client: Client, stream: bool):
    """While the server runs, a refused call meets a reset."""
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.chat("refuse", stream=stream)
    assert (await client.get("/stats"))["failed"] == 1


async def test_refuse_resets_with_rst(client: Client):
    """The connection does not end, it breaks: the reset is a real one."""
    reader, writer = await asyncio.open_connection(*client.url.removeprefix("http://").split(":"))
    body = json.dumps({"model": "refuse", "messages": PROMPT}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


@pytest.mark.parametrize("stream", [True, False])
async def test_cut_dies_half_way(client: Client, stream: bool):
    """About half of the bytes come under status 200; the body never ends properly."""
    async with client.chat(stream=stream) as response:
        whole = await response.read()
    got = bytearray()
    async with client.chat("cut", stream=stream) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await drain(response, got)
    assert 0.3 * len(whole) < len(got) < 0.7 * len(whole)
    assert b'finish_reason":"stop' not in got
    assert (await client.get("/stats"))["failed"] == 1


async def test_garbage_is_not_json(client: Client):
    """The stream ends as if it were whole; some of its events are broken."""
    events = await client.events("garbage")
    assert events[-1] == "[DONE]"
    with pytest.raises(json.JSONDecodeError):
        text_of(events)


async def test_a_garbage_document_is_not_json(client: Client):
    """Without streaming the document itself is broken."""
    async with client.chat("garbage", stream=False) as response:
        body = await response.text()
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


async def silent_after(client: Client, name: str, **fields: Any) -> bytes:
    """What came before 0.3 s of silence; fails if the stream ended."""
    got = b""
    async with client.chat(name, **fields) as response:
        while True:
            try:
                async with asyncio.timeout(0.3):
                    data = await response.content.readany()
            except TimeoutError:
                return got
            assert data, "the stream ended"
            got += data


async def test_stall_says_one_token(client: Client):
    """After the first token there is silence, and the stream stays open."""
    got = (await silent_after(client, "stall")).decode()
    events = [event.removeprefix("data: ") for event in got.split("\n\n")[:-1]]
    assert len(events) == 2
    assert 0 < len(text_of(events)) <= 4


async def test_nodone_says_all_but_the_end_mark(client: Client):
    """The finish reason comes, the mark does not, the connection stays open; it was a whole."""
    got = (await silent_after(client, "nodone")).decode()
    events = [event.removeprefix("data: ") for event in got.split("\n\n")[:-1]]
    assert text_of(events).endswith(LINES)
    assert json.loads(events[-1])["choices"][0]["finish_reason"] == "stop"
    stats = await client.get("/stats")
    assert (stats["completed"], stats["cancelled"], stats["in_flight"]) == (1, 0, 0)


async def test_comments_are_all_that_comes(client: Client):
    """The stream stays alive by comments and tells nothing."""
    got = b""
    async with client.chat("comments") as response:
        while len(got) < 100:
            got += await response.content.readany()
    assert set(got.split(b"\n\n")[:-1]) == {b": keep-alive"}


async def test_flaky_hangs_or_answers(client: Client):
    """Of many calls some hang, and the others are whole."""

    async def answered() -> bool:
        try:
            async with asyncio.timeout(1):
                return text_of(await client.events("flaky")).endswith(LINES)
        except TimeoutError:
            return False

    got = await asyncio.gather(*(answered() for _ in range(60)))
    stats = await client.stats_when(lambda stats: stats["in_flight"] == 0)
    assert 5 <= stats["cancelled"] <= 35
    assert stats["completed"] == got.count(True) == 60 - stats["cancelled"]


async def test_mixed_survives_itself(client: Client):
    """Calls of the mixed profile meet many profiles, and each is accounted for."""

    async def call() -> None:
        try:
            async with asyncio.timeout(0.4), client.chat("mixed") as response:
                await response.read()
        except (TimeoutError, aiohttp.ClientError):
            return

    await asyncio.gather(*(call() for _ in range(60)))
    stats = await client.stats_when(lambda stats: stats["in_flight"] == 0)
    assert stats["calls"] == 60 == stats["completed"] + stats["cancelled"] + stats["failed"]
    assert len(stats["by_profile"]) > 10


@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"refuse", "mixed"}])
async def test_embeddings_obey_the_profile(client: Client, name: str):
    """Embeddings fail as completions do: whole vectors come only from a provider that answers."""
    body = {"model": name, "input": "o rio"}
    vectors = None
    try:
        async with (
            asyncio.timeout(0.6),
            client.http.post(f"{client.url}/v1/embeddings", json=body) as response,
        ):
            if response.status == 200:
                vectors = [item["embedding"] for item in (await response.json())["data"]]
    except (TimeoutError, aiohttp.ClientError, json.JSONDecodeError):
        pass
    if name == "flaky":
        assert vectors in (None, [embed("o rio")])
    else:
        answers = name in {"healthy", "fast", "slow", "late", "leak"}
        assert vectors == ([embed("o rio")] if answers else [] if name == "empty" else None)


# ── switch, counts, records ─────────────────────────────────────────────────────────────────────


async def test_the_profile_changes_while_it_runs(client: Client):
    """Healthy, broken, healthy again: each call meets the profile of its moment."""
    assert await client.status() == 200
    assert (await client.post("/profile", {"profile": "error"}))[0] == 200
    assert await client.status() == 500
    status, setting = await client.post("/profile", {"profile": "healthy", "speed": 100})
    assert (status, setting["profile"], setting["speed"]) == (200, "healthy", 100)
    assert await client.status() == 200
    assert (await client.get("/profile"))["profile"] == "healthy"


async def test_a_call_ends_as_it_began(client: Client):
    """A switch does not touch the calls under way."""
    async with client.chat() as response:
        await client.post("/profile", {"profile": "outage"})
        assert (await response.read()).endswith(b"[DONE]\n\n")


@pytest.mark.parametrize("setting", [{"profile": "helthy"}, {}, {"profile": None}, []])
async def test_an_unknown_profile_is_refused(client: Client, setting: Any):
    """The answer is 400, lists the profiles that exist, and changes nothing."""
    status, answer = await client.post("/profile", setting)
    assert status == 400
    if isinstance(setting, dict):
        assert all(name in answer["error"]["message"] for name in NAMES)
    assert (await client.get("/profile"))["profile"] == "healthy"


@pytest.mark.parametrize("speed", [0, -1, "10", True, 1e9, [1]])
async def test_a_bad_speed_is_refused(client: Client, speed: Any):
    """A speed is a number above 0; another changes nothing, the profile neither."""
    status, answer = await client.post("/profile", {"profile": "error", "speed": speed})
    assert status == 400
    assert "speed" in answer["error"]["message"]
    setting = await client.get("/profile")
    assert (setting["profile"], setting["speed"]) == ("healthy", SPEED)


def test_a_server_does_not_start_with_a_bad_setting():
    """Unknown profile or impossible speed: an error that says what there is."""
    with pytest.raises(UnknownProfile, match="healthy"):
        Provider("helthy")
    with pytest.raises(BadSpeed, match="above 0"):
        Provider(speed=float("nan"))


async def test_stats_count_what_happened(client: Client):
    """Calls, peak, outcomes, profiles and models add up; a reset forgets them."""
    await asyncio.gather(*(client.events(model) for model in ("a", "a", "leak")))
    await client.status("error")
    stats = await client.get("/stats")
    assert stats["calls"] == 4
    assert stats["peak"] == 3
    assert (stats["completed"], stats["failed"], stats["in_flight"]) == (3, 1, 0)
    assert stats["by_profile"] == {"healthy": 2, "leak": 1, "error": 1}
    assert stats["by_model"] == {"a": 2, "leak": 1, "error": 1}
    assert stats["by_kind"] == {"chat": 4}
    status, stats = await client.post("/stats/reset")
    assert status == 200
    assert not any(stats.values())


@pytest.mark.parametrize("name", ["outage", "stall", "healthy", "comments", "late", "drip"])
async def test_a_client_that_leaves_is_seen_at_once(client: Client, name: str):
    """A closed connection is counted within milliseconds, with its time and its call."""
    await client.post("/profile", {"profile": name, "speed": 1})
    call = asyncio.create_task(client.events())
    await client.stats_when(lambda stats: stats["in_flight"] == 1)
    left = time.time()
    call.cancel()
    stats = await client.stats_when(lambda stats: stats["in_flight"] == 0)
    assert (stats["cancelled"], stats["completed"], stats["failed"]) == (1, 0, 0)
    (cancelled,) = stats["cancelled_at"]
    assert 0 <= cancelled["at"] - left < 0.1
    assert cancelled["call"] == (await client.get("/calls"))[0]["id"]


async def test_the_last_calls_are_kept(client: Client):
    """The requests' bodies can be read back, the newest last."""
    for number in range(3):
        await client.events(f"m{number}", max_tokens=number + 1)
    calls = await client.get("/calls?last=2")
    assert [call["body"]["model"] for call in calls] == ["m1", "m2"]
    assert calls[1]["body"]["messages"] == PROMPT
    assert await client.get("/calls?last=0") == []


@pytest.mark.parametrize("last", ["-1", "x", "2001", "9" * 5000, "²"])
async def test_an_impossible_number_of_calls_is_refused(client: Client, last: str):
    """The answer is 400 in OpenAI's shape."""
    async with client.http.get(f"{client.url}/calls", params={"last": last}) as response:
        assert response.status == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", []),
        ("/v1/chat/completions", {"messages": PROMPT}),
        ("/v1/chat/completions", {"model": "m"}),
        ("/v1/chat/completions", {"model": "m", "messages": []}),
        ("/v1/chat/completions", {"model": "m", "messages": ["hi"]}),
        ("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": 3}]}),
        ("/v1/chat/completions", {"model": "m", "messages": PROMPT, "max_tokens": 0}),
        ("/v1/embeddings", {"model": "m"}),
        ("/v1/embeddings", {"model": "m", "input": [1]}),
    ],
)
async def test_a_bad_request_is_refused(client: Client, path: str, body: Any):
    """What cannot be understood is answered 400 in OpenAI's shape, and is no call."""
    status, answer = await client.post(path, body)
    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"
    assert (await client.get("/stats"))["calls"] == 0


async def test_what_is_no_json_is_refused(client: Client):
    """Broken bytes are answered 400, an unknown path 404."""
    url = f"{client.url}/v1/chat/completions"
    async with client.http.post(url, data=b'{"model": ') as response:
        assert response.status == 400
    assert (await client.post("/v1/completions"))[0] == 404


async def test_a_connection_serves_many_calls(client: Client):
    """After a whole answer or an error the connection is used again."""
    opened: list[object] = []

    async def note(*seen: object) -> None:
        opened.append(seen)

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(note)
    async with aiohttp.ClientSession(trace_configs=[trace]) as http:
        again = Client(http, client.url)
        for model in ("m", "error", "empty", "m"):
            await again.status(model)
    assert len(opened) == 1


# ── the process ─────────────────────────────────────────────────────────────────────────────────

RUN = "from amazonia.devprovider.server import run; run('127.0.0.1', {port}, '{profile}', 1, 10)"


@contextmanager
def process(profile: str, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process and the line in which it says that it is ready; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN.format(port=port, profile=profile)],
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            yield server, server.stdout.readline()
        finally:
            server.kill()


def address(line: str) -> str:
    """The address that a server says it has."""
    return line.rpartition(" ")[2].strip().removesuffix("/v1")


async def test_the_process_serves_until_told_to_stop():
    """It says where it listens, answers there, and stops at once although calls hang."""
    with process("outage") as (server, line):
        async with aiohttp.ClientSession() as http:
            client = Client(http, address(line))
            hanging = asyncio.create_task(client.events())
            await client.stats_when(lambda stats: stats["in_flight"] == 1)
            told = time.monotonic()
            server.terminate()
            assert await asyncio.to_thread(server.wait, 5) == 0
            assert time.monotonic() - told < 2
            with pytest.raises(aiohttp.ClientError):
                await hanging


@pytest.mark.parametrize(("name", "stream"), [("cut", True), ("cut", False), ("refuse", True)])
async def test_the_process_breaks_off_as_it_should(name: str, stream: bool):
    """On the real event loop a cut stream has come half way, and a refused call gets nothing."""
    got = bytearray()
    with process("healthy") as (_, line):
        async with aiohttp.ClientSession() as http:
            client = Client(http, address(line))
            await client.post("/profile", {"profile": name, "speed": 1000})

            async def call() -> None:
                async with client.chat(stream=stream) as response:
                    await drain(response, got)

            with pytest.raises(aiohttp.ClientError):
                await call()
    assert bool(got) == (name == "cut")


def test_a_refusing_process_does_not_listen():
    """With `refuse` at the start nobody listens, and the process waits until told to stop."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with process("refuse", port) as (server, line):
        assert "nobody listens" in line
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        assert server.poll() is None
        server.terminate()
        assert server.wait(5) == 0
