"""Cases of a few topics, built by hand, whose every state can be visited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amazonia.domain.case import (
    Case,
    Character,
    CharacterId,
    Claim,
    Clue,
    ClueId,
    Counter,
    CounterId,
    Ending,
    Publication,
    Riddle,
    RiddleId,
    Step,
    Topic,
    TopicId,
)
from amazonia.domain.gates import OPEN, parse
from amazonia.domain.session import (
    ClueFound,
    CounterAnswered,
    CounterAsked,
    Event,
    EvidenceShown,
    RiddleTried,
    State,
    TopicDeepened,
    begin,
    opens,
    play,
)

Steps = Sequence[tuple[str, str]]
ANA = CharacterId("ana")


def tiny(
    topics: Mapping[str, tuple[str, Steps]],
    needs: str,
    riddles: Mapping[str, str] | None = None,
    asks: Mapping[str, str] | None = None,
) -> Case:
    """A case of one character.

    Args:
        topics: name → (gate, steps), each step a pair (gate, clue or "").
        needs: what the winning claim needs.
        riddles: name → gate.
        asks: topic → the counter-question (of answers a and b) that its first step asks.
    """
    told = {
        TopicId(name): Topic(
            TopicId(name),
            ANA,
            parse(when),
            tuple(
                Step(
                    when=parse(gate),
                    clue=ClueId(clue) if clue else None,
                    asks=CounterId((asks or {})[name]) if not i and name in (asks or {}) else None,
                )
                for i, (gate, clue) in enumerate(steps)
            ),
        )
        for name, (when, steps) in topics.items()
    }
    clues = {clue for _, steps in topics.values() for _, clue in steps if clue}
    return Case(
        id="tiny",
        revision="",
        start=(),
        clock=(0, 60),
        minutes=50,
        bncc=(),
        acts=(("w0", OPEN),),
        characters={ANA: Character(ANA, OPEN, "", {"calm": "calm"}, told)},
        clues={ClueId(c): Clue(ClueId(c), "required", "fiction", "letter") for c in sorted(clues)},
        riddles={
            RiddleId(name): Riddle(RiddleId(name), "choice", parse(gate), ("a",), ("a",))
            for name, gate in (riddles or {}).items()
        },
        challenges={},
        counters={
            CounterId(name): Counter(CounterId(name), ANA, ("a", "b"))
            for name in sorted(set((asks or {}).values()))
        },
        confrontations={},
        publication=Publication(
            when=OPEN,
            claims={"t1": Claim("t1", OPEN, "true", parse(needs))},
            decisions={},
            endings=(
                Ending("lost", any=frozenset({"unsupported"})),
                Ending("won", claims=parse("t1")),
            ),
            best="won",
            epilogue={},
        ),
        secrets={},
        marks={},
        sources={},
        words={},
    )


def moves(case: Case, state: State) -> list[list[Event]]:
    """Everything that a team can do in a state, each as its events."""
    found: list[list[Event]] = []
    for topic in case.topics():
        depth = state.depth.get(topic.key, 0)
        if depth == len(topic.steps):
            continue
        step = topic.steps[depth]
        for shown in (None, *state.clues):
            events: list[Event] = [EvidenceShown(ANA, shown)] if shown else []
            after = play(state, events)
            if opens(case, after, topic.when) and opens(case, after, step.when):
                events.append(TopicDeepened(ANA, topic.id, depth + 1))
                if step.clue:
                    events.append(ClueFound(step.clue, topic.key))
                if step.asks:
                    events.append(CounterAsked(step.asks))
                found.append(events)
    found += [
        [RiddleTried(riddle.id, True)]
        for riddle in case.riddles.values()
        if opens(case, state, riddle.when) and not state.solved(riddle.id)
    ]
    for counter, answer in state.counters.items():
        if not answer:
            found += [[CounterAnswered(counter, option)] for option in ("a", "b")]
    return found


def fewest(case: Case) -> int | None:
    """The fewest moves to the best ending, publishing included, by trying them all."""
    goal = case.publication.claims["t1"].needs
    wave, seen = [begin(case)], set[tuple]()
    count = 1
    while wave:
        if any(opens(case, state, goal) for state in wave):
            return count
        following = []
        for state in wave:
            for events in moves(case, state):
                after = play(state, events)
                key = (
                    frozenset(after.clues),
                    frozenset(after.depth.items()),
                    frozenset(after.riddles),
                    frozenset(after.counters.items()),
                    after.shown,
                )
                if key not in seen:
                    seen.add(key)
                    following.append(after)
        wave, count = following, count + 1
    return None
