"""What a scanner looks for, on every page and call of the application's own table."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.web.routes import HTML, ORIGIN, World, used

ELSEWHERE = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://game.test"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": ORIGIN},
)
"""What browsers say of a change that another site asks for; plain HTTP is another site as well."""
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}
POLICY = ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'")
OURS_TO_KEEP = {"amazonia", "amazonia_class_CODE", "amazonia_lang", "amazonia_admin"}
METHODS = ("TRACE", "TRACK", "CONNECT", "PUT", "DELETE", "PATCH", "PROPFIND", "GETT")
INSIDE = re.compile(r"Traceback|File \"|/site-packages/|\.py\b|sqlalchemy|/work/|/tmp/|SELECT ")
"""What only we should read."""


@pytest.fixture
async def world(app: FastAPI) -> AsyncIterator[World]:
    async with used(app) as world:
        yield world


async def answers(world: World) -> AsyncIterator[tuple[str, httpx.Response]]:
    """Everything looked at by somebody who may see all; every change tried by a stranger."""
    for call in world.calls:
        who = world.stranger if call.is_change else world.insider
        yield str(call), await world.ask(who, call)


# ── changes ─────────────────────────────────────────────────────────────────────────────────────


async def test_no_change_is_taken_from_elsewhere(world: World) -> None:
    """By whoever may do it: refused for where it comes from, before anybody looks at it."""
    changes = [call for call in world.calls if call.is_change]
    assert len(changes) > 25
    passed = []
    for call in changes:
        for headers in ELSEWHERE:
            answer = await world.ask(world.insider, call, **headers)
            is_refused = answer.status_code == 403 and "/problems/cross-site" in answer.text
            passed += [] if is_refused else [f"{call} {headers} {answer.status_code}"]
    assert passed == []


async def test_looking_changes_nothing(world: World) -> None:
    """No page and no call by GET moves a team or a class, so none needs to be guarded."""
    services = world.app.state.services
    state = (await world.insider.get("/api/state")).json()

    async def versions() -> object:
        code = next(call.path for call in world.calls if call.template == "/class/{code}")[-6:]
        room = await services.registry.classes.by_code(code)
        return room, (await services.game.teams.get(state["team"]["id"])).version

    before = await versions()
    for call in world.calls:
        if not call.is_change:
            await world.ask(world.insider, call)
    assert await versions() == before


async def test_a_change_needs_somebody(world: World) -> None:
    """A stranger can open a class, begin a game or try a code; all else is refused."""
    open_to_all = {
        "POST /api/session",
        "POST /api/classes",
        "POST /admin/sign-out",  # forgets the cookie of whoever asks
    }
    taken = set()
    for call in world.calls:
        if call.is_change and (await world.ask(world.stranger, call)).status_code < 400:
            taken.add(str(call))
        world.stranger.cookies.clear()
    assert taken == open_to_all


# ── headers and cookies ─────────────────────────────────────────────────────────────────────────


async def test_every_answer_is_guarded_and_kept_by_nobody(world: World) -> None:
    """No sniffing, no framing, nothing loaded unless named, no copy in any cache."""
    faults, nonces = [], set()
    async for name, answer in answers(world):
        told = answer.headers
        faults += [f"{name} {k}: {told.get(k)}" for k, v in ALWAYS.items() if told.get(k) != v]
        policy = told["content-security-policy"]
        faults += [f"{name} lacks {part}" for part in POLICY if part not in policy]
        faults += [f"{name} {policy}" for bad in ("unsafe", "*", "http:") if bad in policy]
        nonces.add(re.search(r"nonce-([\w-]+)", policy)[1])  # type: ignore[index]
        is_kept = told["cache-control"] not in {"no-store", "private, no-cache"}
        faults += [f"{name} {told['cache-control']}"] if is_kept else []
        faults += [f"{name} may be read elsewhere"] if "access-control-allow-origin" in told else []
        faults += [f"{name} tells {k}" for k in ("server", "x-powered-by") if k in told]
    assert faults == []
    assert len(nonces) == len(world.calls)


@pytest.mark.parametrize("origin", [ORIGIN, "http://game.test"])
async def test_every_cookie_is_hidden_from_scripts_and_other_sites(
    app: FastAPI, origin: str
) -> None:
    """HttpOnly, SameSite, for this host alone; over TLS never without it."""
    found: dict[str, SimpleCookie] = {}
    async with used(app) as world:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=origin) as client:
            for answer in (
                await client.post("/api/session", json={}),
                await client.post("/api/classes", json={}),
                await client.get("/?lang=en"),
                await client.post("/admin/sign-in", data={"token": "a-token-for-tests"}),
                await client.post("/api/session/leave"),
                *[a async for _, a in answers(world)],
            ):
                for header in answer.headers.get_list("set-cookie"):
                    name = re.sub(r"_[B-Z]{6}$", "_CODE", header.partition("=")[0])
                    found.setdefault(name, SimpleCookie()).load(header)
                    lower = header.lower()
                    assert "; httponly" in lower, header
                    assert "; samesite=lax" in lower or "; samesite=strict" in lower, header
                    assert "domain=" not in lower, header
                    is_by_tls = answer.url.scheme == "https"
                    assert ("; secure" in lower) is is_by_tls, header
    assert set(found) == OURS_TO_KEEP


# ── methods, hosts, redirects ───────────────────────────────────────────────────────────────────


async def test_other_methods_are_refused(world: World) -> None:
    """With 405 and the methods that there are; nothing is echoed, nothing breaks."""
    faults = []
    for path in {call.path for call in world.calls} | {"/static/css/base.css", "/nothing"}:
        for method in METHODS:
            answer = await world.insider.request(method, path, headers={"X-Echo": "echoed"})
            if answer.status_code not in {404, 405} or "echoed" in answer.text:
                faults.append(f"{method} {path} {answer.status_code}")
    assert faults == []


async def test_no_redirect_leads_elsewhere(world: World) -> None:
    """Whatever a link asks for and whatever the host is called: redirects stay on this site."""
    tempting = "next=https://evil.example&url=//evil.example&return_to=/%5Cevil.example&lang=en"
    faults = []
    looked = {call.path for call in world.calls if not call.is_change}
    slashed = {f"{path}/" for path in looked} | {"//evil.example/", "/\\evil.example/"}
    for path in looked | slashed:
        for client in (world.insider, world.stranger):
            answer = await client.get(
                f"{ORIGIN}{path}?{tempting}", headers={**HTML, "Host": "evil.example"}
            )
            where = answer.headers.get("location", "/")
            if not re.match(r"/(?![/\\])", where) or "evil" in urlsplit(where).path:
                faults.append(f"{path} → {where}")
    assert faults == []


async def test_a_stranger_s_host_is_in_no_page(world: World) -> None:
    """Where no names are set, pages hold no address that was made of the request's."""
    telling = {"/class/{code}/wall", "/class/{code}", "/code"}  # links to be read out, by design
    faults = []
    for call in world.calls:
        if call.is_page and call.template not in telling:
            answer = await world.ask(
                world.insider, call, Host="evil.example", **{"X-Forwarded-Host": "evil.example"}
            )
            faults += [str(call)] if "evil.example" in answer.text else []
    assert faults == []


