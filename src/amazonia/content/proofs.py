"""Proofs about a case's logic, which hold whoever speaks: the same in every language, no model.

Each proof is a generator of faults; its docstring says what holds where it yields nothing. Most
faults carry the shortest moves that show them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

from amazonia.content.secrecy import closed_worlds
from amazonia.domain.case import Case, Confrontation, Riddle, RiddleId
from amazonia.domain.gates import Gate
from amazonia.domain.moves import (
    Answers,
    Atoms,
    Model,
    Move,
    all_answers,
    model,
    reach,
    start_atoms,
    ways_of,
)
from amazonia.domain.search import in_order, short_way, shortest_way
from amazonia.domain.session import begin
from amazonia.domain.solve import can_win, plan

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a proof fails: where in case.yaml, in both languages, and the moves that show it."""

    code: str
    path: Path
    english: str
    portuguese: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proof:
    """A case with what its proofs share."""

    case: Case

    @cached_property
    def start(self) -> Atoms:
        """What holds at the beginning."""
        return start_atoms(self.case, begin(self.case))

    @cached_property
    def world(self) -> Model:
        """Every move, whatever is answered to counter-questions."""
        return model(self.case)

    @cached_property
    def worlds(self) -> list[tuple[Answers, Model]]:
        """For every combination of answers its moves."""
        return [(answers, model(self.case, answers)) for answers in all_answers(self.case)]

    @cached_property
    def winnable(self) -> list[tuple[Answers, Model]]:
        """The worlds that can be won, or all if none can: P05 tells of the others."""
        won = [(answers, world) for answers, world in self.worlds if can_win(world, self.start)]
        return won or self.worlds

    @cached_property
    def ways(self) -> dict[str, list[Move]]:
        """A way to each ending; that to the best is a shortest."""
        best = self.case.publication.best
        return {
            ending.id: plan(self.case, ending=ending.id, quick=ending.id != best)
            for ending in self.case.publication.endings
        }

    def shown(self, needs: Atoms, without: Atoms = frozenset()) -> tuple[str, ...]:
        """The fewest moves to where `needs` hold, none of which gives anything of `without`."""
        moves = tuple(a for a in self.world.actions if not a.gives & without)
        givers = {atom: tuple(a for a in g if a in moves) for atom, g in self.world.givers.items()}
        world = Model(self.case, moves, givers)
        wanted = frozenset(n for n in needs if n in reach(world, self.start))
        found = short_way(world, self.start, wanted)
        if found is None:
            return ()
        limit = sum(action.move is not None for action in found)
        if limit <= MOST_SEARCHED:
            found = shortest_way(world, self.start, wanted, limit - 1) or found
        return tuple(notation(move) for move in in_order(found, self.start))


MOST_SEARCHED = 16
"""A way of more moves is shown as it was found: the shortest could take minutes to find."""


def notation(move: Move) -> str:
    """A move in the notation of gates, which needs no translation."""
    match move.do:
        case "chat":
            shown = f" + mostra:{move.show}" if move.show else ""
            return f"{move.subject}@{move.detail}{shown}"
        case "counter":
            return f"{move.subject}_{move.detail}"
        case "confront":
            return f"{move.subject}/{move.detail}: {' + '.join(move.clues)}"
        case "publish":
            return f"publica: {' + '.join(move.clues)}"
    return f"{move.subject}{': ' if move.clues else ''}{' + '.join(move.clues)}"


def prove(proof: Proof) -> Iterator[Fault]:
    """Everything that does not hold."""
    for check in PROOFS:
        yield from check(proof)


# ── reach ───────────────────────────────────────────────────────────────────────────────────────


