"""What a second opinion adds where the director is unsure, measured with recorded answers.

    .venv/bin/python bench/director/second_opinion.py ask held_out.jsonl > prompts.jsonl
    .venv/bin/python bench/director/second_opinion.py measure held_out.jsonl

`ask` writes, for every question of the file on which the director is unsure, what a provider would
be asked: `{id, system, user}`. Its answers, `{id, answer}`, are recorded in
`<file>.opinions.jsonl` beside the questions; `measure` compares the director alone with the
director and those answers. The recorded answers were given by a language model (Claude) that saw
nothing but those prompts.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amazonia.content.library import Library, bundled_cases
from amazonia.domain.case import Case, CharacterId, Lang, TopicId
from amazonia.domain.understanding import Listener, Reading
from amazonia.play.directing import settle
from amazonia.ports import Unclear, VoiceFailed
from amazonia.voice.prompt import choose_prompt
from amazonia.voice.understand import read_answer

HERE = Path(__file__).parent
LANG = Lang("pt-BR")
Json = dict[str, Any]


def unsure(case: Case, listener: Listener, path: Path) -> Iterator[tuple[Json, Reading, Unclear]]:
    """Every question of a file, those the director is unsure about as a provider is asked."""
    for line in map(json.loads, path.read_text().splitlines()):
        character = case.characters[CharacterId(line["character"])]
        previous = (line.get("previous") or {}).get("topic")
        words = case.words[LANG].characters[character.id].topics
        reading = listener.listen(
            character.id, line["message"], TopicId(previous) if previous else None
        )
        topics = {t: f"{words[t].label}: {words[t].suggestion}" for t in character.topics}
        yield (
            line,
            reading,
            Unclear(case, LANG, character.id, line["message"], line["message"], topics, ""),
        )


def main(command: str, path: Path) -> None:
    """Write the prompts, or print the figures."""
    library = Library(bundled_cases(), Path(os.environ.get("AMAZONIA_DATA") or "data") / "learned")
    case = library.case("lama_sem_ouro")
    questions = list(unsure(case, library.listener(case, LANG), path))
    if command == "ask":
        for line, reading, question in questions:
            if reading.decision == "unsure":
                system, user = choose_prompt(question).messages
                print(
                    json.dumps(
                        {"id": line["id"], "system": system.content, "user": user.content},
                        ensure_ascii=False,
                    )
                )
        return
    recorded = path.with_suffix(".opinions.jsonl").read_text().splitlines()
    answers = {each["id"]: each["answer"] for each in map(json.loads, recorded)}
    for name, given in (("director alone", {}), ("with a second opinion", answers)):
        count: Counter[str] = Counter()
        for line, reading, question in questions:
            who = case.characters[question.character]
            heard = settle(who, reading, opinion(question, given.get(line["id"])))
            tally(line, heard, question, count)
        print(
            f"{name:22}  in scope n={count['topic']}: "
            f"answered right {count['right'] / count['topic']:.1%}, "
            f"asked back {count['unsure'] / count['topic']:.1%}, "
            f"answered wrong {count['false'] / count['topic']:.1%}, "
            f"taken for out of scope {count['missed'] / count['topic']:.1%}; "
            f"wrong clue {count['clue']} of {len(questions)} = {count['clue'] / len(questions):.2%}"
        )
    print(f"the director was unsure about {len(answers)} of {len(questions)}")


def opinion(question: Unclear, answer: str | None) -> list[TopicId] | None:
    """What a recorded answer means."""
    if answer is None:
        return None
    try:
        number = read_answer(answer, question)
    except VoiceFailed:
        return None
    return [] if number == "none" else [list(question.topics)[int(number) - 1]]


def tally(line: Json, heard: Reading, question: Unclear, count: Counter[str]) -> None:
    """Count one question."""
    decision, topic = heard.decision, heard.topics[0] if heard.topics else None
    right = [t for t in (line["topic"], *line.get("also", ())) if t]
    topics = question.case.characters[question.character].topics
    if decision == "answer" and topic is not None:
        clues = {clue for t in right for clue in topics[TopicId(t)].clues}
        count["clue"] += bool(set(topics[topic].clues) - clues)
    if line["expect"] != "topic":
        return
    count["topic"] += 1
    count["unsure"] += decision == "unsure"
    count["missed"] += decision in {"out", "smalltalk"}
    count["right"] += decision == "answer" and topic in right
    count["false"] += decision == "answer" and topic not in right


if __name__ == "__main__":
    main(sys.argv[1], HERE / sys.argv[2])
