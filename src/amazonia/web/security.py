"""The guard at the door: body size and type, where a change comes from, headers, the cookie."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

import structlog
from itsdangerous import BadSignature, TimestampSigner
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amazonia.errors import NoSession
from amazonia.ports import Team
from amazonia.ports.classes import Classroom
from amazonia.services import Services
from amazonia.web.problems import language, problem

COOKIE = "amazonia"
MAX_AGE = 30 * 24 * 3600
CLASS_COOKIE = "amazonia_class"
CLASS_MAX_AGE = 90 * 24 * 3600
MAX_BODY = 64 * 1024
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?")
STAY_WITH_TLS = "max-age=31536000"
"""A year. Subdomains are somebody else's to decide about."""

HEADERS = {
    "Cache-Control": "no-store",  # but for files, which say otherwise
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class _Badges:
    """Signs and reads what a teacher's browser holds of a class."""

    def __init__(self, signer: TimestampSigner) -> None:
        self._signer = signer

    def write(self, badge: str) -> str:
        return self._signer.sign(badge).decode()

    def read(self, value: str) -> str | None:
        try:
            return self._signer.unsign(value, max_age=CLASS_MAX_AGE).decode()
        except (BadSignature, UnicodeDecodeError):
            return None


def _badge(room: Classroom) -> str:
    """Which class, and which of its links: nothing that leads back to the link."""
    return f"{room.id}.{room.key[:16]}"


class Cookies:
    """Signs and reads the session cookie, which holds a device's id."""

    def __init__(self, secret: str, older: Sequence[str] = ()) -> None:
        """Args:
        secret: signs.
        older: keys that are no longer signed with, newest first; what they signed stays good.
        """
        keys = [*reversed(older), secret]
        self._signer = TimestampSigner(keys, salt="amazonia.session")
        self._badges = _Badges(TimestampSigner(keys, salt="amazonia.class"))

    def read(self, value: str | None) -> str | None:
        """The device of a cookie, if it is ours and not too old."""
        if not value:
            return None
        try:
            return self._signer.unsign(value, max_age=MAX_AGE).decode()
        except (BadSignature, UnicodeDecodeError):
            return None

    def set(self, response: Response, device: str, *, secure: bool) -> None:
        """Sign a browser in."""
        response.set_cookie(
            COOKIE,
            self._signer.sign(device).decode(),
            max_age=MAX_AGE,
            httponly=True,
            samesite="lax",
            secure=secure,
        )

    def reads_class(self, request: Request, room: Classroom) -> bool:
        """Whether a browser holds the badge of this class's teacher, by its newest link."""
        held = self._badges.read(request.cookies.get(f"{CLASS_COOKIE}_{room.code}", ""))
        return held is not None and hmac.compare_digest(held.encode(), _badge(room).encode())

    def codes_of(self, request: Request) -> list[str]:
        """The codes of the classes whose teacher this browser is, as far as it can show."""
        prefix = f"{CLASS_COOKIE}_"
        held = {
            n.removeprefix(prefix): v for n, v in request.cookies.items() if n.startswith(prefix)
        }
        return sorted(code for code, value in held.items() if self._badges.read(value))

    def set_class(self, response: Response, room: Classroom, *, secure: bool) -> None:
        """Let a browser act as the teacher of one class; a new link of it takes that back."""
        response.set_cookie(
            f"{CLASS_COOKIE}_{room.code}",
            self._badges.write(_badge(room)),
            max_age=CLASS_MAX_AGE,
            httponly=True,
            samesite="lax",
            secure=secure,
        )

    def forget(self, response: Response, *, secure: bool) -> None:
        """Sign a browser out."""
        response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=secure)


async def signed_in(request: Request) -> Team:
    """The team that asks.

    Raises:
        NoSession: the browser is not signed in (any more).
    """
    services: Services = request.app.state.services
    team = await services.sessions.team(device_of(request))
    request.state.lang = team.lang
    structlog.contextvars.bind_contextvars(team=team.id)
    return team


def device_of(request: Request) -> str:
    """The device of the request's cookie.

    Raises:
        NoSession: there is none, or it is not ours.
    """
    cookies: Cookies = request.app.state.cookies
    device = cookies.read(request.cookies.get(COOKIE))
    if device is None:
        raise NoSession("no valid cookie")
    return device


class Guard:
    """Middleware in front of everything.

    Args:
        asset_origin: where static files come from beside here, for the content policy.
        hosts: names under which the game may be called; none for any.
    """

    def __init__(self, app: ASGIApp, asset_origin: str = "", hosts: Sequence[str] = ()) -> None:
        self._app = app
        self._policy = _policy(asset_origin)
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what must not pass; hand on the rest."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(12)
        scope.setdefault("state", {})["nonce"] = nonce

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", self._policy.replace("NONCE", nonce))
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", STAY_WITH_TLS)
                if "location" in headers:
                    headers["Location"] = _here(headers["location"])
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        headers = Headers(scope=scope)
        if not self._is_ours(scope["path"], headers.get("host", "")):
            await problem("bad-host", 400, language(headers))(scope, receive, send_guarded)
            return
        if scope["method"] in SAFE:
            await self._app(scope, receive, send_guarded)
            return
        refused = _refuse(scope["path"], scope["scheme"], headers)
        if refused is None and "content-length" not in headers:
            body = await _read(receive)
            if body is None:
                refused = _too_large(headers)
            else:
                receive = _replay(body, receive)
        if refused is not None:
            await refused(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)

    def _is_ours(self, path: str, host: str) -> bool:
        """Whether the game may be called by that name. Links and codes are made of it.

        Whoever asks how the process is may call it as they like: load balancers use addresses.
        """
        name = HOST.fullmatch(host)
        if path.startswith("/health"):
            return True
        return name is not None and (not self._hosts or name["name"].lower() in self._hosts)


def _policy(asset_origin: str) -> str:
    origin = ""
    if asset_origin:
        parts = urlsplit(asset_origin)
        origin = f" {parts.scheme}://{parts.netloc}"
    return (
        f"default-src 'none'; img-src 'self' data:{origin}; "
        f"style-src 'self' 'nonce-NONCE'{origin}; script-src 'self' 'nonce-NONCE'{origin}; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


def _here(location: str) -> str:
    """Where a redirect leads, on this very site whatever name it was called by."""
    parts = urlsplit(location)
    return urlunsplit(("", "", f"/{parts.path.lstrip('/')}", parts.query, parts.fragment))


def _refuse(path: str, scheme: str, headers: Headers) -> Response | None:
    """Why a change must not pass, if it must not."""
    lang = language(headers)
    if not _same_site(scheme, headers):
        return problem("cross-site", 403, lang)
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        return _too_large(headers)
    has_body = length != "0" or "transfer-encoding" in headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if path.startswith("/api/") and has_body and kind != "application/json":
        return problem("not-json", 415, lang)
    return None


def _same_site(scheme: str, headers: Headers) -> bool:
    """Whether what the browser says of a change's origin fits. Neither header: no browser.

    A proxy may do TLS and not say so, but nobody who came by TLS comes from a page without it.
    """
    site = headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    parts = urlsplit(origin)
    is_as_safe = parts.scheme == "https" or scheme == "http"
    return is_as_safe and parts.netloc == headers.get("host", "")


def _too_large(headers: Headers) -> Response:
    return problem("too-large", 413, language(headers), headers={"Connection": "close"})


async def _read(receive: Receive) -> bytes | None:
    """A body of unknown length, or None when it is over the limit."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body"):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
