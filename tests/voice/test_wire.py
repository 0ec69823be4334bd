"""The wire format: server-sent events, chunks, refusals."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazonia.voice.failures import ProviderFailed
from amazonia.voice.wire import (
    LONGEST_LINE,
    Chunk,
    Message,
    Quirks,
    Request,
    SseParser,
    Usage,
    failure_of,
    learn,
    read_chunk,
    read_whole,
    request_body,
    retry_after,
)

REQUEST = Request((Message("system", "Be kind."), Message("user", "Olá?")), max_tokens=40)
NOON = 1_800_000_000.0


def parse(*pieces: bytes) -> list[str]:
    parser = SseParser()
    return [event for piece in pieces for event in parser.feed(piece)]


# ── server-sent events ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", ["a"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a\n\n", [" a"]),
        (b"data: a\r\n\r\n", ["a"]),
        (b"data: a\r\rdata: b\r\r", ["a", "b"]),
        (b": hush\n\ndata: a\n\n", ["a"]),
        (b"event: x\nid: 7\nretry: 10\ndata: a\n\n", ["a"]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"data\n\n", [""]),
        (b"database: a\n\n", []),
        (b"data: a\n\ndata: cut", ["a"]),
        (b"data: a\n\ndata: cut\n", ["a"]),
        (b"\n\n\n", []),
        ("data: caça\n\n".encode(), ["caça"]),
    ],
)
def test_events_are_read_as_the_standard_says(stream: bytes, events: list[str]):
    """Each way to write an event gives its data."""
    assert parse(stream) == events


lines = st.sampled_from(
    [
        "data: açaí",
        "data:🐟",
        "data: ",
        "data",
        ": comment",
        "event: x",
        "id",
        "",
        "",
        "data: [DONE]",
    ]
)
ends = st.sampled_from(["\n", "\r", "\r\n"])


@given(st.lists(st.tuples(lines, ends), max_size=20), st.data())
def test_it_does_not_matter_where_the_bytes_are_cut(written: list[tuple[str, str]], data: Any):
    """Any split of a stream's bytes gives the same events."""
    stream = "".join(line + end for line, end in written).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parse(*pieces) == parse(stream)
    assert parse(*(bytes([b]) for b in stream)) == parse(stream)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"data: " + b"x" * LONGEST_LINE + b"\n\n",),
        (b": " + b"x" * LONGEST_LINE + b"\n\n",),
        (b"data: ", *[b"x" * 65536] * 17),
        ((b"data: " + b"x" * 1000 + b"\n") * 1100,),
        (b"data: \xff\n\n",),
    ],
    ids=["line", "comment", "unfinished", "event", "no UTF-8"],
)
def test_what_is_no_event_stream_is_garbage(pieces: tuple[bytes, ...]):
    """Too long a line or event, and bytes that are no text, are refused."""
    with pytest.raises(ProviderFailed) as caught:
        parse(*pieces)
    assert caught.value.kind == "garbage"


# ── asking ──────────────────────────────────────────────────────────────────────────────────────


def test_a_request_is_a_streamed_chat_completion():
    """The body is what the reference asks for."""
    assert request_body("m", REQUEST, Quirks()) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Olá?"},
        ],
        "max_tokens": 40,
        "temperature": 0.8,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_refused_parameter_is_left_out_or_renamed():
    """What a provider does not know is not sent to it again."""
    quirks = Quirks(frozenset({"max_tokens", "temperature", "stream_options"}))
    body = request_body("m", REQUEST, quirks)
    assert body.keys() == {"model", "messages", "stream", "max_completion_tokens"}


