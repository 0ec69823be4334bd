"""The programs of others that a cluster needs: PostgreSQL, Redis and nginx, from packages."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from amazonia.loadtest.parts import Part, answers_http, answers_line

SBIN = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
PING = b"*1\r\n$4\r\nPING\r\n"
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""What every PostgreSQL answers with a letter, before it asks who is there."""


class NotInstalled(RuntimeError):
    """A program is missing; the message says how to get it."""


def redis(folder: Path, port: int) -> Part:
    """A Redis that keeps nothing on disk.

    Raises:
        NotInstalled: there is none on this machine.
    """
    command = [_program("redis-server"), "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    ready = answers_line(port, PING, b"+PONG")
    return Part("redis", command, port, ready, folder / "redis.log")


def postgres(folder: Path, port: int, log: Path, settings: Sequence[str] = ()) -> Part:
    """A PostgreSQL with a folder of its own and the database `postgres`; it is made here.

    Args:
        folder: an empty one that any user may reach, for it does not run as root.

    Raises:
        NotInstalled: there is none on this machine.
    """
    binaries, data = _postgres_binaries(), folder / "data"
    data.mkdir()
    wrapped: list[str] = []
    if os.geteuid() == 0:
        wrapped = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        shutil.chown(data, "postgres", "postgres")
        folder.chmod(0o711)
    make = [*wrapped, str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres"]
    subprocess.run([*make, "-N", "-E", "UTF8"], check=True, stdout=subprocess.DEVNULL, cwd="/")
    options = ["listen_addresses=127.0.0.1", f"unix_socket_directories={data}", *settings]
    command = [*wrapped, str(binaries / "postgres"), "-D", str(data), "-p", str(port)]
    command += [word for option in options for word in ("-c", option)]
    ready = answers_line(port, SSL_REQUEST, b"N")
    return Part("postgres", command, port, ready, log)


def _postgres_binaries() -> Path:
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda at: float(at.parents[1].name)
    )
    if found:
        return found[-1].parent
    return Path(_program("initdb", "postgresql")).parent


def nginx(folder: Path, conf: Path, port: int, games: Sequence[int]) -> Part:
    """nginx with the project's configuration, before several games.

    Args:
        conf: deploy/nginx.conf.

    Raises:
        NotInstalled: there is none on this machine.
    """
    place = folder / "nginx"
    place.mkdir()
    made = place / "nginx.conf"
    made.write_text(balanced(conf.read_text(encoding="utf-8"), place, port, games))
    log = str(place / "error.log")
    command = [_program("nginx"), "-c", str(made), "-p", str(place), "-e", log]
    ready = answers_http(f"http://127.0.0.1:{port}/health/live")
    return Part("nginx", [*command, "-g", "daemon off;"], port, ready, folder / "nginx.log")


def balanced(text: str, place: Path, port: int, games: Sequence[int]) -> str:
    """The project's nginx.conf on loopback and in a folder, before several games.

    A browser comes to the same game as long as that answers: what one has asked another need not be
    told. A game that does not answer is left alone for a second. What it would have answered is
    asked of another: every reading, and a question to a character, which is one turn however often
    it comes. Other changes are sent again only where they were not received.

    Raises:
        ValueError: the configuration is no longer what this expects.
    """
    servers = "\n".join(
        f"        server 127.0.0.1:{game} max_fails=1 fail_timeout=1s;" for game in games
    )
    upstream = f"""    map $cookie_amazonia $who {{
        "" $request_id;
        default $cookie_amazonia;
    }}

    upstream games {{
        hash $who consistent;
{servers}
        keepalive 64;
    }}

    server {{
        proxy_next_upstream error timeout http_503;
        proxy_next_upstream_tries 2;
        proxy_next_upstream_timeout 2s;

        location = /api/chat {{
            proxy_next_upstream error timeout http_503 non_idempotent;
            proxy_buffering off;
            error_page 502 504 = @turn_later;
            proxy_pass http://games;
        }}
"""
    return _replaced(
        text,
        {
            "    server {\n": upstream,
            "        listen 80;": f"        listen 127.0.0.1:{port};",
            "        set $game http://web:8000;\n": "",
            "proxy_pass $game;": "proxy_pass http://games;",
            "    include /etc/nginx/mime.types;\n": "",
            "    resolver 127.0.0.11 valid=2s; # Docker's: a new container of the game has a new"
            " address\n": "",
            "proxy_connect_timeout 5s;": "proxy_connect_timeout 1s;",
            "/tmp/": f"{place}/",  # noqa: S108 - what is replaced
            "/run/nginx.pid": f"{place}/pid",
            "/dev/stderr": f"{place}/error.log",
        },
    )


def _replaced(text: str, changes: Mapping[str, str]) -> str:
    for ours, here in changes.items():
        if ours not in text:
            raise ValueError(f"deploy/nginx.conf does not hold {ours!r} any more")
        text = text.replace(ours, here)
    return text


def _program(name: str, package: str = "") -> str:
    found = shutil.which(name, path=SBIN)
    if found is None:
        service = package or name
        raise NotInstalled(f"{name} is not installed: scripts/ensure-services {service}")
    return found
