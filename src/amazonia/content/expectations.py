"""`tests.yaml`: an author's questions that must, and must not, find a topic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from amazonia.content.consistency import nearest
from amazonia.content.files import Sheet, read_sheet
from amazonia.content.models import QuestionsFile
from amazonia.domain.case import Case, CharacterId, Lang
from amazonia.domain.understanding import Listener
from amazonia.errors import Finding


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
        questions = TypeAdapter(dict[str, QuestionsFile]).validate_python(sheet.data)
    except ValidationError as exc:
        for error in exc.errors():
            place = ".".join(map(str, error["loc"]))
            fault, falha = f"'{place}': {error['msg']}", f"'{place}': valor inválido"
            yield sheet.finding("T03", tuple(error["loc"]), fault, falha)
        return
    mine = questions.get(lang, QuestionsFile())
    yield from _must(case, listener, mine, sheet, lang)
    for name, lines in mine.must_not.items():
        if name not in case.characters:
            yield sheet.finding("T03", (lang, "must_not", name), *_nobody(case, name))
            continue
        for i, line in enumerate(lines):
            reading = listener.listen(CharacterId(name), line)
            if reading.decision == "answer":
                fault = f"«{line}» is answered with topic '{reading.topics[0]}'; it must find none"
                falha = f"«{line}» acha o assunto '{reading.topics[0]}'; não devia achar nenhum"
                yield sheet.finding("T02", (lang, "must_not", name, i), fault, falha)


def _must(
    case: Case, listener: Listener, questions: QuestionsFile, sheet: Sheet, lang: Lang
) -> Iterator[Finding]:
    for name, topics in questions.must.items():
        character = case.characters.get(CharacterId(name))
        if character is None:
            yield sheet.finding("T03", (lang, "must", name), *_nobody(case, name))
            continue
        for topic, lines in topics.items():
            if topic not in character.topics:
                near = nearest(topic, character.topics)
                fault = f"{name} has no topic '{topic}'{near.english}"
                falha = f"{name} não tem o assunto '{topic}'{near.portuguese}"
                yield sheet.finding("T03", (lang, "must", name, topic), fault, falha)
                continue
            for i, line in enumerate(lines):
                reading = listener.listen(character.id, line)
                if reading.topics[:1] != (topic,) or reading.decision not in ("answer", "unsure"):
                    found = f"{reading.decision}, {', '.join(reading.topics)}"
                    fault = f"«{line}» must find '{topic}' first; it finds: {found}"
                    falha = f"«{line}» devia achar primeiro '{topic}'; acha: {found}"
                    yield sheet.finding("T01", (lang, "must", name, topic, i), fault, falha)


def _nobody(case: Case, name: str) -> tuple[str, str]:
    near = nearest(name, case.characters)
    return (
        f"there is no character '{name}'{near.english}",
        f"não existe personagem '{name}'{near.portuguese}",
    )
