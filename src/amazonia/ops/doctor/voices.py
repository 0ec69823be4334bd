"""The providers: reachable, their keys accepted, their models known."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp
import orjson

from amazonia.ops.doctor.clock import judge_date
from amazonia.ops.doctor.findings import Finding, Found, note, ok, problem
from amazonia.ops.doctor.postgres import host
from amazonia.settings import Provider, Settings

TIMES = aiohttp.ClientTimeout(total=6.0, connect=3.0)
REFUSED, UNKNOWN, TOO_MANY = (401, 403), (404, 405, 501), 429


async def judge_voices(settings: Settings, *, call: bool) -> Found:
    """Ask every provider for its models.

    Args:
        call: let each speak a word, too, which costs some tokens.
    """
    if not settings.voices:
        return [ok("voices", "no provider is set: the authored lines speak")]
    found: Found = []
    async with aiohttp.ClientSession(timeout=TIMES) as http:
        for voice in settings.voices:
            found += await _models(http, voice)
            if call:
                found += await _word(http, voice)
    return found


async def _models(http: aiohttp.ClientSession, voice: Provider) -> Found:
    about = f"voice {voice.name}"
    try:
        begun = time.perf_counter()
        async with http.get(f"{voice.base_url.rstrip('/')}/models", headers=_headers(voice)) as got:
            body = await got.read()
            took = time.perf_counter() - begun
            skew = judge_date(time.time(), got.headers.get("Date"), host(voice.base_url))
    except (aiohttp.ClientError, TimeoutError) as error:
        return [_unreachable(about, voice, error)]
    return [*_status(about, voice, got.status, body, took), *skew]


def _headers(voice: Provider) -> dict[str, str]:
    return {"Authorization": f"Bearer {voice.api_key}"} if voice.api_key else {}


def _unreachable(about: str, voice: Provider, error: BaseException) -> Finding:
    where = host(voice.base_url)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        what = f"{where} shows a certificate that is not trusted"
        return problem(about, what, "Is the clock right? A provider of your own: install its root")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return problem(about, f"{where}: no such name", "See its address, and this machine's DNS")
    what = f"{where} cannot be reached ({type(error).__name__})"
    return problem(
        about, what, "See its address and this machine's firewall; till then the rest speak"
    )


def _status(
    about: str, voice: Provider, status: int, body: bytes, took: float
) -> Iterable[Finding]:
    where = host(voice.base_url)
    if status in REFUSED:
        has = "the key" if voice.api_key else "to speak without a key"
        yield problem(
            about, f"{where} refuses {has} ({status})", "Set the key of this very provider"
        )
    elif status == TOO_MANY:
        yield note(about, f"{where}: too many requests (429)", "See the limits of your account")
    elif status >= 500:
        yield problem(about, f"{where} is in trouble ({status})", "See its status page")
    elif status in UNKNOWN:
        what = f"{where} answers in {took * 1000:.0f} ms, and lists no models"
        yield note(about, what, "Try it with --call")
    elif status == 200:
        yield from _listed(about, voice, body, took)
    else:
        yield problem(about, f"{where} answers {status}", f"Is the address right? {voice.base_url}")


def _listed(about: str, voice: Provider, body: bytes, took: float) -> Iterable[Finding]:
    names = _names(body)
    said = f"{host(voice.base_url)} accepts the key and answers in {took * 1000:.0f} ms"
    if not names or voice.model in names:
        yield ok(about, said)
    else:
        yield note(about, f"{said}, but does not list '{voice.model}'", "Try it with --call")


def _names(body: bytes) -> set[str]:
    try:
        return {str(model["id"]) for model in orjson.loads(body)["data"]}
    except (ValueError, LookupError, TypeError):
        return set()


async def _word(http: aiohttp.ClientSession, voice: Provider) -> Found:
    """Let it say a word."""
    about, begun = f"voice {voice.name}", time.perf_counter()
    body = {
        "model": voice.model,
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "Say: ok"}],
    }
    url = f"{voice.base_url.rstrip('/')}/chat/completions"
    try:
        async with http.post(url, json=body, headers=_headers(voice)) as got:
            text = await got.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        what = f"does not speak: {type(error).__name__} after {time.perf_counter() - begun:.1f} s"
        return [problem(about, what, "See its status page; till it is back the rest speak")]
    if got.status == 200 and _spoke(text):
        return [ok(about, f"'{voice.model}' spoke after {time.perf_counter() - begun:.1f} s")]
    what = f"'{voice.model}' does not speak ({got.status}{_reason(text)})"
    return [problem(about, what, "See OPENAI_MODEL, the account's credit and the key's rights")]


def _spoke(text: bytes) -> bool:
    try:
        return bool(orjson.loads(text)["choices"])
    except (ValueError, LookupError, TypeError):
        return False


def _reason(text: bytes) -> str:
    """The provider's code for what is wrong; its message may repeat the key."""
    try:
        told: Mapping[str, Any] = orjson.loads(text)["error"]
        code = str(told.get("code") or told.get("type") or "")
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    return f", {code}" if code.replace("_", "").isalnum() else ""
