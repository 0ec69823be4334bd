"""The cases of a folder, loaded once, with what was learned from them kept on disk."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import tempfile
import zlib
from array import array
from collections.abc import Callable
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

    def listener(self, case: Case, lang: Lang) -> Listener:
        """What understands questions of a case in a language; trained or read from the cache."""
        key = (case.revision, lang)
        if key not in self._listeners:
            path = self.cache / f"{case.id}.{lang}.{_key(case)}.json.gz"
            learned = _read(path, lang)
            if learned is None:
                self._learning(case.id)
                learned = training.teach(case, lang, language(lang))
                _write(path, learned)
            self._listeners[key] = learned
        return self._listeners[key]

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
    data = {
        "vocabulary": sorted(listener.reader.vocabulary),
        "ears": {
            name: {
                "classes": ear.classes,
                "bias": ear.bias,
                "awarding": sorted(ear.awarding),
                "rows": {
                    feature: [
                        round(ear.idf[feature], 2),
                        list(row[0]),
                        [round(w, 2) for w in row[1]],
                    ]
                    for feature, row in ear.rows.items()
                },
            }
            for name, ear in listener.ears.items()
        },
    }
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(gzip.compress(orjson.dumps(data), compresslevel=3))
        for stale in path.parent.glob(f"{path.name.split('.')[0]}.{path.name.split('.')[1]}.*.gz"):
            stale.unlink(missing_ok=True)
        Path(name).replace(path)


def _read(path: Path, lang: Lang) -> Listener | None:
    try:
        data = orjson.loads(gzip.decompress(path.read_bytes()))
        ears = {CharacterId(name): _ear(ear) for name, ear in data["ears"].items()}
        return Listener(Reader(language(lang), frozenset(data["vocabulary"])), ears)
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, AttributeError):
        return None  # not there, cut off, or written by something else


def _ear(data: dict[str, Any]) -> Ear:
    rows = data["rows"]
    return Ear(
        classes=tuple(data["classes"]),
        idf={feature: row[0] for feature, row in rows.items()},
        rows={feature: (bytes(row[1]), array("f", row[2])) for feature, row in rows.items()},
        bias=data["bias"],
        awarding=frozenset(data["awarding"]),
    )
