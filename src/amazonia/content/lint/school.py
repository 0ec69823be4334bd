"""What a school relies on: skills, facts, and answers that are not guessed by their place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from amazonia.content.consistency import nearest
from amazonia.content.files import read_sheet
from amazonia.content.lint.draft import Draft
from amazonia.errors import Finding

SKILLS = Path(__file__).parents[1] / "bncc.yaml"
SHAPE = re.compile(r"EF\d\d[A-Z]{2}\d\d|EM13[A-Z]{2,3}\d{2,3}")
"""How a skill of the BNCC is written: EF07CI08, EM13CNT105, EM13CO10."""
FEW = 6
"""With fewer questions the places of their answers say nothing."""
MOST = 0.6
"""The share of right answers that may stand at the same place."""


@cache
def skills() -> frozenset[str]:
    """The skills that `bncc.yaml` lists."""
    return frozenset(read_sheet(SKILLS).data)


def skills_exist(draft: Draft) -> Iterator[Finding]:
    """L12: a skill is written as in the BNCC, and is in the list that was read there."""
    places: list[tuple[tuple[str | int, ...], str]] = [
        *((("bncc", number), code) for number, code in enumerate(draft.case.bncc)),
        *((("challenges", c.id, "bncc"), c.bncc) for c in draft.case.challenges.values()),
    ]
    for path, code in places:
        if code in skills():
            continue
        near = nearest(code, skills())
        if SHAPE.fullmatch(code):
            fault = f"'{code}' is not in content/bncc.yaml{near.english}"
            falha = f"'{code}' não está em content/bncc.yaml{near.portuguese}"
            fault += "; if the BNCC has it, add it there with its page"
            falha += "; se a BNCC o tem, acrescente-o lá com a página"
        else:
            fault = f"'{code}' is no skill of the BNCC (EF07CI08, EM13CNT105){near.english}"
            falha = f"'{code}' não é uma habilidade da BNCC (EF07CI08, EM13CNT105)"
            falha += near.portuguese
        yield draft.sheet.finding("L12", path, fault, falha)


def facts_are_cited(draft: Draft) -> Iterator[Finding]:
    """L06: who gives a clue that is real, or adapted from what is, cites the fact behind it."""
    for topic in draft.case.topics():
        for clue in topic.clues:
            if draft.case.clues[clue].basis == "real" and not topic.facts:
                path = ("characters", topic.character, "topics", topic.id)
                fault = f"tells '{clue}', which is real, and cites no fact; add `facts`"
                falha = f"conta '{clue}', que é real, e não cita fato; acrescente `facts`"
                yield draft.sheet.finding("L06", path, fault, falha)


def answers_stand_anywhere(draft: Draft) -> Iterator[Finding]:
    """L13: right answers do not stand mostly at the same place of their list."""
    places = [c.options.index(c.answer) for c in draft.case.challenges.values()]
    places += [
        riddle.options.index(riddle.answer[0])
        for riddle in draft.case.riddles.values()
        if riddle.options and len(riddle.answer) == 1
    ]
    if len(places) < FEW:
        return
    ((place, times),) = Counter(places).most_common(1)
    if times > MOST * len(places):
        fault = f"{times} of {len(places)} right answers stand at place {place + 1}; mix them"
        falha = f"{times} de {len(places)} respostas certas estão na posição {place + 1}; misture"
        yield draft.sheet.finding("L13", ("challenges",), fault, falha)