async def test_no_preflight_lets_another_site_in(world: World) -> None:
    """A browser that asks beforehand is told of no other site, method or header."""
    asks = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    faults = []
    for path in {call.path for call in world.calls}:
        answer = await world.insider.request("OPTIONS", path, headers=asks)
        told = [name for name in answer.headers if name.startswith("access-control-")]
        faults += [f"{path} {answer.status_code} {told}"] if answer.is_success or told else []
    assert faults == []


async def test_every_answer_says_what_it_is(world: World) -> None:
    """With its type and UTF-8; what programs call never answers with a page."""
    faults = []
    async for name, answer in answers(world):
        kind = answer.headers.get("content-type", "")
        faults += [f"{name} has no type"] if answer.content and not kind else []
        is_text = kind.startswith("text/")
        faults += [f"{name} {kind}"] if is_text and "charset=utf-8" not in kind else []
        faults += [f"{name} {kind}"] if " /api/" in name and "html" in kind else []
    assert faults == []


async def test_a_body_of_another_type_changes_nothing(world: World) -> None:
    """JSON that says it is a text or a form, which another site could send unasked, is refused."""
    asked = b'{"entity_id": "cida", "message": "o que aconteceu com o bolo?", "label": "x"}'
    before = (await world.insider.get("/api/history/cida")).json()
    taken = []
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        for path in ("/api/chat", "/api/publish", "/api/confront"):
            answer = await world.insider.post(path, content=asked, headers={"Content-Type": kind})
            taken += [f"{kind} {path} {answer.status_code}"] if answer.status_code < 400 else []
    assert taken == []
    assert (await world.insider.get("/api/history/cida")).json() == before


# ── pages ───────────────────────────────────────────────────────────────────────────────────────