def everything_is_reachable(proof: Proof) -> Iterator[Fault]:
    """P01: required clues, riddles, confrontations, characters, endings: whatever is answered."""
    case = proof.case
    gates: dict[Path, tuple[str, Gate]] = {
        **{("clues", c): (c, _atom(c)) for c in sorted(case.guarded_clues)},
        **{("riddles", r): (r, _atom(r)) for r in case.riddles},
        **{("confrontations", c): (c, _atom(c)) for c in case.confrontations},
        **{("characters", c.id): (c.id, c.when) for c in case.characters.values()},
    }
    told: set[Path] = set()
    for answers, world in proof.winnable:
        have = reach(world, proof.start)
        for path, (name, gate) in gates.items():
            if path not in told and not gate.open(have.__contains__):
                told.add(path)
                waits = ", ".join(sorted(_waits_for(world, have, gate)))
                yield Fault(
                    "P01",
                    path,
                    f"'{name}' cannot be reached{_when(answers)}: nothing gives {waits}",
                    f"'{name}' não pode ser alcançado{_quando(answers)}: nada dá {waits}",
                    proof.shown(_asked_and(answers)),
                )
    for name, way in proof.ways.items():
        if not way:
            path = ("publication", "endings", name)
            english = f"ending '{name}' cannot be reached"
            yield Fault("P01", path, english, f"o final '{name}' não pode ser alcançado")


def _waits_for(world: Model, have: Atoms, gate: Gate) -> Atoms:
    """What is missing at the bottom: atoms that nothing gives, or that only wait for each other."""
    todo: list[str] = sorted(gate.missing(have.__contains__))
    seen, bottom = set[str](), set[str]()
    while todo:
        atom = todo.pop()
        if atom in seen:
            continue
        seen.add(atom)
        needed = (a.needs - have for a in world.givers.get(atom, ()))
        givers: list[Atoms] = [needs for needs in needed if needs]
        if givers:
            todo += sorted(min(givers, key=sorted))
        else:
            bottom.add(atom)
    return frozenset(bottom or gate.missing(have.__contains__))


def there_is_always_a_way_out(proof: Proof) -> Iterator[Fault]:
    """P05: from every state that a team can reach, it can still come to the best ending.

    Nothing is ever taken back, so a state reaches all that the beginning reaches, but for the
    counter-questions, whose first answer stands: the proof is made for every answer to them.
    """
    lost = [answers for answers, world in proof.worlds if not can_win(world, proof.start)]
    if len(lost) == len(proof.worlds):
        return  # P01 says that the best ending cannot be reached at all
    for some in _smallest_part(proof, lost):
        given = " + ".join(f"{counter}_{option}" for counter, option in some.items())
        yield Fault(
            "P05",
            ("counters", next(iter(some))),
            f"after {given} the best ending cannot be reached any more",
            f"depois de {given} o melhor final não pode mais ser alcançado",
            proof.shown(_asked_and(some)),
        )


def _smallest_part(proof: Proof, lost: list[Answers]) -> Iterator[Answers]:
    """The fewest answers that lose by themselves, whatever the others are."""
    told: list[Answers] = []
    for size in range(1, len(proof.case.counters) + 1):
        for names in combinations(proof.case.counters, size):
            for options in product(*(proof.case.counters[name].options for name in names)):
                some = dict(zip(names, options, strict=True))
                cases = [a for a, _ in proof.worlds if some.items() <= a.items()]
                smaller = any(one.items() <= some.items() for one in told)
                if not smaller and all(answers in lost for answers in cases):
                    told.append(some)
                    yield some


def nothing_hangs_on_one_thing(proof: Proof) -> Iterator[Fault]:
    """P02: without any one topic, or any one character, the case can still be won."""
    case = proof.case
    subjects: list[tuple[str, Path, str, str]] = [
        *(
            (
                topic.key,
                ("characters", topic.character, "topics", topic.id),
                f"without topic {topic.key}",
                f"sem o assunto {topic.key}",
            )
            for topic in case.topics()
        ),
        *(
            (
                f"{name}.",
                ("characters", name),
                f"without talking to {name}",
                f"sem falar com {name}",
            )
            for name in case.characters
        ),
    ]
    for subject, path, english, portuguese in subjects:
        for answers, world in proof.winnable:
            have = reach(world, proof.start, (subject,))
            lost = sorted(case.guarded_clues - have)
            if not lost and can_win(world, proof.start, (subject,)):
                continue
            what = ", ".join(lost) or case.publication.best
            yield Fault(
                "P02",
                path,
                f"{english} there is no way to {what}{_when(answers)}; give it a second way",
                f"{portuguese} não há caminho até {what}{_quando(answers)}; dê um segundo caminho",
            )
            break


