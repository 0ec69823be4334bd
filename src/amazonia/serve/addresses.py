"""Where the game is found."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator

SIOCGIFADDR = 0x8915
"""Linux: the address of an interface."""


def announce(host: str, port: int) -> None:
    """Say where the game is."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared only
    sys.stdout.write(f"Amazonia is ready: http://{shown}:{port}\n")
    if shown != host:
        address = f"http://{_lan_address()}:{port}"
        sys.stdout.write(f"On this network:   {address}\n")
        if sys.stdout.isatty():
            import segno  # here: most processes never draw one

            segno.make(address, error="m").terminal(sys.stdout, compact=True)
    sys.stdout.flush()


def _lan_address() -> str:
    """This machine's address in its network. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:  # no way out: a room's own network, and no internet at all
            return next(_addresses(probe), socket.gethostname())


def _addresses(probe: socket.socket) -> Iterator[str]:
    """The addresses of this machine's interfaces, but its own loopback."""
    if sys.platform != "linux":
        return
    import fcntl

    for _, name in socket.if_nameindex():
        try:
            told = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
        except OSError:  # it has none
            continue
        address = socket.inet_ntoa(told[20:24])
        if not address.startswith("127."):
            yield address
