"""Requests as clients send them, read into values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from amazonia.devprovider.words import Message


class BadRequest(Exception):
    """The request cannot be understood.

    Attributes:
        param: the field at fault.
    """

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat completion asked for.

    Attributes:
        max_tokens: longest reply, or None.
        usage: the stream is to tell the tokens used.
    """

    model: str
    messages: tuple[Message, ...]
    max_tokens: int | None
    stream: bool
    usage: bool


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Embeddings asked for; `packed` as base64."""

    model: str
    texts: tuple[str, ...]
    packed: bool


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds.

    Raises:
        BadRequest: it holds none.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise BadRequest("We could not parse the JSON body of your request.") from exc
    if not isinstance(value, dict):
        raise BadRequest("The body of the request must be a JSON object.")
    return value


def read_chat(body: bytes) -> ChatRequest:
    """A chat completion's request.

    Raises:
        BadRequest: a field is missing or of the wrong kind.
    """
    fields = read_object(body)
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("'messages' must be a list of at least one message.", "messages")
    options = fields.get("stream_options")
    return ChatRequest(
        model=_model(fields),
        messages=tuple(map(_message, messages)),
        max_tokens=_max_tokens(fields),
        stream=fields.get("stream") is True,
        usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def read_embeddings(body: bytes) -> EmbeddingRequest:
    """An embedding's request.

    Raises:
        BadRequest: a field is missing or of the wrong kind.
    """
    fields = read_object(body)
    given = fields.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise BadRequest("'input' must be a text or a list of texts.", "input")
    return EmbeddingRequest(_model(fields), tuple(texts), fields.get("encoding_format") == "base64")


def _model(fields: dict[str, Any]) -> str:
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequest("you must provide a model parameter", "model")
    return model


def _message(given: object) -> Message:
    if not isinstance(given, dict) or not isinstance(given.get("role"), str):
        raise BadRequest("Each of 'messages' must be an object with a 'role'.", "messages")
    content = given.get("content")
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        content = "".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str | None):
        raise BadRequest("A message's 'content' must be text.", "messages")
    return Message(given["role"], content or "")


def _max_tokens(fields: dict[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = fields.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise BadRequest(f"'{name}' must be a whole number of at least 1.", name)
        return value
    return None
