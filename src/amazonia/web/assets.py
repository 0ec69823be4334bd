"""Static files under addresses that change with their content, so that browsers keep them."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

FOREVER = "public, max-age=31536000, immutable"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    etag: str
    body: bytes
    packed: bytes | None


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
        await _answer(file, Headers(scope=scope), forever=fresh)(scope, receive, send)

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
    packed = gzip.compress(body, 9, mtime=0)
    return _File(
        kind=kind,
        etag=f'"{hashlib.sha256(body).hexdigest()[:16]}"',
        body=body,
        packed=packed if len(packed) < len(body) * 0.9 else None,
    )


def _answer(file: _File, headers: Headers, *, forever: bool) -> Response:
    out = {
        "ETag": file.etag,
        "Vary": "Accept-Encoding",
        "Cache-Control": FOREVER if forever else "no-cache",
    }
    if file.etag in headers.get("if-none-match", ""):
        return Response(status_code=304, headers=out)
    body = file.body
    if file.packed is not None and "gzip" in headers.get("accept-encoding", ""):
        body = file.packed
        out["Content-Encoding"] = "gzip"
    return Response(body, headers=out, media_type=file.kind)
