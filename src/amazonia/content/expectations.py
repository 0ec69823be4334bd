"""`tests.yaml`: an author's questions that must, and must not, find a topic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from amazonia.content.consistency import nearest
from amazonia.content.files import Sheet, read_sheet
from amazonia.domain.case import Case, CharacterId, Lang
from amazonia.domain.understanding import Listener
from amazonia.errors import Finding


class _Questions(BaseModel):
    """Of one language: character → topic → questions; and character → questions that find none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    must: dict[str, dict[str, list[str]]] = {}
    must_not: dict[str, list[str]] = {}


def check_expectations(
    case: Case, lang: Lang, listener: Listener, folder: Path
) -> Iterator[Finding]:
    """Ask every question of `tests.yaml`.

    T01: a question does not find its topic first. T02: a question that must find none is answered.
    T03: the file names what does not exist.
    """
    path = folder / "tests.yaml"
    if not path.is_file():
        return
    sheet = read_sheet(path)
    try:
        questions = TypeAdapter(dict[str, _Questions]).validate_python(sheet.data)
    except ValidationError as exc:
        for error in exc.errors():
            place = ".".join(map(str, error["loc"]))
            yield sheet.finding("T03", tuple(error["loc"]), f"'{place}': {error['msg']}")
        return
    mine = questions.get(lang, _Questions())
    yield from _must(case, listener, mine, sheet, lang)
    for name, lines in mine.must_not.items():
        if name not in case.characters:
            fault = f"there is no character '{name}'{nearest(name, case.characters)}"
            yield sheet.finding("T03", (lang, "must_not", name), fault)
            continue
        for i, line in enumerate(lines):
            reading = listener.listen(CharacterId(name), line)
            if reading.decision == "answer":
                fault = f"«{line}» is answered with topic '{reading.topics[0]}'; it must find none"
                yield sheet.finding("T02", (lang, "must_not", name, i), fault)


def _must(
    case: Case, listener: Listener, questions: _Questions, sheet: Sheet, lang: Lang
) -> Iterator[Finding]:
    for name, topics in questions.must.items():
        character = case.characters.get(CharacterId(name))
        if character is None:
            fault = f"there is no character '{name}'{nearest(name, case.characters)}"
            yield sheet.finding("T03", (lang, "must", name), fault)
            continue
        for topic, lines in topics.items():
            if topic not in character.topics:
                fault = f"{name} has no topic '{topic}'{nearest(topic, character.topics)}"
                yield sheet.finding("T03", (lang, "must", name, topic), fault)
                continue
            for i, line in enumerate(lines):
                reading = listener.listen(character.id, line)
                if reading.topics[:1] != (topic,) or reading.decision not in ("answer", "unsure"):
                    found = f"{reading.decision}, {', '.join(reading.topics)}"
                    fault = f"«{line}» must find '{topic}' first; it finds: {found}"
                    yield sheet.finding("T01", (lang, "must", name, topic, i), fault)
