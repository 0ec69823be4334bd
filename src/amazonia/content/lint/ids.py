"""Ids: none without a use, none with two meanings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from amazonia.content.consistency import KINDS
from amazonia.content.lint.draft import Draft
from amazonia.errors import Finding


def nothing_is_unused(draft: Draft) -> Iterator[Finding]:
    """L09: what exists is used: clues are given, questions asked, emotions felt, sources cited."""
    case = draft.case
    given = {*case.start, *(clue for topic in case.topics() for clue in topic.clues)}
    asked = {step.asks for topic in case.topics() for step in topic.steps}
    asked |= {scene.asks for scene in case.confrontations.values()}
    for clue in case.clues:
        if clue not in given:
            fault = f"clue '{clue}' is given by no step and not at the start; give it or remove it"
            falha = f"nenhum passo dá a pista '{clue}'; dê-a num passo ou apague-a"
            yield draft.sheet.finding("L09", ("clues", clue), fault, falha)
    for counter in case.counters:
        if counter not in asked:
            fault = f"counter-question '{counter}' is asked by no step; add `asks` or remove it"
            falha = f"nenhum passo faz a contrapergunta '{counter}'; ponha `asks` ou apague-a"
            yield draft.sheet.finding("L09", ("counters", counter), fault, falha)
    yield from _emotions(draft)
    yield from _sources(draft)


def _emotions(draft: Draft) -> Iterator[Finding]:
    for name, character in draft.case.characters.items():
        felt = {
            wording.emotion
            for words in draft.case.words.values()
            for topic in words.characters[name].topics.values()
            for step in topic.steps
            for wording in (step, *step.instead.values())
        }
        for emotion in character.emotions:
            if emotion not in felt:
                fault = f"emotion '{emotion}' of {name} is in no step; use it or remove it"
                falha = f"a emoção '{emotion}' de {name} não está em nenhum passo; use ou apague"
                yield draft.sheet.finding("L09", ("characters", name, "emotions"), fault, falha)


def _sources(draft: Draft) -> Iterator[Finding]:
    if draft.sources is None:
        return
    case = draft.case
    cited: set[str] = set()
    cited.update(*(topic.facts for topic in case.topics()))
    cited.update(*(riddle.facts for riddle in case.riddles.values()))
    cited.update(*(challenge.facts for challenge in case.challenges.values()))
    cited.update(*(counter.facts for counter in case.counters.values()))
    cited.update(*(scene.facts for scene in case.confrontations.values()))
    cited.update(*(entry.facts for words in case.words.values() for entry in words.glossary))
    skills = {*case.bncc, *(challenge.bncc for challenge in case.challenges.values())}
    for fact, source in case.sources.items():
        if fact not in cited and source.skill not in skills:
            fault = f"source '{fact}' is cited nowhere; cite it in some `facts` or remove it"
            falha = f"a fonte '{fact}' não é citada em lugar nenhum; cite em `facts` ou apague"
            yield draft.sources.finding("L09", (fact,), fault, falha)


def names_mean_one_thing(draft: Draft) -> Iterator[Finding]:
    """L10: no id is listed twice, and none names two things that a gate could mean."""
    data = draft.sheet.data
    meant: dict[str, str] = {}
    for section, kind in _ATOMS.items():
        for name in data.get(section, {}):
            if name in meant:
                fault = f"'{name}' is a {meant[name]} already; gates could mean either: rename one"
                falha = f"'{name}' já é {KINDS[meant[name]]}; mude um dos dois nomes"
                yield draft.sheet.finding("L10", (section, name), fault, falha)
            meant.setdefault(name, kind)
    for path, names in _lists(data, ()):
        for name, times in Counter(names).items():
            if times > 1:
                fault = f"'{name}' is listed {times} times; once is enough"
                falha = f"'{name}' aparece {times} vezes na lista; basta uma"
                yield draft.sheet.finding("L10", path, fault, falha)


_ATOMS = {"clues": "clue", "riddles": "riddle", "confrontations": "confrontation"}


def _lists(
    value: object, at: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], list[str]]]:
    """Every list of plain names, with its path."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _lists(child, (*at, key))
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield at, value
        for number, child in enumerate(value):
            yield from _lists(child, (*at, number))
