"""A team's state under a newer revision of its case.

Ids that were renamed (`renamed` in case.yaml) carry on under their new names; what the case no
longer has is left out; clues that everybody starts with now are there. Nothing is written: the
state is read so each time, and events that come after it name what exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from amazonia.domain.case import Case, CharacterId, ClueId, CounterId, TopicId
from amazonia.domain.session import Published, State, Tries

_K = TypeVar("_K", bound=str)
_V = TypeVar("_V")


def fit(case: Case, state: State) -> State:
    """The state as this revision of the case has it."""
    new = case.renamed
    topics = {topic.key: len(topic.steps) for topic in case.topics()}
    clues = _known(_renamed(state.clues, new), case.clues)
    clues = (*clues, *(clue for clue in case.start if clue not in clues))
    rounds = {f"{c.id}/{name}" for c in case.confrontations.values() for name in c.rounds}
    depth = _merge(state.depth, lambda key: new.get(key, key), topics, max)
    return State(
        clues=clues,
        origins=_merge(state.origins, _namer(new), clues, _first) | _start(case, state),
        depth={key: min(told, topics[key]) for key, told in depth.items()},
        shown=frozenset(
            (who, clue)
            for who, old in state.shown
            if (clue := ClueId(new.get(old, old))) in case.clues and who in case.characters
        ),
        said={who: lines for who, lines in state.said.items() if who in case.characters},
        talk=_talk(case, state),
        counters={
            name: answer if answer in case.counters[name].options else ""
            for old, answer in state.counters.items()
            if (name := CounterId(new.get(old, old))) in case.counters
        },
        riddles=_merge(state.riddles, _namer(new), case.riddles, _tries),
        challenges=_merge(state.challenges, _namer(new), case.challenges, _tries),
        rounds=_merge(state.rounds, _scene(new), rounds, _tries),
        hints=_merge(
            state.hints, _namer(new), {*case.riddles, *case.challenges, case.id, *state.hints}, max
        ),
        links=frozenset(
            pair
            for old in state.links
            if len(pair := frozenset(_known(_renamed(old, new), case.clues))) == 2
        ),
        editions=tuple(_editions(case, state)),
    )


def _start(case: Case, state: State) -> dict[ClueId, str]:
    return {clue: "start" for clue in case.start if clue not in state.origins}


def _talk(case: Case, state: State) -> dict[CharacterId, TopicId]:
    talk = {}
    for who, old in state.talk.items():
        key = case.renamed.get(f"{who}.{old}", f"{who}.{old}")
        topic = TopicId(key.rpartition(".")[2])
        if who in case.characters and topic in case.characters[who].topics:
            talk[who] = topic
    return talk


def _editions(case: Case, state: State) -> Iterable[Published]:
    """Those whose ending is there, with the claims and decisions that are."""
    logic, new = case.publication, case.renamed
    endings = {ending.id for ending in logic.endings}
    for edition in state.editions:
        ending = new.get(edition.ending, edition.ending)
        claims = _known(_renamed(edition.claims, new), logic.claims)
        chosen = tuple(
            (name, option)
            for name, option in edition.decisions
            if name in logic.decisions and option in logic.decisions[name].options
        )
        if ending in endings and claims:
            yield Published(claims, chosen, ending)


# ── renaming ────────────────────────────────────────────────────────────────────────────────────


def _namer(new: Mapping[str, str]) -> Callable[[str], str]:
    return lambda name: new.get(name, name)


def _scene(new: Mapping[str, str]) -> Callable[[str], str]:
    """«confrontation/round» under the confrontation's new name."""

    def name(key: str) -> str:
        scene, _, round_ = key.partition("/")
        return f"{new.get(scene, scene)}/{round_}"

    return name


def _renamed(names: Iterable[_K], new: Mapping[str, str]) -> list[_K]:
    renamed: list[_K] = [new.get(name, name) for name in names]  # type: ignore[misc]
    return list(dict.fromkeys(renamed))


def _known(names: Iterable[_K], known: Iterable[str]) -> tuple[_K, ...]:
    there = set(known)
    return tuple(name for name in names if name in there)


def _merge(
    values: Mapping[_K, _V],
    name: Callable[[str], str],
    known: Iterable[str],
    both: Callable[[_V, _V], _V],
) -> dict[_K, _V]:
    """The values under their new names; where an old and a new name have one, `both` decides."""
    there, merged = set(known), dict[_K, _V]()
    for old, value in values.items():
        key: _K = name(old)  # type: ignore[assignment]
        if key in there:
            merged[key] = both(merged[key], value) if key in merged else value
    return merged


def _first(one: str, _: str) -> str:
    return one


def _tries(one: Tries, other: Tries) -> Tries:
    return Tries(one.count + other.count, one.right or other.right)
