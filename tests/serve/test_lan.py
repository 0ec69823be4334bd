"""A teacher's laptop is the server of the room: `amazonia serve --lan` shows where it is."""

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
from tests.server import CASES, free_port

from amazonia.serve import addresses

PATIENCE = 120


def test_the_address_and_its_qr_code_are_in_the_terminal(tmp_path: Path) -> None:
    """It is this machine's own in its network, and the game answers."""
    port = free_port()
    ours, theirs = pty.openpty()
    env = {**os.environ, "AMAZONIA_DATA": str(tmp_path / "data"), "AMAZONIA_CASES": str(CASES)}
    command = [str(Path(sys.executable).with_name("amazonia")), "serve", "--lan"]
    process = subprocess.Popen(
        [*command, "--workers", "1", "--port", str(port)],
        env=env,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        said = _read_until(ours, "▄", port)
        found = re.search(rf"http://(\S+):{port}\s", said.partition("network:")[2])
        assert found is not None, said
        assert found[1] in _own_addresses()
        assert httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
        assert said.count("\n") > 12
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)
        os.close(theirs)


def test_a_network_without_a_way_out_has_an_address_too() -> None:
    """The machine's interfaces know it, with no internet at all."""
    found = _own_addresses()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+\.\d+", each) for each in found)
    assert not any(each.startswith("127.") for each in found)


def _own_addresses() -> list[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return list(addresses._addresses(probe))


def _read_until(terminal: int, mark: str, port: int) -> str:
    said, until = "", time.monotonic() + PATIENCE
    while time.monotonic() < until:
        said += os.read(terminal, 65536).decode(errors="replace")
        if mark in said and f":{port}" in said and said.rstrip().count("\n") > 12:
            return said
    raise AssertionError(said)
