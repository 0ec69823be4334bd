"""Further ways to put a topic's question: asked of a model, judged by the director, kept by hand.

The prompt holds what is needed and no more: who is asked, what the topic is called, some examples.
What is kept goes into the YAML file as text, so that every comment stays where it is; a file is
only written if it then holds exactly what it held before and the new examples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from amazonia.content.files import Loader, read_sheet
from amazonia.content.texts import Texts
from amazonia.domain.case import Case, CharacterId, Lang, Topic
from amazonia.domain.understanding import Listener
from amazonia.errors import AmazoniaError

SHOWN = 12
"""Examples that a model is shown."""
LONGEST = 200
"""Characters of a question; pupils write no more."""
_NUMBERED = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s*")


class CannotKeep(AmazoniaError):
    """The file was not changed; the message says where to paste the questions by hand."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question that a model proposes, and what the director makes of it now.

    Attributes:
        found: the topic comes first already, so that little is learned from this question.
        heard: the decision, and the topic that came first.
    """

    question: str
    found: bool
    heard: str


def prompt(case: Case, lang: Lang, topic: Topic, wanted: int) -> tuple[str, str]:
    """The system's and the user's message that ask for more ways to put a topic's question."""
    who = case.words[lang].characters[topic.character]
    text = who.topics[topic.id]
    examples = "\n".join(f"- {line}" for line in text.examples[:SHOWN])
    if lang.startswith("pt"):
        system = (
            "Você escreve perguntas como alunos brasileiros de 11 a 17 anos as digitam num jogo: "
            "curtas, algumas com gíria, sem acento ou com erro de digitação, outras caprichadas. "
            "Só perguntas, uma por linha, sem número e sem comentário."
        )
        user = (
            f"A turma entrevista {who.name}, {who.role}. Assunto: {text.label}.\n"
            f"Exemplos que já existem:\n{examples}\n"
            f"Escreva {wanted} jeitos diferentes de perguntar a mesma coisa."
        )
    else:
        system = (
            "You write questions as pupils of 11 to 17 type them in a game: short, some with "
            "slang, missing apostrophes or typos, others careful. Questions only, one a line, "
            "without numbers or comments."
        )
        user = (
            f"The class interviews {who.name}, {who.role}. Subject: {text.label}.\n"
            f"Examples that exist:\n{examples}\n"
            f"Write {wanted} different ways to ask the same thing."
        )
    return system, user


def proposals(
    answer: str, case: Case, lang: Lang, topic: Topic, listener: Listener
) -> list[Proposal]:
    """The new questions of a model's answer, each as the director hears it now."""
    known = {
        _bare(line)
        for line in case.words[lang].characters[topic.character].topics[topic.id].examples
    }
    found = []
    for line in answer.splitlines():
        question = _NUMBERED.sub("", line).strip().strip('"«»“”').strip()
        if not question or len(question) > LONGEST or _bare(question) in known:
            continue
        known.add(_bare(question))
        found.append(judge(question, topic, listener))
    return found


def judge(question: str, topic: Topic, listener: Listener) -> Proposal:
    """What the director makes of a question that should find a topic."""
    reading = listener.listen(topic.character, question)
    first = reading.topics[0] if reading.topics else "–"
    found = reading.decision == "answer" and first == topic.id
    return Proposal(question, found, f"{reading.decision}, {first}")


def keep(texts: Texts, character: CharacterId, topic: Topic, questions: Sequence[str]) -> Path:
    """Write questions to the end of a topic's examples.

    Returns:
        The file that was changed.

    Raises:
        CannotKeep: the examples are written in a way that this cannot add to safely.
    """
    whole = ("characters", character, "topics", topic.id, "examples")
    at = max((p for p in texts.origin if whole[: len(p)] == p), key=len)
    path, inner = texts.origin[at].path, whole[len(at) :]
    old = path.read_bytes().decode("utf-8")
    new = _with(old, inner, questions)
    if new is None or not _adds(path, old, new, inner, questions):
        line = texts.origin[at].line(inner)
        lines = "\n".join(f"  - {json.dumps(q, ensure_ascii=False)}" for q in questions)
        raise CannotKeep(f"{path}:{line}: paste these at the end of `examples`:\n{lines}")
    part = path.with_suffix(".part")
    part.write_bytes(new.encode("utf-8"))
    part.replace(path)
    return path


def _with(text: str, inner: tuple[str | int, ...], questions: Sequence[str]) -> str | None:
    """The file's text with the questions in it."""
    node = yaml.compose(text, Loader=Loader)
    for key in inner:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((value for name, value in node.value if name.value == key), None)
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        return None
    quoted = [json.dumps(question, ensure_ascii=False) for question in questions]
    if node.flow_style:
        end = node.end_mark.index - 1
        before = text[:end].rstrip()
        comma = "" if before.endswith(",") else ","
        return f"{before}{comma} {', '.join(quoted)}{text[end:]}"
    newline = "\r\n" if "\r\n" in text else "\n"
    indent = " " * (node.value[0].start_mark.column - 2)
    end = text.find("\n", node.value[-1].end_mark.index - 1) + 1
    if not end:
        text, end = text + newline, len(text) + len(newline)
    return text[:end] + "".join(f"{indent}- {q}{newline}" for q in quoted) + text[end:]


def _adds(
    path: Path, old: str, new: str, inner: tuple[str | int, ...], questions: Sequence[str]
) -> bool:
    """Whether the new text holds what the old held, the questions besides, and nothing else."""
    try:
        before, after = (yaml.load(text, Loader=Loader) for text in (old, new))  # noqa: S506
    except yaml.YAMLError:
        return False
    here = before
    for key in inner:
        here = here[key]
    here.extend(questions)
    return bool(before == after) and read_sheet(path) is not None


def _bare(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