def optional_content_is_optional(proof: Proof) -> Iterator[Fault]:
    """P11: without any one optional clue the best ending can be reached."""
    for clue in proof.case.clues.values():
        if clue.weight != "optional" or clue.id in proof.case.start:
            continue
        for answers, world in proof.winnable:
            left = tuple(a for a in world.actions if clue.id not in a.gives)
            if not can_win(Model(proof.case, left, world.givers), proof.start):
                yield Fault(
                    "P11",
                    ("clues", clue.id),
                    f"is optional, but without it the case cannot be won{_when(answers)}; "
                    "make it `required` or give another way",
                    f"é opcional, mas sem ela o caso não se ganha{_quando(answers)}; "
                    "ponha `required` ou dê outro caminho",
                    proof.shown(frozenset({clue.id})),
                )
                break


# ── evidence ────────────────────────────────────────────────────────────────────────────────────


def no_single_clue_convicts(proof: Proof) -> Iterator[Fault]:
    """P03: a round of a confrontation, or a link riddle, takes two clues or more."""
    for path, owner, way in _single_ways(proof.case):
        clue = ", ".join(sorted(way)) or "nada"
        yield Fault(
            "P03",
            path,
            f"a single clue convicts in {path[-1]}: {clue}; ask for two or more",
            f"uma só pista condena em {path[-1]}: {clue}; peça duas ou mais",
            proof.shown(owner | way),
        )


def _single_ways(case: Case) -> Iterator[tuple[Path, Atoms, Atoms]]:
    for riddle in case.riddles.values():
        ways = [way for accepted in riddle.accepts for way in accepted.clues.ways]
        if way := next((way for way in ways if len(way) < 2), None):
            yield ("riddles", riddle.id), riddle.when.ways[0], way
    for scene in case.confrontations.values():
        for round_ in scene.rounds.values():
            if way := next((way for way in round_.accepts.ways if len(way) < 2), None):
                opened = scene.when.ways[0] | round_.when.ways[0]
                yield ("confrontations", scene.id, "rounds", round_.id), opened, way


def nobody_is_confronted_too_early(proof: Proof) -> Iterator[Fault]:
    """P06: a confrontation does not open before what it `requires` was found."""
    for scene in proof.case.confrontations.values():
        if scene.requires is None:
            continue
        for missing, have in closed_worlds(proof.case, scene.requires, proof.world):
            way = next((way for way in scene.when.ways if way <= have), None)
            if way is None:
                continue
            lacks = ", ".join(sorted(missing))
            yield Fault(
                "P06",
                ("confrontations", scene.id),
                f"can be entered without {lacks}, which it requires; make `when` stricter",
                f"pode começar sem {lacks}, que ela exige; aperte o `when`",
                proof.shown(way, missing),
            )
            break


def evidence_has_two_routes(proof: Proof) -> Iterator[Fault]:
    """P07: who is confronted can be convicted by two sets of clues that share none."""
    for claim in proof.case.publication.claims.values():
        scenes = [c for c in proof.case.confrontations.values() if c.id in claim.needs.atoms()]
        if not scenes:
            continue
        routes = [route for scene in scenes for route in _routes(proof.case, scene)]
        if any(one.isdisjoint(other) for one, other in combinations(routes, 2)):
            continue
        shared = ", ".join(sorted(frozenset.intersection(*routes))) if routes else ""
        yield Fault(
            "P07",
            ("publication", "claims", claim.id),
            f"there are no two sets of clues for '{claim.id}' that share none"
            + (f"; all hold {shared}" if shared else ""),
            f"não há dois conjuntos de pistas para '{claim.id}' sem pista em comum"
            + (f"; todos têm {shared}" if shared else ""),
        )


def _routes(case: Case, scene: Confrontation) -> list[Atoms]:
    """The sets of clues that win a confrontation, with those of the riddles that open it."""
    riddles = ([r for r in way if r in case.riddles] for way in scene.when.ways)
    opening = {
        evidence
        for names in riddles
        for evidence in ways_of(*(_evidence(case.riddles[RiddleId(name)]) for name in names))
    }
    rounds = [round_.accepts for round_ in scene.rounds.values()]
    won = {way for some in combinations(rounds, scene.wins) for way in ways_of(*some)}
    routes = {one | other for one in opening for other in won}
    return [route for route in routes if not any(other < route for other in routes)]


