"""The cases of a folder, loaded once, with what was learned from them kept on disk."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import tempfile
import zlib
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from amazonia.content import training
from amazonia.content.languages import fingerprint, language
from amazonia.content.load import case_names, load_case
from amazonia.domain.case import Case, CharacterId, Lang
from amazonia.domain.language import Language, Reader
from amazonia.domain.understanding import Ear, Listener
from amazonia.errors import UnknownCase

BUNDLED = (Path(__file__).parents[3] / "cases", Path(__file__).parents[1] / "cases")
"""Where the bundled cases are: in a checkout, and in an installed package."""


def bundled_cases() -> Path:
    """The folder of the bundled cases."""
    return next((folder for folder in BUNDLED if folder.is_dir()), BUNDLED[0])


class Library:
    """Gives cases and listeners by name; safe to share between threads after `open`.

    Args:
        folder: holds one folder a case.
        cache: what was learned is kept here, named by a hash of all that it was learned from.
        learning: called with a case's name before it is learned, which takes some seconds.
    """

    def __init__(
        self, folder: Path, cache: Path, learning: Callable[[str], None] | None = None
    ) -> None:
        self.folder = folder
        self.cache = cache
        self._learning = learning or (lambda _: None)
        self._cases: dict[str, Case] = {}
        self._listeners: dict[tuple[str, str], Listener] = {}

    def names(self) -> list[str]:
        """The names of the cases, in alphabetical order."""
        return case_names(self.folder)

    def case(self, name: str) -> Case:
        """A case by name.

        Raises:
            UnknownCase: there is none.
            BadCase: its files have faults.
        """
        if name not in self._cases:
            if not name.replace("_", "").isalnum() or name not in self.names():
                raise UnknownCase(name, self.names())
            self._cases[name] = load_case(self.folder / name)
        return self._cases[name]

    def language(self, lang: Lang) -> Language:
        """What is known of a language."""
        return language(lang)

    def has_learned(self, case: Case) -> bool:
        """Whether a case's listeners are there, so that opening it takes no half minute."""
        return all(self._kept(case, lang).exists() for lang in case.words)

    def listener(self, case: Case, lang: Lang) -> Listener:
        """What understands questions of a case in a language; trained or read from the cache."""
        key = (case.revision, lang)
        if key not in self._listeners:
            path = self._kept(case, lang)
            learned = _read(path, lang)
            if learned is None:
                self._learning(case.id)
                learned = training.teach(case, lang, language(lang))
                _write(path, learned)
            self._listeners[key] = learned
        return self._listeners[key]

    def _kept(self, case: Case, lang: Lang) -> Path:
        return self.cache / f"{case.id}.{lang}.{_key(case)}.jsonl.gz"

    def kept(
        self,
        case: Case,
        lang: Lang,
        name: str,
        make: Callable[[Case, Lang, Listener], list[list[str]]],
    ) -> list[list[str]]:
        """What was worked out from a case in a language, kept beside what was learned from it."""
        path = self.cache / f"{case.id}.{lang}.{name}.{_key(case)}.json"
        with contextlib.suppress(OSError, ValueError):
            kept: list[list[str]] = orjson.loads(path.read_bytes())
            return kept
        made = make(case, lang, self.listener(case, lang))
        with contextlib.suppress(OSError):
            for stale in self.cache.glob(f"{case.id}.{lang}.{name}.*.json"):
                stale.unlink(missing_ok=True)
            path.write_bytes(orjson.dumps(made))
        return made

    def open(self) -> None:
        """Load every case and listener now, so that no player waits for it."""
        for name in self.names():
            case = self.case(name)
            for lang in case.words:
                self.listener(case, lang)


def _key(case: Case) -> str:
    """Changes with the case, the languages' data and the way of learning."""
    learning = Path(training.__file__).parent
    return f"{case.revision}-{fingerprint()[:8]}-{_code(learning)}"


def _code(folder: Path) -> str:
    digest = hashlib.sha256((folder / "training.py").read_bytes())
    digest.update((folder.parent / "domain" / "language.py").read_bytes())
    return digest.hexdigest()[:8]


def _write(path: Path, listener: Listener) -> None:
    """Keep what was learned. A full disk only costs the next start some seconds."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file, gzip.open(file, "wb", compresslevel=3) as packed:
            for line in _lines(listener):
                packed.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        for stale in path.parent.glob(f"{path.name.split('.')[0]}.{path.name.split('.')[1]}.*.gz"):
            stale.unlink(missing_ok=True)
        Path(name).replace(path)


def _lines(listener: Listener) -> Iterator[dict[str, Any]]:
    """What all ears share, then ear by ear: reading them one at a time takes little memory."""
    places = next(iter(listener.ears.values())).places
    yield {"vocabulary": sorted(listener.reader.vocabulary), "features": list(places)}
    for name, ear in listener.ears.items():
        yield {
            "name": name,
            "classes": ear.classes,
            "bias": ear.bias,
            "awarding": sorted(ear.awarding),
            "idf": _packed("d", ear.idf),
            "starts": _packed("I", ear.starts),
            "indexes": _packed("B", ear.indexes),
            "weights": _packed("f", ear.weights),
        }


def _read(path: Path, lang: Lang) -> Listener | None:
    try:
        with gzip.open(path) as lines:
            shared = orjson.loads(lines.readline())
            places = {feature: place for place, feature in enumerate(shared["features"])}
            ears = dict(_ear(orjson.loads(line), places) for line in lines)
        return Listener(Reader(language(lang), frozenset(shared["vocabulary"])), ears)
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, AttributeError):
        return None  # not there, cut off, or written by something else


def _ear(data: dict[str, Any], places: Mapping[str, int]) -> tuple[CharacterId, Ear]:
    ear = Ear(
        classes=tuple(data["classes"]),
        places=places,
        idf=_unpacked("d", data["idf"]),
        starts=_unpacked("I", data["starts"]),
        indexes=_unpacked("B", data["indexes"]).tobytes(),
        weights=_unpacked("f", data["weights"]),
        bias=data["bias"],
        awarding=frozenset(data["awarding"]),
    )
    return CharacterId(data["name"]), ear


def _packed(code: str, numbers: Iterable[float]) -> str:
    """Numbers of an `array` type as base64, in this machine's byte order: a cache stays here."""
    return b64encode(array(code, numbers)).decode()


def _unpacked(code: str, text: str) -> array[Any]:
    numbers: array[Any] = array(code)
    numbers.frombytes(b64decode(text))
    return numbers
