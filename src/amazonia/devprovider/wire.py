"""OpenAI's formats as bytes: streamed and whole completions, embeddings, models, errors.

Source of the formats: OpenAI's API reference, "Chat Completions" and its streaming events,
"Embeddings", "Models" and "Error codes".
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"
DONE = b"data: [DONE]\n\n"

# Not orjson: each of its results holds some 4 KB until it is freed, and a reply is 80 tokens.
_encoded = json.JSONEncoder(ensure_ascii=False).encode

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Head:
    """What every chunk of one completion repeats.

    Attributes:
        created: epoch seconds.
    """

    id: str
    created: int
    model: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens used."""

    prompt: int
    completion: int

    def encoded(self) -> bytes:
        """As OpenAI's `usage` object."""
        return orjson.dumps(
            {
                "prompt_tokens": self.prompt,
                "completion_tokens": self.completion,
                "total_tokens": self.prompt + self.completion,
            }
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """A valid answer in the pieces in which a provider sends it.

    The envelope is encoded once; a token costs one concatenation when its time has come, so that
    thousands of open streams take little memory and no encoding.

    Attributes:
        opening: sent before the first token.
        tokens: what stands between `before` and `after`, encoded.
        closing: sent after the last token, `[DONE]` excluded.
        done: the end mark of a stream; empty if it has none.
        brief: an embedding or a choice of one word, which takes no longer than a first token.
    """

    content_type: str
    before: bytes
    tokens: tuple[bytes, ...]
    after: bytes
    opening: tuple[bytes, ...] = ()
    closing: tuple[bytes, ...] = ()
    done: bytes = b""
    brief: bool = False

    @property
    def streamed(self) -> bool:
        """Whether it is a stream of events; else it is one JSON document."""
        return self.content_type == EVENTS

    def piece(self, token: bytes) -> bytes:
        """A token in its envelope."""
        return b"".join((self.before, token, self.after))

    def end(self) -> tuple[bytes, ...]:
        """All that follows the last token."""
        return (*self.closing, self.done) if self.done else self.closing

    def whole(self) -> bytes:
        """Everything that is sent."""
        return b"".join((*self.opening, *map(self.piece, self.tokens), *self.end()))


def streamed(
    head: Head, texts: Sequence[str], finish: Finish, usage: Usage | None, *, brief: bool
) -> Answer:
    """A completion as server-sent events; `usage` only if the client asked for it."""
    start = b"data: " + _fields(head, "chat.completion.chunk")
    null_usage = b"" if usage is None else b',"usage":null'

    def around(finish_reason: bytes) -> tuple[bytes, bytes]:
        tail = b',"logprobs":null,"finish_reason":%b}]%b}\n\n' % (finish_reason, null_usage)
        return start + b',"choices":[{"index":0,"delta":', tail

    before, after = around(b"null")
    role = before + b'{"role":"assistant","content":"","refusal":null}' + after
    closing = [b"{}".join(around(orjson.dumps(finish)))]
    if usage is not None:
        closing.append(start + b',"choices":[],"usage":' + usage.encoded() + b"}\n\n")
    return Answer(
        EVENTS,
        before + b'{"content":',
        tuple(_encoded(text).encode() for text in texts),
        b"}" + after,
        opening=(role,),
        closing=tuple(closing),
        done=DONE,
        brief=brief,
    )


def completed(head: Head, text: str, finish: Finish, usage: Usage, *, brief: bool) -> Answer:
    """A completion as one JSON document."""
    return Answer(
        JSON,
        _fields(head, "chat.completion")
        + b',"choices":[{"index":0,"message":{"role":"assistant","content":',
        (orjson.dumps(text),),
        b',"refusal":null,"annotations":[]},"logprobs":null,"finish_reason":%b}],"usage":%b}'
        % (orjson.dumps(finish), usage.encoded()),
        brief=brief,
    )


def embedded(
    model: str, vectors: Sequence[Sequence[float]], prompt: int, *, packed: bool
) -> Answer:
    """Embeddings, as lists of numbers or `packed`: little-endian float32 in base64."""
    data = [
        {"object": "embedding", "index": index, "embedding": _pack(v) if packed else list(v)}
        for index, v in enumerate(vectors)
    ]
    usage = {"prompt_tokens": prompt, "total_tokens": prompt}
    body = orjson.dumps({"object": "list", "data": data, "model": model, "usage": usage})
    return Answer(JSON, b"", (body,), b"", brief=True)


def models(names: Sequence[str], created: int) -> dict[str, Any]:
    """The list of models."""
    return {
        "object": "list",
        "data": [
            {"id": name, "object": "model", "created": created, "owned_by": "amazonia"}
            for name in names
        ],
    }


def error(
    message: str,
    *,
    code: str | None = None,
    kind: str = "invalid_request_error",
    param: str | None = None,
) -> bytes:
    """An error in OpenAI's shape."""
    fields = {"message": message, "type": kind, "param": param, "code": code}
    return orjson.dumps({"error": fields})


def _fields(head: Head, kind: str) -> bytes:
    """The common fields, left open for more."""
    fields = {
        "id": head.id,
        "object": kind,
        "created": head.created,
        "model": head.model,
        "service_tier": "default",
        "system_fingerprint": "fp_amazonia",
    }
    return orjson.dumps(fields)[:-1]


def _pack(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
