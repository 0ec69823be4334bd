"""Proofs about a case: everything needed can be reached, from everywhere, by two routes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from amazonia.content.expectations import check_expectations
from amazonia.content.library import Library
from amazonia.domain.case import Case, Lang
from amazonia.domain.session import begin
from amazonia.domain.solve import Model, Move, all_answers, can_win, model, plan, reach, start_atoms
from amazonia.domain.walkthrough import Guide, NoWay
from amazonia.errors import BadCase, Finding


def check_case(library: Library, name: str) -> list[Finding]:
    """Load a case and prove it. An empty list means that every proof holds.

    Raises:
        UnknownCase: there is no such case.
    """
    try:
        case = library.case(name)
    except BadCase as exc:
        return list(exc.findings)
    folder = library.folder / name
    faults = [*_reachable(case), *_robust(case)]
    findings: list[Finding] = []
    best = case.publication.best
    ways = {e.id: plan(case, ending=e.id, quick=e.id != best) for e in case.publication.endings}
    for lang in case.words:
        faults += _playable(library, case, lang, ways)
        listener = library.listener(case, lang)
        findings += check_expectations(case, lang, listener, folder)
    file = str(folder / "case.yaml")
    return [*(Finding(code, file, 1, message) for code, message in faults), *findings]


Fault = tuple[str, str]


def _reachable(case: Case) -> Iterator[Fault]:
    """P01: every clue, riddle, character and ending can be reached, whatever is answered."""
    start = start_atoms(case, begin(case))
    for answers in all_answers(case):
        world = model(case, answers)
        have = reach(world, start)
        wanted = [c.id for c in case.clues.values() if c.weight == "required"]
        for name in (*wanted, *case.riddles, *case.confrontations):
            if name not in have:
                yield "P01", f"'{name}' cannot be reached with the answers {dict(answers)}"
        for character in case.characters.values():
            if not character.when.open(have.__contains__):
                yield "P01", f"character '{character.id}' cannot be reached"
    for ending in case.publication.endings:
        if not plan(case, ending=ending.id, quick=True):
            yield "P01", f"ending '{ending.id}' cannot be reached"


def _robust(case: Case) -> Iterator[Fault]:
    """P02: without any one topic, optional clue or character, the best ending stays reachable."""
    start = start_atoms(case, begin(case))
    for answers in all_answers(case):
        world = model(case, answers)
        for topic in case.topics():
            if not _stands(world, start, (topic.key,)):
                yield "P02", f"without topic {topic.key} the case cannot be won ({dict(answers)})"
        for character in case.characters:
            if not _stands(world, start, (f"{character}.",)):
                yield "P02", f"without talking to {character} the case cannot be won"
    single = [
        accepted
        for riddle in case.riddles.values()
        for accepted in riddle.accepts
        if any(len(way) < 2 for way in accepted.clues.ways)
    ]
    rounds = [
        round_.id
        for confrontation in case.confrontations.values()
        for round_ in confrontation.rounds.values()
        if any(len(way) < 2 for way in round_.accepts.ways)
    ]
    if single or rounds:
        yield "P03", f"a single clue convicts in {rounds or 'a link riddle'}; ask for two or more"


def _stands(world: Model, start: frozenset[str], without: tuple[str, ...]) -> bool:
    """The best ending and every required clue are reachable without these subjects."""
    have = reach(world, start, without)
    return can_win(world, start, without) and world.case.guarded_clues <= have


def _playable(
    library: Library, case: Case, lang: Lang, ways: Mapping[str, list[Move]]
) -> Iterator[Fault]:
    """P04: a walkthrough to each ending, really played with the director's ear."""
    guide = Guide(case, case.words[lang], library.listener(case, lang))
    for ending, moves in ways.items():
        if not moves:
            continue  # P01 says so
        try:
            guide.play(moves, ending)
        except NoWay as exc:
            yield "P04", f"{lang}: {exc}"
