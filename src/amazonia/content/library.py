"""The cases of a folder, loaded once, with what was learned from them kept on disk."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from amazonia.content import learned, training
from amazonia.content.files import case_names
from amazonia.content.languages import fingerprint, language
from amazonia.content.learned import read_learned, write_learned
from amazonia.domain import language as words
from amazonia.domain import table
from amazonia.domain.case import Case, Lang
from amazonia.domain.language import Language
from amazonia.domain.understanding import Listener
from amazonia.errors import UnknownCase

BUNDLED = (Path(__file__).parents[3] / "cases", Path(__file__).parents[1] / "cases")
"""Where the bundled cases are: in a checkout, and in an installed package."""


def bundled_cases() -> Path:
    """The folder of the bundled cases."""
    return next((folder for folder in BUNDLED if folder.is_dir()), BUNDLED[0])


@dataclass(frozen=True, slots=True)
class Read:
    """What a library read from files, by name; another process's library may be given it.

    Attributes:
        cases: without the examples, which are learned from and then only take memory.
    """

    cases: Mapping[str, Case]
    languages: Mapping[str, Language]


class Library:
    """Gives cases and listeners by name; safe to share between threads after `open`.

    Args:
        folder: holds one folder a case.
        cache: what was learned is kept here, named by a hash of all that it was learned from.
        learning: called with a case's name before it is learned, which takes some seconds.
        read: what need not be read again.
    """

    def __init__(
        self,
        folder: Path,
        cache: Path,
        learning: Callable[[str], None] | None = None,
        read: Read | None = None,
    ) -> None:
        self.folder = folder
        self.cache = cache
        self._learning = learning or (lambda _: None)
        self._cases = dict(read.cases) if read else {}
        self._given = frozenset(self._cases)
        self._languages = dict(read.languages) if read else {}
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
            self._cases[name] = self._load(name)
        return self._cases[name]

    def _load(self, name: str) -> Case:
        from amazonia.content.load import load_case  # here: who is given cases reads none

        return load_case(self.folder / name)

    def language(self, lang: Lang) -> Language:
        """What is known of a language."""
        if lang not in self._languages:
            self._languages[lang] = language(lang)
        return self._languages[lang]

    def has_learned(self, case: Case) -> bool:
        """Whether a case's listeners are there, so that opening it takes no half minute."""
        return all(self._kept(case, lang).exists() for lang in case.words)

    def listener(self, case: Case, lang: Lang) -> Listener:
        """What understands questions of a case in a language; trained or read from the cache."""
        key = (case.revision, lang)
        if key not in self._listeners:
            path = self._kept(case, lang)
            listener = read_learned(path, self.language(lang))
            if listener is None:
                self._learning(case.id)
                whole = self._load(case.id) if case.id in self._given else case
                listener = self._keep(path, training.teach(whole, lang, self.language(lang)))
            self._listeners[key] = listener
        return self._listeners[key]

    def _kept(self, case: Case, lang: Lang) -> Path:
        return self.cache / f"{case.id}.{lang}.{_key(case)}.learned"

    def _keep(self, path: Path, listener: Listener) -> Listener:
        """What was learned, from a file if that can be: a full disk costs the next start again."""
        try:
            write_learned(path, listener)
            case, lang, *_ = path.name.split(".")
            for stale in self.cache.glob(f"{case}.{lang}.*.learned"):
                if stale != path:
                    stale.unlink(missing_ok=True)
        except OSError:
            return listener
        return read_learned(path, listener.reader.language) or listener

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

    def read(self) -> Read:
        """Open everything, and give what another process's library need not read again."""
        self.open()
        cases = {
            name: replace(case, words={k: w.without_examples() for k, w in case.words.items()})
            for name, case in self._cases.items()
        }
        return Read(cases, self._languages)


def _key(case: Case) -> str:
    """Changes with the case, the languages' data, the way of learning and the shape of files."""
    return f"{case.revision}-{fingerprint()[:8]}-{_code()}"


def _code() -> str:
    digest = hashlib.sha256()
    for module in (training, learned, words, table):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:8]