OPENAI_MAX_TOKENS = {
    "error": {
        "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
        "type": "invalid_request_error",
        "param": "max_tokens",
        "code": "unsupported_parameter",
    }
}
OPENAI_TEMPERATURE = {
    "error": {
        "message": "Unsupported value: 'temperature' does not support 0.8 with this model.",
        "param": "temperature",
        "code": "unsupported_value",
    }
}
AZURE = {"error": {"message": "Unrecognized request argument supplied: stream_options"}}
MISTRAL = {
    "object": "error",
    "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"]}]},
}
TOO_MANY = {"error": {"message": "max_tokens is too large: 9999.", "param": "max_tokens"}}


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (OPENAI_MAX_TOKENS, "max_tokens"),
        (OPENAI_TEMPERATURE, "temperature"),
        (AZURE, "stream_options"),
        (MISTRAL, "stream_options"),
        (TOO_MANY, None),
        ({"error": {"message": "Unknown model"}}, None),
        ("<html>unsupported</html>", None),
    ],
)
def test_an_unsupported_parameter_is_learned(body: Any, refused: Any):
    """The body of a 400 names the parameter; other refusals teach nothing."""
    learned = learn(Quirks(), json.dumps(body).encode())
    assert learned == (Quirks(frozenset({refused})) if refused else None)


def test_nothing_is_learned_twice():
    """A provider that still complains is not asked the same way for ever."""
    known = Quirks(frozenset({"max_tokens"}))
    assert learn(known, json.dumps(OPENAI_MAX_TOKENS).encode()) is None


# ── answers ─────────────────────────────────────────────────────────────────────────────────────


def chunk(**choice: Any) -> str:
    return json.dumps({"choices": [{"index": 0, **choice}]})


@pytest.mark.parametrize(
    ("data", "meaning"),
    [
        (chunk(delta={"content": "Oi"}, finish_reason=None), Chunk("Oi")),
        (chunk(delta={"role": "assistant", "content": None}), Chunk()),
        (chunk(delta={"role": "assistant"}), Chunk()),
        (chunk(delta=None), Chunk()),
        (chunk(delta={}, finish_reason="stop"), Chunk(finish="stop")),
        (chunk(delta={"content": "!"}, finish_reason="length"), Chunk("!", "length")),
        (chunk(delta={"content": "a"}, finish_reason=""), Chunk("a")),
        (
            chunk(delta={"content": [{"type": "text", "text": "a"}, {"type": "image"}]}),
            Chunk("a"),
        ),
        ('{"choices": [], "prompt_filter_results": []}', Chunk()),
        (
            '{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}',
            Chunk(usage=Usage(9, 2)),
        ),
        ('{"choices": [], "usage": {"prompt_tokens": "many"}}', Chunk()),
        ('{"choices": null, "usage": null, "error": null}', Chunk()),
    ],
)
def test_chunks_are_read_with_tolerance(data: str, meaning: Chunk):
    """Every form of chunk that providers send is understood."""
    assert read_chunk(data) == meaning


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("{", "garbage"),
        ("", "garbage"),
        ("[]", "garbage"),
        ('{"hello": 1}', "garbage"),
        ('{"choices": {"0": 1}}', "garbage"),
        ('{"choices": ["a"]}', "garbage"),
        (chunk(delta="a"), "garbage"),
        (chunk(delta={"content": 7}), "garbage"),
        (chunk(delta={"content": ["a"]}), "garbage"),
        (chunk(delta={"content": [{"type": "text", "text": 7}]}), "garbage"),
        (chunk(delta={}, finish_reason=7), "garbage"),
        (r'{"choices": [{"delta": {"content": "\ud800"}}]}', "garbage"),
        (chunk(delta={}, finish_reason="content_filter"), "filtered"),
        ('{"error": "overloaded"}', "server"),
        ('{"error": {"message": "boom", "type": "server_error"}}', "server"),
        ('{"error": {"code": "rate_limit_exceeded"}}', "rate_limited"),
        ('{"error": {"code": 429, "message": "slow down"}}', "rate_limited"),
        ('{"error": {"code": 502}}', "server"),
        ('{"error": {"code": "context_length_exceeded"}}', "too_long"),
        ('{"error": {"code": "invalid_api_key"}}', "unauthorized"),
    ],
)
def test_a_chunk_that_is_none_says_what_happened(data: str, kind: str):
    """Wrong shapes are garbage; errors inside the stream are what they say."""
    with pytest.raises(ProviderFailed) as caught:
        read_chunk(data)
    assert caught.value.kind == kind


