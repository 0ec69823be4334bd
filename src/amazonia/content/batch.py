"""`amazonia ask --batch`: what the director makes of a question, every gate taken as open."""

from __future__ import annotations

from typing import Any

from amazonia.domain.case import Case, CharacterId, TopicId
from amazonia.domain.understanding import Listener

Json = dict[str, Any]


def answer_line(case: Case, listener: Listener, line: Json) -> Json:
    """The answer to one line.

    Args:
        line: `{id, character, message, previous?: {message, topic}}`.

    Returns:
        `{id, decision, topics, clue}`; `clue` is what this turn would award if its topic stood
        one step before it.

    Raises:
        ValueError: the line names a character or a topic that the case does not have.
        KeyError: a field is missing.
    """
    character = case.characters.get(CharacterId(line["character"]))
    if character is None:
        known = ", ".join(case.characters)
        raise ValueError(f"character '{line['character']}' is not in the case; there are: {known}")
    previous = (line.get("previous") or {}).get("topic")
    if previous is not None:
        previous = TopicId(str(previous).rpartition(".")[2])
        if previous not in character.topics:
            known = ", ".join(character.topics)
            raise ValueError(f"previous topic '{previous}' is not one of: {known}")
    reading = listener.listen(character.id, line["message"], previous)
    told = reading.topics[:1] if reading.decision == "answer" else ()
    clues = [clue for topic in told for clue in character.topics[topic].clues]
    return {
        "id": line["id"],
        "decision": reading.decision,
        "topics": list(reading.topics),
        "clue": clues[0] if clues else None,
    }
