"""The fewest moves that give what is needed: a plan without deletions, by branch and bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from amazonia.domain.moves import Action, Atoms, Model, Move, reach


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


def short_way(world: Model, start: Atoms, needs: Atoms) -> list[Action] | None:
    """A small set of actions that gives `needs`: each by its cheapest giver."""
    costs = _costs(world, start)
    if not all(need in costs for need in needs):
        return None
    chosen: list[Action] = []
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
) -> list[Action]:
    """Actions that give `needs`, each by the giver that is cheapest alone: never in a circle."""
    chosen: list[Action] = []
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


def _stuck(actions: Iterable[Action], start: Atoms) -> Atoms:
    """What actions need that they only give each other, in a circle; empty if all can be made."""
    have, left = set(start), list(actions)
    while ready := [action for action in left if action.needs <= have]:
        left = [action for action in left if action not in ready]
        for action in ready:
            have |= action.gives
    return frozenset().union(*(action.needs for action in left)) - have


def shortest_way(world: Model, start: Atoms, needs: Atoms, limit: int) -> list[Action] | None:
    """The smallest set of actions that gives `needs`, if one of at most `limit` moves exists."""
    if not needs <= reach(world, start):
        return None
    search = _Search(world, start, limit)
    search.run(sorted(_landmarks(world, start, needs) - start), [], frozenset())
    return search.best


class _Search:
    """Branch and bound: support one open need after the other, in every way that may pay."""

    def __init__(self, world: Model, start: Atoms, limit: int) -> None:
        self.world = world
        self.start = start
        self.limit = limit
        self.best: list[Action] | None = None
        self.at_least = _Bound(world)
        self.seen: dict[tuple[Atoms, Atoms], int] = {}

    def run(self, needs: list[str], chosen: list[Action], given: Atoms, cost: int = 0) -> None:
        """Support every need; `given` is what the chosen actions give, `cost` their moves."""
        if cost + self.at_least(needs, given | self.start) > self.limit:
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
        givers: Iterable[Action],
        needs: list[str],
        chosen: list[Action],
        given: Atoms,
        cost: int,
    ) -> None:
        """Go on with each of the givers of a need."""
        here = given | self.start
        for action in sorted(givers, key=lambda a: len(a.needs - here)):
            more = {*needs} - action.gives | (action.needs - here)
            now = given | action.gives
            self.run(sorted(more), [*chosen, action], now, cost + (action.move is not None))


class _Bound:
    """How many moves are needed at least: no move gives two steps, clues, answers or rounds.

    A clue at the end of a topic costs all the steps before it, if the topic gives no other clue.
    """

    def __init__(self, world: Model) -> None:
        case = world.case
        self.single: set[str] = set(case.riddles)
        self.single |= {f"{c.id}_{option}" for c in case.counters.values() for option in c.options}
        self.single |= {f"{c.id}/{name}" for c in case.confrontations.values() for name in c.rounds}
        self.topic: dict[str, str] = {}
        self.ways: dict[str, list[tuple[str, ...]]] = {}
        for topic in case.topics():
            steps = [f"{topic.key}@{number}" for number in range(1, len(topic.steps) + 1)]
            self.topic |= dict.fromkeys(steps, topic.key)
            for number, step in enumerate(topic.steps, 1):
                if step.clue:
                    alone = len(set(topic.clues)) == 1
                    way = tuple(steps[:number]) if alone else (steps[number - 1],)
                    self.ways.setdefault(step.clue, []).append(way)
        self.givers = {
            clue: frozenset(self.topic[way[-1]] for way in ways) for clue, ways in self.ways.items()
        }

    def __call__(self, needs: Iterable[str], here: Atoms) -> int:
        """The moves that `needs` cost at least, where `here` is there already."""
        single, steps, clues = 0, 0, 0
        paid: set[str] = set()
        topics: list[str] = []
        for atom in needs:
            if atom in self.topic:
                steps += 1
                topics.append(self.topic[atom])
            elif atom in self.ways:
                clues += min(sum(s not in here for s in way) or 1 for way in self.ways[atom])
                paid |= self.givers[atom]
            elif atom in self.single:
                single += 1
        return single + max(steps, clues + sum(topic not in paid for topic in topics))


def _landmarks(world: Model, start: Atoms, needs: Atoms) -> Atoms:
    """What every way to `needs` has to give: without it they are out of reach."""
    found = set(needs)
    for atom in world.givers:
        left = tuple(action for action in world.actions if atom not in action.gives)
        if not needs <= reach(Model(world.case, left, world.givers), start):
            found.add(atom)
    return frozenset(found)


def in_order(actions: Iterable[Action], start: Atoms) -> list[Move]:
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
