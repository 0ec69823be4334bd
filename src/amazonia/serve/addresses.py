"""Where the game is found."""

from __future__ import annotations

import socket
import sys


def announce(host: str, port: int) -> None:
    """Say where the game is."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared only
    sys.stdout.write(f"Amazonia is ready: http://{shown}:{port}\n")
    if shown != host:
        sys.stdout.write(f"On this network:   http://{_lan_address()}:{port}\n")
    sys.stdout.flush()


def _lan_address() -> str:
    """This machine's address in its network. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
