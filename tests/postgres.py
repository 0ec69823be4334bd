"""PostgreSQL for tests: the server that runs on this machine, or one of their own.

A test that only needs a database gets a new one (`new_database`). A test that stops, freezes or
restarts the server starts a cluster of its own (`Cluster`), in a temporary folder on a free port.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from tests.server import free_port

from amazonia.store.migrate import migrate_postgres

RUNNING = "postgresql://postgres@127.0.0.1:5432/postgres"
PATIENCE = 30.0
MISSING = "PostgreSQL is not installed: scripts/ensure-services postgresql (apt install postgresql)"


def binaries() -> Path:
    """The folder of the server's programs, the newest version's."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    on_path = shutil.which("initdb")
    assert found or on_path, MISSING
    return (found[-1] if found else Path(str(on_path))).parent


def _version(initdb: Path) -> float:
    return float(initdb.parents[1].name)


def sql(url: str, *statements: str) -> str:
    """Run statements, each by itself, and return what they print."""
    client = shutil.which("psql") or str(binaries() / "psql")
    commands = [part for statement in statements for part in ("-c", statement)]
    done = subprocess.run(
        [client, "-XAtqd", url, *commands], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Cluster:
    """A server with a folder and a port of its own; it does not run as root."""

    def __init__(self, *settings: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="amz-pg-"))
        self.port = free_port()
        self._as_postgres: list[str] = []
        if os.geteuid() == 0:
            self._as_postgres = ["runuser", "-u", "postgres", "--"]
            shutil.chown(self._folder, "postgres")
        self._data = self._folder / "data"
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "postgres", "-N")
        wanted = ["listen_addresses='127.0.0.1'", f"port={self.port}", *settings]
        wanted.append(f"unix_socket_directories='{self._folder}'")
        with (self._data / "postgresql.conf").open("a") as file:
            file.write("\n".join(wanted) + "\n")
        self.start()

    def url(self, name: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-l", log, "-w", "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it: `fast` hangs up on everybody, `immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self._data), "-m", how, "-w", "stop")

    def freeze(self) -> list[int]:
        """Stop all its processes where they are; who they were."""
        children = [self.pid]
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if int(stat.read_text().rpartition(")")[2].split()[1]) == self.pid:
                    children.append(int(stat.parent.name))
        for pid in children:
            os.kill(pid, signal.SIGSTOP)
        return children

    @staticmethod
    def thaw(frozen: list[int]) -> None:
        """Let frozen processes go on."""
        for pid in frozen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    @property
    def pid(self) -> int:
        """The first process's."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def remove(self) -> None:
        """Stop it for good."""
        with suppress(AssertionError, FileNotFoundError):
            self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_postgres, str(binaries() / program), *arguments]
        done = subprocess.run(  # pg_ctl hands its pipes on to the server: none is read here
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{program} failed"


@contextmanager
def cluster(*settings: str) -> Iterator[Cluster]:
    """A server of one's own until the block ends."""
    server = Cluster(*settings)
    try:
        yield server
    finally:
        server.remove()


@contextmanager
def pooler(target: str) -> Iterator[str]:
    """The address of a PgBouncer before a server, which gives each transaction any connection."""
    program = shutil.which("pgbouncer")
    assert program, "PgBouncer is not installed: scripts/ensure-services pgbouncer"
    there, port = urlsplit(target), free_port()
    with tempfile.TemporaryDirectory(prefix="amz-pooler-") as folder:
        settings = Path(folder) / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={there.hostname} port={there.port} user=postgres\n"
            f"[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\nauth_type=any\n"
            f"pool_mode=transaction\ndefault_pool_size=4\nunix_socket_dir=\n"
        )
        Path(folder).chmod(0o755)
        who = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        process = subprocess.Popen(
            [*who, program, "-q", str(settings)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        url = f"postgresql://postgres@127.0.0.1:{port}"
        try:
            wait_until_it_answers(f"{url}{there.path}")
            yield url
        finally:
            process.terminate()
            process.wait(PATIENCE)


@cache
def server() -> str:
    """The address of a server: the one that runs, or one that lives as long as the tests."""
    with suppress(AssertionError):
        sql(RUNNING, "SELECT 1")
        return RUNNING
    own = Cluster("fsync=off")
    atexit.register(own.remove)
    return own.url()


@cache
def _template() -> str:
    """The name of a database with all tables and nothing in them."""
    name = f"amz_template_{os.getpid()}"
    sql(server(), f"CREATE DATABASE {name}")
    atexit.register(_drop, name)
    migrate_postgres(_of(name))
    return name


@contextmanager
def new_database(*, empty: bool = False) -> Iterator[str]:
    """The address of a new database until the block ends.

    Args:
        empty: without the tables.
    """
    name = f"amz_test_{os.getpid()}_{secrets.token_hex(4)}"
    template = "template0" if empty else _template()
    sql(server(), f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield _of(name)
    finally:
        _drop(name)


def _of(name: str) -> str:
    return f"{server().rpartition('/')[0]}/{name}"


def _drop(name: str) -> None:
    sql(server(), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def wait_until_it_answers(url: str) -> float:
    """Wait until a server answers; the seconds that it took."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        with suppress(AssertionError):
            sql(url, "SELECT 1")
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError("PostgreSQL does not answer")
