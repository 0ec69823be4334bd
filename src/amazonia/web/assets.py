"""Static files under addresses that change with their content, so that browsers keep them."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import mimetypes
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

WORTH_IT = 0.9
"""A compressed form that is not smaller than this share of the file is not worth it."""
FOREVER = "public, max-age=31536000, immutable"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


def _codings() -> dict[str, Callable[[bytes], bytes]]:
    """How files are compressed, the smallest first; brotli where it is installed."""
    found: dict[str, Callable[[bytes], bytes]] = {}
    with contextlib.suppress(ImportError):
        import brotli

        found["br"] = partial(brotli.compress, quality=11)
    found["gzip"] = partial(gzip.compress, compresslevel=9, mtime=0)
    return found


CODINGS = _codings()


class _File:
    """A file and its compressed forms, each made when it is first asked for and then kept."""

    def __init__(self, kind: str, body: bytes) -> None:
        self.kind = kind
        self._hash = hashlib.sha256(body).hexdigest()[:16]
        self._forms: dict[str, bytes | None] = {"": body}

    def etag(self, coding: str) -> str:
        """Strong: another form of the same file is another entity."""
        return f'"{self._hash}{coding and "-"}{coding}"'

    async def form(self, headers: Headers) -> tuple[str, bytes]:
        """The smallest form that a client takes, and its coding; "" for the file as it is."""
        asked = _accepted(headers.get("accept-encoding", ""))
        for coding, compress in CODINGS.items():
            if coding not in asked:
                continue
            if coding not in self._forms:  # some milliseconds, once: not on the event loop
                self._forms[coding] = await asyncio.to_thread(self._smaller, compress)
            if packed := self._forms[coding]:
                return coding, packed
        return "", self._forms[""] or b""

    def _smaller(self, compress: Callable[[bytes], bytes]) -> bytes | None:
        body = self._forms[""] or b""
        packed = compress(body)
        return packed if len(packed) < len(body) * WORTH_IT else None


class Assets:
    """The files of a folder; an ASGI app to be mounted.

    One fingerprint stands for the whole folder, so that what a module imports by a relative
    address is as fresh as the module.

    Args:
        folder: whose files are served.
        prefix: the address at which this is mounted, such as ``/static``.
        only: patterns of the names that are served, such as ``portrait-*.svg``; all if none.
        origin: of a CDN that is put before addresses.
        watch: look for changed files whenever an address is asked for (development).
    """

    def __init__(
        self,
        folder: Path,
        prefix: str,
        only: tuple[str, ...] = (),
        origin: str = "",
        *,
        watch: bool = False,
    ) -> None:
        self._folder = folder
        self._prefix = prefix
        self._only = only
        self._origin = origin.rstrip("/")
        self._watch = watch
        self._stamp: object = None
        self._files: dict[str, _File] = {}
        self.fingerprint = ""
        self._load()

    def url(self, path: str) -> str:
        """The address of a file. One that does not exist gets an address all the same."""
        if self._watch:
            self._load()
        return f"{self._origin}{self._prefix}/{self.fingerprint}/{path}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file."""
        if scope["type"] != "http":
            raise HTTPException(404)
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        path = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        if self._watch:
            self._load()
        fingerprint, _, rest = path.partition("/")
        fresh = fingerprint == self.fingerprint
        file = self._files.get(path) or self._files.get(rest)
        if file is None:
            raise HTTPException(404)
        answer = await _answer(file, Headers(scope=scope), forever=fresh)
        await answer(scope, receive, send)

    def _load(self) -> None:
        """Read the folder, if it changed since it was read."""
        found = sorted(self._list())
        stamp = [(p, p.stat().st_mtime_ns, p.stat().st_size) for p in found]
        if stamp == self._stamp:
            return
        digest = hashlib.sha256()
        files = {}
        for path in found:
            name, body = path.relative_to(self._folder).as_posix(), path.read_bytes()
            digest.update(name.encode() + b"\0" + body)
            files[name] = _file(path, body)
        self._files, self._stamp = files, stamp
        self.fingerprint = digest.hexdigest()[:12]

    def _list(self) -> Iterator[Path]:
        for path in self._folder.rglob("*"):
            known = not self._only or any(path.match(pattern) for pattern in self._only)
            if known and path.is_file() and not path.is_symlink():
                yield path


def _file(path: Path, body: bytes) -> _File:
    kind = (
        TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )
    return _File(kind, body)


def _accepted(header: str) -> set[str]:
    """The codings of an `Accept-Encoding` header that are not ruled out by ``q=0``."""
    found = set()
    for part in header.lower().split(","):
        coding, _, weight = part.partition(";")
        if weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            found.add(coding.strip())
    return found


def _matches(header: str, etag: str) -> bool:
    """Whether `If-None-Match` names a form; proxies may have made its tag a weak one."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return bool(tags & {etag, "*"})


async def _answer(file: _File, headers: Headers, *, forever: bool) -> Response:
    coding, body = await file.form(headers)
    etag = file.etag(coding)
    out = {
        "ETag": etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": FOREVER if forever else "no-cache",
        "Accept-Ranges": "none",
        # Anyone may read these files, from a page of any origin: modules and fonts ask.
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if _matches(headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=out)
    if coding:
        out["Content-Encoding"] = coding
    return Response(body, headers=out, media_type=file.kind)