def _evidence(riddle: Riddle) -> Gate:
    """The clues that a link riddle takes; another riddle takes none."""
    ways = tuple(way for accepted in riddle.accepts for way in accepted.clues.ways)
    return Gate(ways or (frozenset(),))


def false_clues_fall(proof: Proof) -> Iterator[Fault]:
    """P08: every false clue can be refuted, whatever is answered."""
    for clue in proof.case.clues.values():
        if clue.weight != "false":
            continue
        path = ("clues", clue.id)
        if clue.falls is None:
            yield Fault(
                "P08",
                path,
                "is false and nothing refutes it; add `falls`",
                "é falsa e nada a desmente; acrescente `falls`",
            )
            continue
        for answers, world in proof.winnable:
            have = reach(world, proof.start)
            if not clue.falls.open(have.__contains__):
                yield Fault(
                    "P08",
                    path,
                    f"is false and cannot be refuted{_when(answers)}",
                    f"é falsa e não pode ser desmentida{_quando(answers)}",
                    proof.shown(frozenset({clue.id}) | _asked_and(answers)),
                )
                break


# ── length ──────────────────────────────────────────────────────────────────────────────────────

OPENING = 3.0
MINUTES = {"chat": 1.0, "counter": 0.5, "riddle": 3.0, "confront": 3.0, "publish": 4.0}
"""Minutes that a team of three takes for a move that succeeds, reading and talking included."""
TYPICAL = {"chat": 2.0, "riddle": 1.5, "confront": 1.5}
"""How often a typical team makes such a move for one of the shortest way."""
BRISK = 0.25
"""The share of the lesson that even the shortest way has to fill."""


def lengths(case: Case, way: list[Move]) -> tuple[float, float]:
    """Minutes of the shortest way, and of a typical team on it."""
    shortest = OPENING + sum(MINUTES[move.do] for move in way)
    typical = OPENING + sum(MINUTES[move.do] * TYPICAL.get(move.do, 1.0) for move in way)
    return shortest, typical


def it_fits_the_lesson(proof: Proof) -> Iterator[Fault]:
    """P10: a typical team ends within the lessons declared; the fastest fills a quarter of them."""
    way = proof.ways[proof.case.publication.best]
    if not way:
        return
    shortest, typical = lengths(proof.case, way)
    minutes = proof.case.minutes
    steps = tuple(map(notation, way))
    if typical > minutes:
        yield Fault(
            "P10",
            ("lesson",),
            f"a typical team needs about {typical:.0f} minutes and has {minutes}",
            f"um grupo típico precisa de uns {typical:.0f} minutos e tem {minutes}",
            steps,
        )
    if shortest < BRISK * minutes:
        yield Fault(
            "P10",
            ("lesson",),
            f"a fast team ends after {shortest:.0f} of {minutes} minutes; declare less time",
            f"um grupo rápido acaba em {shortest:.0f} de {minutes} minutos; declare menos tempo",
            steps,
        )


# ── words ───────────────────────────────────────────────────────────────────────────────────────


def _atom(name: str) -> Gate:
    return Gate((frozenset({name}),))


def _asked_and(answers: Answers) -> Atoms:
    return frozenset(f"{counter}_{option}" for counter, option in answers.items())


def _when(answers: Answers) -> str:
    given = " + ".join(f"{counter}_{option}" for counter, option in answers.items())
    return f" after {given}" if given else ""


def _quando(answers: Answers) -> str:
    return _when(answers).replace(" after ", " depois de ")


PROOFS: tuple[Callable[[Proof], Iterator[Fault]], ...] = (
    everything_is_reachable,
    there_is_always_a_way_out,
    nothing_hangs_on_one_thing,
    optional_content_is_optional,
    no_single_clue_convicts,
    nobody_is_confronted_too_early,
    evidence_has_two_routes,
    false_clues_fall,
    it_fits_the_lesson,
)
