"""What atheris feeds bytes to: `python tests/fuzz/targets.py TARGET FOLDER [libFuzzer's options]`.

A target lets nothing out but what its reader promises to raise; anything else is a finding, and
libFuzzer keeps the bytes in the current folder.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["amazonia.content", "amazonia.voice.wire"]):
    from amazonia.content.files import read_sheet
    from amazonia.content.load import load_case
    from amazonia.content.svg import faults
    from amazonia.errors import BadCase, Finding
    from amazonia.voice.failures import ProviderFailed
    from amazonia.voice.wire import DONE, SseParser, read_chunk, read_whole

Target = Callable[[bytes], None]
BASE = Path(__file__).parents[1] / "content" / "bad" / "base"
SCALARS = (str, int, float, bool, type(None))


def sheet(folder: Path) -> Target:
    """A file of a case: plain data, or findings with a place and words in both languages."""
    path = folder / "sheet.yaml"

    def feed(data: bytes) -> None:
        path.write_bytes(data)
        found: list[Finding] = []
        try:
            plain = is_plain(read_sheet(path).data)
        except BadCase as refused:
            plain, found = True, list(refused.findings)
        assert plain
        assert all(f.line >= 1 and f.message and f.portuguese for f in found)

    return feed


def case(folder: Path) -> Target:
    """A whole case in which some line is another: a case, or findings."""
    home = folder / "base"
    shutil.copytree(BASE, home)
    files = sorted(path for path in home.rglob("*.yaml"))
    texts = [path.read_bytes() for path in files]

    def feed(data: bytes) -> None:
        some = atheris.FuzzedDataProvider(data)
        number = some.ConsumeIntInRange(0, len(files) - 1)
        lines = texts[number].split(b"\n")
        at = some.ConsumeIntInRange(0, len(lines) - 1)
        lines[at : at + some.ConsumeIntInRange(0, 3)] = [some.ConsumeBytes(len(data))]
        files[number].write_bytes(b"\n".join(lines))
        try:
            with suppress(BadCase):
                load_case(home)
        finally:
            files[number].write_bytes(texts[number])

    return feed


def drawing(_: Path) -> Target:
    """A drawing: read to its end, whatever it is."""

    def feed(data: bytes) -> None:
        assert all(line >= 1 and fault and falha for line, fault, falha in faults(data))

    return feed


def sse(_: Path) -> Target:
    """A provider's stream: wherever it is cut, the same events come out of it, or none do."""

    def feed(data: bytes) -> None:
        whole, cut = events([data]), events([data[i : i + 1] for i in range(len(data))])
        assert whole == cut
        for event in whole or ():
            if event != DONE:
                with suppress(ProviderFailed):
                    read_chunk(event)
        with suppress(ProviderFailed):
            read_whole(data)

    return feed


def events(pieces: list[bytes]) -> list[str] | None:
    """What is in a stream; None if it is refused."""
    parser = SseParser()
    try:
        return [event for piece in pieces for event in parser.feed(piece)]
    except ProviderFailed:
        return None


def is_plain(value: object) -> bool:
    """Whether there is nothing in a value but texts, numbers, lists and mappings by text."""
    if isinstance(value, dict):
        return all(isinstance(k, str) and is_plain(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    return isinstance(value, SCALARS)


if __name__ == "__main__":
    target = {"sheet": sheet, "case": case, "drawing": drawing, "sse": sse}[sys.argv[1]]
    feed = target(Path(sys.argv[2]))
    atheris.Setup([sys.argv[0], *sys.argv[3:]], feed)
    atheris.Fuzz()
