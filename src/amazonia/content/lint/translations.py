"""Translations that stayed behind.

`amazonia translated CASE` writes `translated.<lang>.json`: for each piece of text (a topic, a
clue, a riddle…) a hash of the original and one of the translation. A piece whose original has
changed since, and whose translation has not, is stale. Without that file nothing is known, and
nothing is found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amazonia.content.lint.draft import Draft
from amazonia.content.texts import TextPath, Texts
from amazonia.errors import BadCase, Finding


def translations_are_fresh(draft: Draft) -> Iterator[Finding]:
    """L14: a text whose original changed was translated anew; both have as many lines."""
    (first, original), *others = draft.texts.items()
    now = dict(pieces(original.data))
    for lang, texts in others:
        yield from _shorter(original, texts)
        known = _known(draft.folder / f"translated.{lang}.json")
        then = dict(pieces(texts.data))
        for path, (was, translated) in known.items():
            stale = path in now and digest(now[path]) != was
            if stale and path in then and digest(then[path]) == translated:
                fault = f"'{'.'.join(path)}' changed in {first} since it was translated"
                falha = f"'{'.'.join(path)}' mudou em {first} depois da tradução; traduza de novo"
                fault += "; translate it again, then `amazonia translated`"
                yield texts.finding("L14", path, fault, falha)


def _shorter(original: Texts, texts: Texts) -> Iterator[Finding]:
    """Steps that are told in another number of lines, and lists of another length."""
    for part in ("opening", "briefing", "debrief"):
        wanted, found = len(original.data.get(part, ())), len(texts.data.get(part, ()))
        if wanted != found:
            fault = f"'{part}' has {found} lines here and {wanted} in the original"
            falha = f"'{part}' tem {found} linhas aqui e {wanted} no original"
            yield texts.finding("L14", (part,), fault, falha)


def note_translation(draft: Draft, lang: str) -> Path:
    """Write down that a translation is that of the original as it is now."""
    original = dict(pieces(next(iter(draft.texts.values())).data))
    (texts,) = [texts for code, texts in draft.texts.items() if code == lang]
    noted = {
        ".".join(path): f"{digest(original[path])}:{digest(value)}"
        for path, value in pieces(texts.data)
        if path in original
    }
    file = draft.folder / f"translated.{lang}.json"
    file.write_text(json.dumps(noted, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def pieces(data: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Pieces that are translated in one go: a topic, another part of a character, an entry."""
    for part, entries in data.items():
        if part == "characters":
            for who, character in entries.items():
                for key, value in character.items():
                    at = ("characters", who, key)
                    if key == "topics":
                        yield from (((*at, topic), text) for topic, text in value.items())
                    else:
                        yield at, value
        elif isinstance(entries, dict):
            yield from (((part, str(key)), value) for key, value in entries.items())
        else:
            yield (part,), entries


def digest(value: object) -> str:
    """Eight letters that change with a text."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _known(file: Path) -> dict[tuple[str, ...], tuple[str, str]]:
    if not file.is_file():
        return {}
    try:
        noted = json.loads(file.read_text(encoding="utf-8"))
        return {tuple(k.split(".")): _two(v) for k, v in noted.items()}
    except (ValueError, AttributeError) as exc:
        fault, falha = "is not what `amazonia translated` writes", "não é o que o comando grava"
        raise BadCase([Finding("L14", str(file), 1, fault, falha)]) from exc


def _two(text: str) -> tuple[str, str]:
    original, _, translated = text.partition(":")
    return original, translated


__all__ = ["TextPath", "note_translation", "translations_are_fresh"]
