"""A listener as a file: a line of JSON, then its arrays as they lie in memory, which are mapped.

Of such a file only what is asked about is ever in memory, once for all processes. Nothing in it is
executed. Numbers are in this machine's byte order: the file is a cache and stays here.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from amazonia.domain.case import CharacterId
from amazonia.domain.language import Language, Reader
from amazonia.domain.table import Table
from amazonia.domain.understanding import Ear, Listener

ALIGNED = 8
"""Arrays start at multiples of so many bytes: of their largest numbers."""
CHUNK = 1 << 18


def write_learned(path: Path, listener: Listener) -> None:
    """Keep what was learned, whole or not at all.

    Raises:
        OSError: there is no room, or no right to write.
    """
    arrays = [*_arrays(listener)]
    body = b"".join(array.tobytes() + bytes(_gap(array.nbytes)) for array in arrays)
    head = {
        "arrays": [[array.format, array.nbytes] for array in arrays],
        "checksum": zlib.crc32(body),
        "ears": [
            {
                "name": name,
                "classes": ear.classes,
                "bias": ear.bias,
                "awarding": sorted(ear.awarding),
            }
            for name, ear in listener.ears.items()
        ],
    }
    line = orjson.dumps(head)
    line += b" " * _gap(len(line) + 1) + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines((line, body))
        Path(part).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(part).unlink()
        raise


def read_learned(path: Path, language: Language) -> Listener | None:
    """What was kept; None where nothing is, or it is cut off, or not what was written."""
    try:
        with path.open("rb") as file:
            line = file.readline()
            head, checksum = orjson.loads(line), 0
            while chunk := file.read(CHUNK):  # read, not mapped: it need not stay in memory
                checksum = zlib.crc32(chunk, checksum)
            if checksum != head["checksum"]:
                return None
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        arrays = _mapped(memoryview(mapped), len(line), head["arrays"])
        vocabulary, typos, meant = _table(arrays), _table(arrays), next(arrays)
        places = _table(arrays)
        ears = {CharacterId(ear["name"]): _ear(ear, places, arrays) for ear in head["ears"]}
        return Listener(Reader(language, vocabulary, typos, meant), ears)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, StopIteration):
        return None


def _arrays(listener: Listener) -> Iterator[memoryview[Any]]:
    """Every array, in the order of the file."""
    reader = listener.reader
    yield from _parts(reader.vocabulary)
    yield from _parts(reader.typos)
    yield reader.meant
    yield from _parts(next(iter(listener.ears.values())).places)
    for ear in listener.ears.values():
        yield from (ear.idf, ear.starts, ear.indexes, ear.weights)


def _parts(table: Table) -> tuple[memoryview[int], memoryview[int], memoryview[int]]:
    return table.text, table.starts, table.slots


def _table(arrays: Iterator[memoryview[Any]]) -> Table:
    return Table(next(arrays), next(arrays), next(arrays))


def _ear(head: dict[str, Any], places: Table, arrays: Iterator[memoryview[Any]]) -> Ear:
    return Ear(
        classes=tuple(head["classes"]),
        places=places,
        idf=next(arrays),
        starts=next(arrays),
        indexes=next(arrays),
        weights=next(arrays),
        bias=head["bias"],
        awarding=frozenset(head["awarding"]),
    )


def _mapped(
    file: memoryview[int], at: int, arrays: list[tuple[Any, int]]
) -> Iterator[memoryview[Any]]:
    for code, size in arrays:
        yield file[at : at + size].cast(code)
        at += size + _gap(size)


def _gap(size: int) -> int:
    """Bytes from there to the next multiple of `ALIGNED`."""
    return -size % ALIGNED
