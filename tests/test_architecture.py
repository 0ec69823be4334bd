"""The shape of the code: who may import whom, and what no file may hold."""

import ast
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pytest_socket import SocketConnectBlockedError

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "amazonia"


class Arrow(NamedTuple):
    """What a room may import of ours (its own modules always), and why no more."""

    may: tuple[str, ...]
    because: str


_USE_CASES = ("play", "classroom", "domain")
_GROUND = ("errors", "log", "ports", "settings")
_USE_CASE_REASON = "a use case knows needs (ports), and services wires what meets them"
_ADAPTER_REASON = "an adapter meets one port and knows no other adapter"
_EDGE_REASON = "an edge calls use cases and takes adapters from services"

ARROWS = {
    # inside: plain values and rules
    "domain": Arrow((), "the rules are pure: the standard library and domain, no more"),
    "errors": Arrow((), "every room knows the errors, so they know no room"),
    "ports": Arrow(("domain", "errors"), "a port speaks of the domain only"),
    "settings": Arrow(("errors",), "settings are read before anything else is there"),
    "log": Arrow(("errors", "settings"), "logging is set up before anything else is there"),
    # around it
    "content": Arrow(("domain", "errors"), "content turns files into domain values"),
    "voice": Arrow(("domain", "ports", "errors"), "the voice phrases a beat and nothing else"),
    "play": Arrow(("domain", "ports", "errors", "voice.speak"), _USE_CASE_REASON),
    "classroom": Arrow(("domain", "ports", "errors", "voice.speak"), _USE_CASE_REASON),
    "store": Arrow(("domain", "ports", "errors"), _ADAPTER_REASON),
    "fabric": Arrow(("domain", "ports", "errors"), _ADAPTER_REASON),
    "devprovider": Arrow((), "what it proves about the game it proves from outside"),
    "loadtest": Arrow((), "it plays as players do, from outside"),
    "studio": Arrow(
        ("content", "domain", "errors"), "an author's preview is no part of what is served"
    ),
    "ops": Arrow(_GROUND, "operations watch what they are given"),
    # the places that wire them
    "groundwork": Arrow(
        (*_GROUND, "content", "domain", "store.migrate", "voice.guard"),
        "it is done before anything serves",
    ),
    "services": Arrow(
        (*_USE_CASES, *_GROUND, "groundwork", "content", "voice", "store", "fabric", "ops"),
        "the composition root knows everything but the edges that open it",
    ),
    # the edges
    "web": Arrow((*_USE_CASES, *_GROUND, "groundwork", "services", "ops", "jobs"), _EDGE_REASON),
    "jobs": Arrow((*_USE_CASES, *_GROUND, "groundwork", "services", "ops"), _EDGE_REASON),
    "serve": Arrow(
        (*_GROUND, "groundwork", "services", "web", "ops"), "it only starts the web's processes"
    ),
    "cli": Arrow(
        (
            *(*_USE_CASES, *_GROUND, "services", "ops", "jobs", "content"),
            *("serve", "devprovider", "loadtest", "studio", "voice.providers"),
        ),
        _EDGE_REASON,
    ),
    "__main__": Arrow(("cli",), "it only starts the command line"),
    "__init__": Arrow((), "importing the package imports nothing"),
}


def violations(package: Path) -> Iterator[str]:
    """Yield a line for each import under `package` that ARROWS does not allow."""
    for file in sorted(package.rglob("*.py")):
        module = file.relative_to(package).with_suffix("").parts
        room = module[0]
        shown = f"{package.parent.name}/{file.relative_to(package.parent)}"
        for line, target in _imports(file, ("amazonia", *module)):
            if reason := _fault(room, target):
                yield f"{shown}:{line} imports {target}: not allowed because {reason}"


