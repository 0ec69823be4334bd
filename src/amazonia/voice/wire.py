"""The wire format of OpenAI's chat completions, as providers really speak it. Pure: no I/O.

Sources: the API reference of OpenAI (chat completions, streaming, errors), Azure OpenAI's content
filter errors, the server-sent events part of the HTML standard, RFC 9110 (Retry-After).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal, NamedTuple

import orjson

from amazonia.voice.failures import Kind, ProviderFailed

LONGEST_LINE: Final = 1 << 20
"""Bytes of one line, and of one event, of a stream."""

DONE: Final = "[DONE]"
"""The data of a stream's last event."""

# ── what is asked ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the conversation that a model is shown."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked for."""

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.8


Parameter = Literal["max_tokens", "temperature", "stream_options"]
_PARAMETERS: Final[tuple[Parameter, ...]] = ("max_tokens", "temperature", "stream_options")


@dataclass(frozen=True, slots=True)
class Quirks:
    """Which of the parameters that we would send a provider does not know."""

    refused: frozenset[Parameter] = frozenset()

    def __or__(self, other: Quirks) -> Quirks:
        return Quirks(self.refused | other.refused)


def request_body(model: str, request: Request, quirks: Quirks) -> dict[str, Any]:
    """The JSON of a streamed chat completion."""
    refused = quirks.refused
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "stream": True,
    }
    limit = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
    body[limit] = request.max_tokens
    if "temperature" not in refused:
        body["temperature"] = request.temperature
    if "stream_options" not in refused:
        body["stream_options"] = {"include_usage": True}
    return body


_UNKNOWN_PARAMETER = re.compile(
    r"unsupported|unrecogni[sz]ed|unknown|unexpected|extra_forbidden|does not support|"
    r"not (?:be )?(?:supported|permitted|allowed|recogni[sz]ed)",
    re.IGNORECASE,
)


def learn(quirks: Quirks, failure_body: bytes) -> Quirks | None:
    """What the body of a 400 or 422 teaches about a provider; None if that is nothing new."""
    text = failure_body.decode("utf-8", "replace")
    if not _UNKNOWN_PARAMETER.search(text):
        return None
    error = _error_of(_json_or_none(failure_body))
    named = error.get("param") if isinstance(error, dict) else None
    for parameter in _PARAMETERS:
        meant = named == parameter if named in _PARAMETERS else _names(text, parameter)
        if meant:
            known = parameter in quirks.refused
            return None if known else quirks | Quirks(frozenset({parameter}))
    return None


def _names(text: str, parameter: Parameter) -> bool:
    return re.search(rf"\b{parameter}\b", text) is not None


# ── server-sent events ──────────────────────────────────────────────────────────────────────────


class SseParser:
    """The data of server-sent events, out of bytes that are cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._size = 0
        self._after_cr = False

    def feed(self, data: bytes) -> list[str]:
        """The data of each event that these bytes complete, several lines joined by LF.

        Raises:
            ProviderFailed: `garbage`; a line or an event is too long, or no UTF-8.
        """
        lines = (self._rest + self._with_lf(data)).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > LONGEST_LINE:
            raise ProviderFailed("garbage", "line too long")
        return [event for line in lines if (event := self._read(line)) is not None]

    def _with_lf(self, data: bytes) -> bytes:
        """The same bytes with every line end a LF; a CR and its LF may be in different pieces."""
        if not data:
            return data
        if self._after_cr:
            data = data.removeprefix(b"\n")
        self._after_cr = data.endswith(b"\r")
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    def _read(self, line: bytes) -> str | None:
        """Take a line; the data of the event that it ends."""
        if not line:
            return self._end()
        field, _, value = line.partition(b":")
        if field == b"data":
            self._size += len(line)
        if max(self._size, len(line)) > LONGEST_LINE:
            raise ProviderFailed("garbage", "line or event too long")
        if field == b"data":
            try:
                self._data.append(value.removeprefix(b" ").decode("utf-8"))
            except UnicodeDecodeError as exc:
                raise ProviderFailed("garbage", "not UTF-8") from exc
        return None

    def _end(self) -> str | None:
        if not self._data:
            return None
        event = "\n".join(self._data)
        self._data.clear()
        self._size = 0
        return event


# ── what is answered ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a call cost."""

    prompt: int
    completion: int


class Chunk(NamedTuple):  # made for every token: a frozen dataclass takes three times as long
    """A piece of an answer. `finish` is the reason why the answer is complete, in the last one."""

    text: str = ""
    finish: str | None = None
    usage: Usage | None = None


def read_chunk(data: str) -> Chunk:
    """The chunk in the data of an event that is not `[DONE]`.

    Raises:
        ProviderFailed: `garbage` for what is no chunk, `filtered` for the finish reason
            `content_filter`, and what an error object says.
    """
    return _chunk(_json(data), "delta")


