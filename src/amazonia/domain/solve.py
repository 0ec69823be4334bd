"""What can be reached, and by the fewest moves.

The game is monotone, so it is a planning problem without deletions: what a state can reach is a
fixpoint (`reach`), and a shortest way is a smallest set of moves closed under what each needs
(`plan`), found by branch and bound over who gives what. A counter-question's first answer stands,
so plans are made for one fixed answer each (`answers`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product

from amazonia.domain.case import (
    Case,
    Character,
    Confrontation,
    CounterId,
    Ending,
    Riddle,
    Topic,
    Verdict,
)
from amazonia.domain.gates import OPEN, Gate
from amazonia.domain.session import State, atoms, begin

Atoms = frozenset[str]
Answers = Mapping[CounterId, str]


@dataclass(frozen=True, slots=True)
class Move:
    """One thing a team does.

    Attributes:
        do: chat, riddle, challenge, counter, confront or publish.
        subject: a topic's key, or the id of a riddle, counter-question or confrontation.
        detail: the step of a topic, the answer to a counter-question, the round.
        show: a clue that is laid on the table with the question.
        clues: those laid down in a confrontation or a link riddle.
        choice: the union or the reason.
    """

    do: str
    subject: str
    detail: str = ""
    show: str = ""
    clues: tuple[str, ...] = ()
    choice: str = ""


@dataclass(frozen=True, slots=True)
class _Action:
    """A move in one of the ways in which it can be made; `needs` all hold before, `gives` after."""

    needs: Atoms
    gives: Atoms
    move: Move | None


@dataclass(frozen=True, slots=True)
class Model:
    """Every move of a case, with what it needs and gives, for one answer to each question."""

    case: Case
    actions: tuple[_Action, ...]
    givers: Mapping[str, tuple[_Action, ...]] = field(repr=False)


def all_answers(case: Case) -> Iterator[dict[CounterId, str]]:
    """Every combination of answers to the counter-questions."""
    names = list(case.counters)
    for options in product(*(case.counters[name].options for name in names)):
        yield dict(zip(names, options, strict=True))


def model(case: Case, answers: Answers | None = None) -> Model:
    """The moves of a case. Without `answers` every option of a counter-question is a move."""
    actions = tuple(_actions(case, answers))
    givers: dict[str, list[_Action]] = {}
    for action in actions:
        for atom in action.gives:
            givers.setdefault(atom, []).append(action)
    return Model(case, actions, {atom: tuple(found) for atom, found in givers.items()})


def reach(world: Model, start: Iterable[str], without: Iterable[str] = ()) -> Atoms:
    """Everything that can hold some day.

    Args:
        start: what holds now.
        without: subjects (topics' keys, riddles, characters with a dot after: ``josue.``) that
            are taken away, to prove that the case does not hang on them.
    """
    gone = tuple(without)
    have = set(start)
    left = [a for a in world.actions if not (gone and a.move and _is_gone(a.move, gone))]
    while True:
        possible = [a for a in left if a.needs <= have]
        if not possible:
            return frozenset(have)
        for action in possible:
            have |= action.gives
        left = [a for a in left if not a.gives <= have]


def can_win(world: Model, start: Iterable[str], without: Iterable[str] = ()) -> bool:
    """Whether the best ending can be reached from what holds now."""
    case = world.case
    have = reach(world, start, without)
    best = next(e for e in case.publication.endings if e.id == case.publication.best)
    return any(needs <= have for needs, _ in _editions(case, best))


def start_atoms(case: Case, state: State) -> Atoms:
    """What holds in a state; counter-questions that were asked and rounds won included."""
    won = {key for key, tries in state.rounds.items() if tries.right}
    return atoms(case, state) | {_asked(counter) for counter in state.counters} | won


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
    for needs, claims in _editions(world.case, goal):
        found = _short(world, start, needs)
        if found is not None and not quick:
            limit = sum(action.move is not None for action in found)
            if best:
                limit = min(limit, len(best) - 1)
            found = _smallest(world, start, needs, limit - 1) or found
        if found is not None:
            publish = Move("publish", world.case.id, clues=claims)
            moves = [*_in_order(found, start), publish]
            best = moves if not best or len(moves) < len(best) else best
    return best


# ── the moves of a case ─────────────────────────────────────────────────────────────────────────


def _actions(case: Case, answers: Answers | None) -> Iterator[_Action]:
    for character in case.characters.values():
        for topic in character.topics.values():
            yield from _tell(character, topic)
    for riddle in case.riddles.values():
        yield from _riddle(riddle)
    for counter in case.counters.values():
        options = counter.options if answers is None else (answers[counter.id],)
        for option in options:
            gives = frozenset({f"{counter.id}_{option}"})
            move = Move("counter", counter.id, option)
            yield _Action(frozenset({_asked(counter.id)}), gives, move)
    for confrontation in case.confrontations.values():
        yield from _rounds(confrontation)


def _tell(character: Character, topic: Topic) -> Iterator[_Action]:
    """Each step of a topic, in every way that its gates can be open."""
    for number, step in enumerate(topic.steps, 1):
        gives = {f"{topic.key}@{number}"}
        if step.clue:
            gives.add(step.clue)
        if step.asks:
            gives.add(_asked(step.asks))
        before = {f"{topic.key}@{number - 1}"} if number > 1 else set()
        for way in _ways(character.when, topic.when, step.when):
            yield from _with_evidence(topic, number, way | before, frozenset(gives))


def _with_evidence(topic: Topic, number: int, needs: Atoms, gives: Atoms) -> Iterator[_Action]:
    """As it is and, where evidence must have been shown, showing it with the question."""
    key = topic.key
    yield _Action(needs, gives, Move("chat", key, str(number)))
    prefix = f"mostra:{topic.character}:"
    for atom in needs:
        if atom.startswith(prefix):
            clue = atom.removeprefix(prefix)
            shown = needs - {atom} | {clue}
            yield _Action(shown, gives | {atom}, Move("chat", key, str(number), show=clue))


def _riddle(riddle: Riddle) -> Iterator[_Action]:
    gives = frozenset({riddle.id})
    if riddle.type != "link":
        for way in riddle.when.ways:
            yield _Action(way, gives, Move("riddle", riddle.id))
        return
    unions = dict(riddle.unions)
    for accepted in riddle.accepts:
        for way in accepted.clues.ways:
            if len(way) != riddle.pick:
                continue
            clues = tuple(sorted(way))
            move = Move("riddle", riddle.id, clues=clues, choice=accepted.union)
            for needs in _ways(riddle.when, unions.get(accepted.union, OPEN)):
                yield _Action(needs | way, gives, move)


def _rounds(confrontation: Confrontation) -> Iterator[_Action]:
    for round_ in confrontation.rounds.values():
        right = next(reason for reason in round_.reasons if reason.right)
        for clues in round_.accepts.ways:
            if len(clues) > round_.pick:
                continue
            move = Move(
                "confront", confrontation.id, round_.id, clues=tuple(sorted(clues)), choice=right.id
            )
            gives = frozenset({f"{confrontation.id}/{round_.id}"})
            for way in _ways(confrontation.when, round_.when, right.when):
                yield _Action(way | clues, gives, move)
    won: set[str] = {confrontation.id}
    if confrontation.asks:
        won.add(_asked(confrontation.asks))
    names = sorted(f"{confrontation.id}/{name}" for name in confrontation.rounds)
    for rounds in combinations(names, confrontation.wins):
        yield _Action(frozenset(rounds), frozenset(won), None)


def _ways(*gates: Gate) -> Iterator[Atoms]:
    for ways in product(*(gate.ways for gate in gates)):
        yield frozenset().union(*ways)


def _asked(counter: str) -> str:
    return f"asked:{counter}"


def _is_gone(move: Move, gone: tuple[str, ...]) -> bool:
    return any(
        move.subject == name or (name.endswith(".") and move.subject.startswith(name))
        for name in gone
    )


# ── endings ─────────────────────────────────────────────────────────────────────────────────────


def _editions(case: Case, ending: Ending) -> Iterator[tuple[Atoms, tuple[str, ...]]]:
    """Pairs (what must hold, the claims to publish) that come to this ending, cheap ones first."""
    publication = case.publication
    if ending.claims is not None:
        for way in ending.claims.ways:
            yield from _publishable(case, tuple(sorted(way)))
        return
    wanted: frozenset[Verdict] = ending.any or frozenset({"proved"})
    for claim in publication.claims.values():
        if _verdict_of(claim.truth, claim.harmful) in wanted:
            yield from _publishable(case, (claim.id,))


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
    for needs in _ways(case.publication.when, *gates):
        yield needs, names


# ── the search ──────────────────────────────────────────────────────────────────────────────────


def _costs(world: Model, start: Atoms) -> dict[str, float]:
    """What each atom costs at most, counting shared needs twice (the additive estimate)."""
    costs = dict.fromkeys(start, 0.0)
    changed = True
    while changed:
        changed = False
        for action in world.actions:
            if all(need in costs for need in action.needs):
                cost = sum(costs[n] for n in action.needs) + (action.move is not None)
                for atom in action.gives:
                    if cost < costs.get(atom, 1e9):
                        costs[atom] = cost
                        changed = True
    return costs


def _short(world: Model, start: Atoms, needs: Atoms) -> list[_Action] | None:
    """A small set of actions that gives `needs`: each by its cheapest giver."""
    costs = _costs(world, start)
    if not all(need in costs for need in needs):
        return None
    chosen: list[_Action] = []
    have, todo = set(start), sorted(needs - start)
    while todo:
        need = max(todo, key=lambda atom: (costs[atom], atom))
        todo.remove(need)
        if need in have:
            continue
        able = (a for a in world.givers[need] if all(n in costs for n in a.needs))
        action = min(able, key=lambda a: sum(costs[n] for n in a.needs - have))
        chosen.append(action)
        have |= action.gives
        todo += sorted(n for n in action.needs if n not in have and n not in todo)
    return _well_founded(world, start, needs, costs) if _stuck(chosen, start) else chosen


def _well_founded(
    world: Model, start: Atoms, needs: Atoms, costs: Mapping[str, float]
) -> list[_Action]:
    """Actions that give `needs`, each by the giver that is cheapest alone: never in a circle."""
    chosen: list[_Action] = []
    have, todo = set(start), sorted(needs - start)
    while todo:
        need = todo.pop()
        if need in have:
            continue
        have.add(need)
        able = (a for a in world.givers[need] if all(n in costs for n in a.needs))
        action = min(able, key=lambda a: sum(costs[n] for n in a.needs) + (a.move is not None))
        if action not in chosen:
            chosen.append(action)
        todo += sorted(action.needs - have)
    return chosen


def _stuck(actions: Iterable[_Action], start: Atoms) -> Atoms:
    """What actions need that they only give each other, in a circle; empty if all can be made."""
    have, left = set(start), list(actions)
    while ready := [action for action in left if action.needs <= have]:
        left = [action for action in left if action not in ready]
        for action in ready:
            have |= action.gives
    return frozenset().union(*(action.needs for action in left)) - have


def _smallest(world: Model, start: Atoms, needs: Atoms, limit: int) -> list[_Action] | None:
    """The smallest set of actions that gives `needs`, if one of at most `limit` moves exists."""
    if not needs <= reach(world, start):
        return None
    search = _Search(world, start, limit)
    search.run(sorted(needs - start), [], frozenset())
    return search.best


class _Search:
    """Branch and bound: support one open need after the other, in every way that may pay."""

    def __init__(self, world: Model, start: Atoms, limit: int) -> None:
        self.world = world
        self.start = start
        self.limit = limit
        self.best: list[_Action] | None = None
        self.seen: dict[tuple[Atoms, Atoms], int] = {}

    def run(self, needs: list[str], chosen: list[_Action], given: Atoms, cost: int = 0) -> None:
        """Support every need; `given` is what the chosen actions give, `cost` their moves."""
        if cost + _at_least(needs) > self.limit:
            return
        if not needs:
            circle = _stuck(chosen, self.start)
            if not circle:
                self.best, self.limit = list(chosen), cost - 1
            for need in sorted(circle):  # some action from outside must break it
                givers = [a for a in self.world.givers.get(need, ()) if a not in chosen]
                self._branch(givers, needs, chosen, given, cost)
            return
        key = (frozenset(needs), given)
        if self.seen.get(key, 999) <= cost:
            return
        self.seen[key] = cost
        need = min(needs, key=lambda atom: (len(self.world.givers.get(atom, ())), atom))
        self._branch(self.world.givers.get(need, ()), needs, chosen, given, cost)

    def _branch(
        self,
        givers: Iterable[_Action],
        needs: list[str],
        chosen: list[_Action],
        given: Atoms,
        cost: int,
    ) -> None:
        """Go on with each of the givers of a need."""
        here = given | self.start
        for action in sorted(givers, key=lambda a: len(a.needs - here)):
            more = {*needs} - action.gives | (action.needs - here)
            now = given | action.gives
            self.run(sorted(more), [*chosen, action], now, cost + (action.move is not None))


def _at_least(needs: Iterable[str]) -> int:
    """Moves that are needed at least: no move gives two steps, riddles, answers or rounds."""
    steps = others = 0
    for atom in needs:
        if "@" in atom or "/" in atom or atom.startswith("r_"):
            steps += 1
        elif not atom.startswith(("asked:", "mostra:", "conf_")):
            others += 1
    return max(steps, others)


def _in_order(actions: Iterable[_Action], start: Atoms) -> list[Move]:
    """The moves in an order in which each can be made; empty if there is none.

    It stays with one character as long as that works.
    """
    have, left, moves = set(start), list(actions), []
    last = ""
    while left:
        ready = [action for action in left if action.needs <= have]
        if not ready:
            return []
        silent = [a for a in ready if a.move is None]
        near = [a for a in ready if a.move and a.move.subject.split(".")[0] == last]
        action = (silent or near or ready)[0]
        left.remove(action)
        have |= action.gives
        if action.move is not None:
            moves.append(action.move)
            last = action.move.subject.split(".")[0]
    return moves


# ── hints ───────────────────────────────────────────────────────────────────────────────────────


def next_move(case: Case, state: State) -> Move | None:
    """The first move of a short way to the best ending from here; None if there is none."""
    moves = plan(case, state, quick=True)
    return moves[0] if moves else None