def _imports(file: Path, module: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield every import of a file, wherever it stands, as its line and its full dotted name."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `module` ends in the file's own name, also for __init__: one level is its package.
            start = list(module[: -node.level]) if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, base if alias.name == "*" else f"{base}.{alias.name}"


def _fault(room: str, target: str) -> str | None:
    """Say why a module of `room` may not import `target`, or None if it may."""
    top, _, rest = target.partition(".")
    if top != "amazonia":
        if room == "domain" and top not in sys.stdlib_module_names:
            return ARROWS["domain"].because
        return None
    if rest in {"", "__version__"} or _within(rest, room):
        return None
    if room not in ARROWS:
        return f"{room} has no arrow yet: give it one in tests/test_architecture.py"
    may, because = ARROWS[room]
    if any(_within(rest, allowed) for allowed in may):
        return None
    return f"{room} may import {', '.join(may) or 'nothing of ours'}: {because}"


def _within(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")


def test_imports_obey_the_arrows() -> None:
    """Every import in the package follows an arrow of the architecture."""
    found = list(violations(SOURCE))
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("domain/director.py", "import rapidfuzz"),
        ("domain/director.py", "from amazonia.errors import TurnLost"),
        ("domain/director.py", "def late():\n    import yaml"),
        ("content/load.py", "from amazonia.play import turns"),
        ("voice/speak.py", "from ..store import tables"),
        ("play/turns.py", "from amazonia.voice.guard import Guard"),
        ("play/turns.py", "from amazonia.voice import guard"),
        ("play/turns.py", "from amazonia.voice import *"),
        ("play/turns.py", "from amazonia.classroom import live"),
        ("classroom/live.py", "from amazonia import play"),
        ("store/sessions.py", "import amazonia.fabric.memory"),
        ("web/api/chat.py", "from ...store.sessions import Sessions"),
        ("jobs/tasks.py", "import amazonia.fabric"),
        ("cli/authors.py", "from amazonia.store import migrations"),
        ("services.py", "from amazonia.web.app import create_app"),
        ("attic/old.py", "from amazonia.domain import case"),
    ],
)
def test_a_forbidden_import_is_named(tmp_path: Path, file: str, code: str) -> None:
    """An import against an arrow is reported with its file, its line and the reason."""
    (line,) = violations(_package(tmp_path, file, code))
    at = 1 + code.count("\n")
    assert line.startswith(f"src/amazonia/{file}:{at} imports ")
    assert ": not allowed because " in line


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("domain/director.py", "import re\nfrom amazonia.domain.case import Case"),
        ("domain/__init__.py", "from .case import Case"),
        ("content/load.py", "import yaml\nfrom ..domain import case\nfrom .. import errors"),
        ("play/turns.py", "from amazonia.voice.speak import speak\nfrom . import sessions"),
        ("classroom/live.py", "from amazonia.voice import speak"),
        ("web/app.py", "from amazonia import __version__, log\nimport amazonia.services"),
        ("services.py", "from amazonia.store import sessions\nfrom amazonia.fabric import memory"),
        ("attic/new.py", "import json"),
    ],
)
def test_an_allowed_import_is_not(tmp_path: Path, file: str, code: str) -> None:
    """An import along an arrow passes, absolute or relative."""
    assert list(violations(_package(tmp_path, file, code))) == []


def _package(folder: Path, file: str, code: str) -> Path:
    package = folder / "src" / "amazonia"
    path = package / file
    path.parent.mkdir(parents=True)
    path.write_text(code, encoding="utf-8")
    return package


# Written in pieces, so that this file does not hold them either.
HOSTS = re.compile(
    "|".join(
        re.escape(".".join(name))
        for name in [
            ("pypi", "org"),
            ("python" + "hosted", "org"),
            ("npm" + "js", "org"),
            ("npm" + "js", "com"),
            ("yarnpkg", "com"),
            ("debian", "org"),
            ("anaconda", "org"),
        ]
    )
)


def test_no_file_holds_a_registry_host() -> None:
    """Where packages come from is the machine's business: no file of the project names a host."""
    found = []
    for path in _project_files():
        text = path.read_text(encoding="utf-8", errors="ignore")
        if match := HOSTS.search(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(ROOT)}:{line} holds {match[0]}")
    assert not found, "\n" + "\n".join(found)


LOCKS = ("requirements.lock", "requirements-scale.lock", "requirements-dev.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_holds_no_address(name: str) -> None:
    """A lock file is names, versions and hashes: no address, no option naming an index."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--(?!hash=)\S+)", text, re.MULTILINE)


def test_the_locks_agree() -> None:
    """What the tests run with is what players run with, version for version."""
    pins = re.compile(r"^(\S+==\S+)", re.MULTILINE)
    runtime, scale, dev = (
        set(pins.findall((ROOT / name).read_text(encoding="utf-8"))) for name in LOCKS
    )
    assert runtime
    assert runtime <= scale <= dev


def _project_files() -> Iterator[Path]:
    """Yield what git tracks or would; without git, every file outside hidden folders."""
    if not (ROOT / ".git").exists():
        for folder, below, names in os.walk(ROOT):
            below[:] = [name for name in below if not name.startswith((".", "node_modules"))]
            yield from (Path(folder, name) for name in names)
        return
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            yield ROOT / name


def test_a_test_cannot_reach_out() -> None:
    """A connection to another machine fails at once (192.0.2.1 is reserved for examples)."""
    with socket.socket() as outside, pytest.raises(SocketConnectBlockedError):
        outside.connect(("192.0.2.1", 80))


def test_a_test_can_reach_this_machine() -> None:
    """Loopback stays open: tests talk to real servers."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