def read_whole(body: bytes) -> Chunk:
    """The answer of a provider that does not stream, as one chunk with a finish reason.

    Raises:
        ProviderFailed: as `read_chunk`; `cut` if there is no finish reason.
    """
    chunk = _chunk(_json(body), "message")
    if chunk.finish is None:
        raise ProviderFailed("cut", "no finish reason")
    return chunk


def _chunk(body: Any, part: Literal["delta", "message"]) -> Chunk:
    if not isinstance(body, dict):
        raise ProviderFailed("garbage", "not a JSON object")
    if error := body.get("error"):
        raise _failure_inside(error)
    if "choices" not in body and "usage" not in body:
        raise ProviderFailed("garbage", "neither choices nor usage")
    usage = _usage(body.get("usage"))
    choices = body.get("choices")
    if not choices:
        return Chunk(usage=usage)
    choice = _expect(_expect(choices, list)[0], dict)
    finish = _expect(choice.get("finish_reason") or "", str)
    if finish == "content_filter":
        raise ProviderFailed("filtered", finish)
    said = _expect(choice.get(part) or {}, dict)
    return Chunk(_text(said.get("content")), finish or None, usage)


def _text(content: Any) -> str:
    """The text of a content: a string, nothing, or a list of parts."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    parts = [_expect(part, dict) for part in _expect(content, list)]
    return "".join(_expect(p.get("text") or "", str) for p in parts if p.get("type") == "text")


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return None
    return Usage(prompt, completion)


def _expect(value: Any, kind: type[Any]) -> Any:
    if not isinstance(value, kind):
        raise ProviderFailed("garbage", f"not a {kind.__name__} where one belongs")
    return value


def _json(data: str | bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        raise ProviderFailed("garbage", "invalid JSON") from exc


def _json_or_none(data: bytes) -> Any:
    """For the bodies of failures, often a proxy's HTML page: their status says enough."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


# ── what is refused ─────────────────────────────────────────────────────────────────────────────

_KIND_OF_CODE: Final[Mapping[str, Kind]] = {
    "content_filter": "filtered",
    "content_policy_violation": "filtered",
    "responsibleaipolicyviolation": "filtered",  # Azure, in `innererror`
    "context_length_exceeded": "too_long",
    "invalid_api_key": "unauthorized",
    "authentication_error": "unauthorized",
    "insufficient_quota": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "rate_limit_error": "rate_limited",
}
_CODE = re.compile(r"[A-Za-z_]{1,40}")  # no digits: nothing that could be a key


def failure_of(
    status: int, headers: Mapping[str, str], body: bytes, now_epoch: float
) -> ProviderFailed:
    """What an answer means that is not 200.

    Args:
        headers: told apart without regard to case, or with the names written as here.
        now_epoch: seconds since 1970, for a `Retry-After` that is a date.
    """
    codes = list(_codes(_error_of(_json_or_none(body))))
    wait = retry_after(headers.get("Retry-After-Ms"), now_epoch)
    wait = retry_after(headers.get("Retry-After"), now_epoch) if wait is None else wait / 1000
    kind = _kind(status, codes)
    return ProviderFailed(kind, " ".join([str(status), *codes]), status=status, retry_after=wait)


def _failure_inside(error: Any) -> ProviderFailed:
    """What an error object means that comes under the status 200."""
    code = error.get("code") if isinstance(error, dict) else None
    codes = list(_codes(error))
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return ProviderFailed(_kind(status, codes), " ".join(["in stream", *codes]))


def _error_of(body: Any) -> Any:
    """The error object of a body; some send it bare."""
    return (body.get("error") or body) if isinstance(body, dict) else None


def _codes(error: Any) -> Iterator[str]:
    """The codes that an error object names, outermost first."""
    while isinstance(error, dict):
        for key in ("code", "type"):
            code = error.get(key)
            if isinstance(code, str) and _CODE.fullmatch(code):
                yield code
        message = error.get("message")
        if isinstance(message, str) and "maximum context length" in message:
            yield "context_length_exceeded"  # vLLM and others say it in prose alone
        error = error.get("innererror")


def _kind(status: int, codes: list[str]) -> Kind:
    for code in codes:
        if kind := _KIND_OF_CODE.get(code.lower()):
            return kind
    match status:
        case 401 | 403:
            return "unauthorized"
        case 408:
            return "server"
        case 413:
            return "too_long"
        case 429:
            return "rate_limited"
        case _ if status >= 500:
            return "server"
        case _ if status < 300:
            return "garbage"
        case _:
            return "bad_request"


def retry_after(value: str | None, now_epoch: float) -> float | None:
    """The seconds of a `Retry-After`: a number, or an HTTP date. None for anything else.

    Source: RFC 9110, 10.2.3.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now_epoch
        except (ValueError, OverflowError):
            return None
    return seconds if 0 <= seconds < math.inf else None