KEYS = (
    *("choices", "delta", "message", "content", "finish_reason", "usage"),
    *("error", "innererror", "code", "type", "text"),
)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(KEYS),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_breaks_the_reader(value: Any):
    """Whatever JSON comes is a chunk or a failure that has a name."""
    data = json.dumps(value)
    with suppress(ProviderFailed):
        assert isinstance(read_chunk(data).text, str)
    with suppress(ProviderFailed):
        assert isinstance(read_whole(data.encode()).text, str)
    assert failure_of(400, {}, data.encode(), NOON).kind
    learn(Quirks(), data.encode())


def test_a_whole_completion_is_one_chunk():
    """The answer of a provider that ignores `stream` is read too."""
    body = {
        "choices": [{"message": {"role": "assistant", "content": "Oi."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    assert read_whole(json.dumps(body).encode()) == Chunk("Oi.", "stop", Usage(1, 2))


def test_a_whole_completion_without_a_finish_reason_is_cut():
    """Only a finish reason makes an answer complete."""
    with pytest.raises(ProviderFailed) as caught:
        read_whole(b'{"choices": [{"message": {"content": "Oi."}}]}')
    assert caught.value.kind == "cut"


# ── refusals ────────────────────────────────────────────────────────────────────────────────────

FILTER = {"error": {"code": "content_filter", "message": "…"}}
AZURE_FILTER = {
    "error": {"code": None, "innererror": {"code": "ResponsibleAIPolicyViolation"}, "status": 400}
}
CONTEXT = {"error": {"code": "context_length_exceeded", "message": "…"}}
VLLM = {"object": "error", "message": "This model's maximum context length is 4096", "code": 400}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (204, None, "garbage"),
        (302, None, "bad_request"),
        (400, None, "bad_request"),
        (400, FILTER, "filtered"),
        (400, AZURE_FILTER, "filtered"),
        (422, CONTEXT, "too_long"),
        (400, VLLM, "too_long"),
        (401, {"error": {"code": "invalid_api_key"}}, "unauthorized"),
        (403, None, "unauthorized"),
        (404, {"error": {"code": "model_not_found"}}, "bad_request"),
        (408, None, "server"),
        (413, None, "too_long"),
        (429, {"error": {"code": "insufficient_quota"}}, "rate_limited"),
        (500, None, "server"),
        (529, "overloaded", "server"),
    ],
)
def test_a_status_says_what_happened(status: int, body: Any, kind: str):
    """Status and code together name the failure."""
    failure = failure_of(status, {}, json.dumps(body).encode(), NOON)
    assert (failure.kind, failure.status) == (kind, status)


def test_a_page_instead_of_json_is_no_trouble():
    """A proxy's error page is a failure like another."""
    assert failure_of(502, {}, b"<html>\xff Bad gateway", NOON).kind == "server"


def test_a_failure_never_quotes_key_or_message():
    """What a provider echoes does not reach a log."""
    body = {"error": {"code": "sk-secret-123", "type": "oops", "message": "Bad key sk-secret-123"}}
    failure = failure_of(401, {}, json.dumps(body).encode(), NOON)
    assert str(failure) == "unauthorized: 401 oops"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None):
    """Both forms of the header are read; nonsense is none."""
    assert retry_after(value, NOON) == seconds


def test_a_limit_says_when_to_come_back():
    """The headers of a 429 and of a 503 are heard, the finer one first."""
    assert failure_of(429, {"Retry-After": "2"}, b"", NOON).retry_after == 2.0
    assert failure_of(503, {"Retry-After": "3"}, b"", NOON).retry_after == 3.0
    both = {"Retry-After": "2", "Retry-After-Ms": "1500"}
    assert failure_of(429, both, b"", NOON).retry_after == 1.5


def test_failures_know_whom_they_blame_and_whether_to_try_again():
    """Only what the provider did counts against it; nothing is retried once text is out."""
    assert ProviderFailed("silent").blames
    assert not ProviderFailed("filtered").blames
    cut = ProviderFailed("cut")
    assert cut.retryable
    cut.partial = True
    assert not cut.retryable
