"""What can be reached, and by the fewest moves.

A shortest way (`plan`) is a smallest set of moves closed under what each needs, see
`amazonia.domain.search`; `amazonia.domain.moves` says what the moves are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from amazonia.domain.case import Case, Ending, Verdict
from amazonia.domain.moves import (
    Atoms,
    Model,
    Move,
    all_answers,
    model,
    reach,
    start_atoms,
    ways_of,
)
from amazonia.domain.publication import first_fitting
from amazonia.domain.search import in_order, short_way, shortest_way
from amazonia.domain.session import State, begin

__all__ = [
    "Atoms",
    "Model",
    "Move",
    "all_answers",
    "can_win",
    "model",
    "next_move",
    "plan",
    "reach",
    "start_atoms",
]


def can_win(world: Model, start: Iterable[str], without: Iterable[str] = ()) -> bool:
    """Whether the best ending can be reached from what holds now."""
    case = world.case
    have = reach(world, start, without)
    best = next(e for e in case.publication.endings if e.id == case.publication.best)
    return any(needs <= have for needs, _ in editions(case, best))


def plan(
    case: Case, state: State | None = None, ending: str | None = None, quick: bool = False
) -> list[Move]:
    """A shortest way from a state to an ending, publishing included.

    Args:
        state: from the beginning if None. Answers already given to counter-questions stand.
        ending: the best one if None.
        quick: a short way in some milliseconds instead of a shortest one.

    Returns:
        The moves in an order in which they can be made; empty if there is no way.
    """
    state = state or begin(case)
    goal = next(e for e in case.publication.endings if e.id == (ending or case.publication.best))
    start = start_atoms(case, state)
    given = {counter: option for counter, option in state.counters.items() if option}
    found = _best_plan(model(case), goal, start, quick)
    answered = [*given, *(move.subject for move in found if move.do == "counter")]
    if len(answered) == len(set(answered)):
        return found
    worlds = (
        model(case, answers)
        for answers in all_answers(case)
        if all(answers[counter] == option for counter, option in given.items())
    )
    plans = (_best_plan(world, goal, start, quick) for world in worlds)
    return min(filter(None, plans), key=len, default=[])


def _best_plan(world: Model, goal: Ending, start: Atoms, quick: bool) -> list[Move]:
    best: list[Move] = []
    for needs, claims in editions(world.case, goal):
        found = short_way(world, start, needs)
        if found is not None and not quick:
            limit = sum(action.move is not None for action in found)
            if best:
                limit = min(limit, len(best) - 1)
            found = shortest_way(world, start, needs, limit - 1) or found
        if found is not None:
            publish = Move("publish", world.case.id, clues=claims)
            moves = [*in_order(found, start), publish]
            best = moves if not best or len(moves) < len(best) else best
    return best


# ── endings ─────────────────────────────────────────────────────────────────────────────────────


def editions(case: Case, ending: Ending) -> Iterator[tuple[Atoms, tuple[str, ...]]]:
    """Pairs (what must hold, the claims to publish) that come to this ending, cheap ones first."""
    publication = case.publication
    verdicts = {c.id: _verdict_of(c.truth, c.harmful) for c in publication.claims.values()}
    if ending.claims is not None:
        chosen = [tuple(sorted(way)) for way in ending.claims.ways]
    else:
        wanted: frozenset[Verdict] = ending.any or frozenset({"proved"})
        chosen = [(name,) for name, verdict in verdicts.items() if verdict in wanted]
    for claims in chosen:
        if first_fitting(case, {name: verdicts[name] for name in claims}) is ending:
            yield from _publishable(case, claims)


def _verdict_of(truth: str, harmful: bool) -> Verdict:
    match truth:
        case "true":
            return "proved"
        case "false":
            return "false"
    return "harmful" if harmful else "unproven"


def _publishable(case: Case, names: tuple[str, ...]) -> Iterator[tuple[Atoms, tuple[str, ...]]]:
    claims = [case.publication.claims[name] for name in names]
    gates = [gate for claim in claims for gate in (claim.when, claim.needs)]
    for needs in ways_of(case.publication.when, *gates):
        yield needs, names


# ── the search ──────────────────────────────────────────────────────────────────────────────────

# ── hints ───────────────────────────────────────────────────────────────────────────────────────


def next_move(case: Case, state: State) -> Move | None:
    """The first move of a short way to the best ending from here; None if there is none."""
    moves = plan(case, state, quick=True)
    return moves[0] if moves else None