class _Reader(HTMLParser):
    """Finds what a strict policy would have to forbid.

    Attributes:
        faults: code in attributes or without its nonce, and what is loaded without TLS.
    """

    def __init__(self, nonce: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.forms = 0
        self._nonce = nonce

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.faults += [f"{tag} {n}" for n in given if n.startswith("on") or n == "style"]
        self.faults += [f"{tag} {v}" for v in given.values() if v.lower().startswith("javascript:")]
        is_data = given.get("type") == "application/json"
        if tag in {"script", "style"} and not is_data and given.get("nonce") != self._nonce:
            self.faults += [] if given.get("src", "").startswith("/static/") else [f"{tag} inline"]
        loads = [given.get(n, "") for n in ("src", "srcset", "action", "data", "poster")]
        loads += [given.get("href", "")] if tag in {"link", "use", "image"} else []
        self.faults += [f"{tag} {v}" for v in loads if re.match(r"\s*(http:|//)", v)]
        opens = tag == "a" and given.get("target") == "_blank"
        self.faults += [f"{given['href']} opener"] if opens and "rel" not in given else []


async def test_pages_hold_no_code_and_load_nothing_without_tls(world: World) -> None:
    """Neither attributes with code or style nor a script without its nonce; no plain address."""
    faults, read = [], 0
    for call in world.calls:
        if not call.is_page:
            continue
        answer = await world.ask(world.insider, call)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        policy = answer.headers["content-security-policy"]
        reader = _Reader(re.search(r"nonce-([\w-]+)", policy)[1])  # type: ignore[index]
        reader.feed(answer.text)
        faults += [f"{call}: {fault}" for fault in reader.faults]
        read += 1
    assert faults == []
    assert read > 20


# ── what is not told ────────────────────────────────────────────────────────────────────────────


def _provoked(world: World) -> Iterator[tuple[str, dict[str, str]]]:
    """Addresses that do not exist, or whose values make no sense."""
    odd = ("%00", "%ff", "..%2f", "'\"><script>", "${7*7}", "{{7*7}}", "9" * 300, "%0d%0aX:1")
    for template in {call.template for call in world.calls if "{" in call.template}:
        for value in odd:
            for headers in ({}, HTML):
                yield re.sub(r"\{\w+\}", value, template), headers
    for value in odd:
        yield f"/{value}", HTML
        yield f"/api/turns/x?last={value}", {}
        yield f"/?lang={value}", HTML


async def test_odd_addresses_tell_nothing(world: World) -> None:
    """They are refused in our words: no fault, no trace, nothing that was sent comes back."""
    faults = []
    for path, headers in _provoked(world):
        answer = await world.insider.get(path, headers=headers)
        said = INSIDE.search(answer.text)
        is_echoed = "><script>" in answer.text or "x" in answer.headers
        if answer.status_code >= 500 or said or is_echoed:
            faults.append(f"{path} {answer.status_code} {said and said[0]}")
    assert faults == []


@pytest.mark.parametrize(("path", "headers"), [("/api/breaks", {}), ("/breaks", HTML)])
async def test_a_fault_of_ours_tells_nothing(
    world: World, path: str, headers: dict[str, str]
) -> None:
    """An unforeseen error is 500 and a sentence; what went wrong stands in the log alone."""

    async def breaks(_: Request) -> Response:
        raise ValueError("hunter2 at /srv/secret.py")

    world.app.router.routes.insert(0, Route(path, breaks))
    answer = await world.insider.get(path, headers=headers)
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert not INSIDE.search(answer.text)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"


# ── files ───────────────────────────────────────────────────────────────────────────────────────

CLIMBS = (
    "../app.py",
    "../../web/app.py",
    "..%2fapp.py",
    "%2e%2e/app.py",
    "..%5capp.py",
    "....//app.py",
    "%252e%252e/app.py",
    "..;/app.py",
    "/etc/passwd",
    "//etc/passwd",
    "css/../../app.py",
    "css/%2e%2e/%2e%2e/app.py",
    "%00",
    "css%00.css",
    "..\\..\\app.py",
    "",
    ".",
    "css",
    "css/",
    "js/",
    ".git/config",
    "case.yaml",
    "../case.yaml",
    "map.svg",
)


@pytest.mark.parametrize("root", ["/static/", "/art/mini/", "/art/", "/static/FINGERPRINT/"])
async def test_no_way_leads_out_of_the_files(world: World, root: str) -> None:
    """Neither upwards nor into a listing: only the files' own names lead to files."""
    root = root.replace("FINGERPRINT", world.app.state.assets.fingerprint)
    for way in CLIMBS:
        raw = f"{root}{way}"
        answer = await _raw(world.app, raw)
        assert answer.status_code in {307, 400, 404}, raw
        assert "import" not in answer.text
        assert "root:" not in answer.text
        assert "<li" not in answer.text


async def _raw(app: FastAPI, target: str) -> httpx.Response:
    """Ask for a target as it stands: nobody tidies it up on the way."""
    url = httpx.URL(ORIGIN).copy_with(raw_path=target.encode())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        return await client.get(url)
