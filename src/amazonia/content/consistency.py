"""Do the parts of a case fit: does every id exist, has everything its words?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from amazonia.content.files import Sheet
from amazonia.domain.case import Case, Topic
from amazonia.domain.gates import OPEN
from amazonia.domain.words import CaseWords, TopicWords
from amazonia.errors import Finding

_Path = tuple[str | int, ...]


def nearest(name: str, known: Iterable[str]) -> str:
    """A suggestion to put after «there is no …», or nothing."""
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


# ── the logic ───────────────────────────────────────────────────────────────────────────────────


def check_references(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """L03: an id that does not exist. L06: a fact without a source."""
    for kind, names, known, at in _references(case):
        for name in names:
            if name not in known:
                fault = f"there is no {kind} '{name}'{nearest(name, known)}"
                yield sheet.finding("L03", at, fault)
    for facts, at in _facts(case):
        for fact in facts:
            if fact not in case.sources:
                fault = f"fact {fact} has no entry in sources.yaml; add its source"
                yield sheet.finding("L06", at, fault)


_Reference = tuple[str, Iterable[str], Iterable[str], _Path]


def _references(case: Case) -> Iterator[_Reference]:
    clues, people, claims = set(case.clues), set(case.characters), set(case.publication.claims)
    yield "clue", case.start, clues, ("start",)
    for topic in case.topics():
        at: _Path = ("characters", topic.character, "topics", topic.id)
        yield "clue", topic.clues, clues, at
        yield "counter-question", [s.asks for s in topic.steps if s.asks], set(case.counters), at
    for character in case.characters.values():
        at = ("characters", character.id, "shows")
        yield "clue", character.shows, clues, at
        yield "topic", character.shows.values(), set(character.topics), at
    for clue in case.clues.values():
        yield "clue", clue.links, clues, ("clues", clue.id)
        yield "claim", (*clue.supports, *clue.against), claims, ("clues", clue.id)
    for challenge in case.challenges.values():
        yield "character", [challenge.by], people, ("challenges", challenge.id)
    for counter in case.counters.values():
        yield "character", [counter.by], people, ("counters", counter.id)
    for confrontation in case.confrontations.values():
        at = ("confrontations", confrontation.id)
        yield "character", [confrontation.character], people, at
    for ending in case.publication.endings:
        if ending.headline:
            yield "claim", [ending.headline], claims, ("publication", "endings", ending.id)


def _facts(case: Case) -> Iterator[tuple[Iterable[str], _Path]]:
    for topic in case.topics():
        yield topic.facts, ("characters", topic.character, "topics", topic.id)
    for challenge in case.challenges.values():
        yield challenge.facts, ("challenges", challenge.id)
    for riddle in case.riddles.values():
        yield riddle.facts, ("riddles", riddle.id)


# ── the words ───────────────────────────────────────────────────────────────────────────────────


def check_words(case: Case, folder: Path) -> Iterator[Finding]:
    """L07: words that are missing. L08: words for what does not exist."""
    for lang, words in case.words.items():
        texts = folder / f"text.{lang}"
        main = folder / f"text.{lang}.yaml"
        for part in (_parts, _riddles, _choices, _confrontations, _publication):
            for kind, logic, found in part(case, words):
                yield from _same_ids(kind, logic, found, main)
        yield from _talk(case, words, texts)


_Pair = tuple[str, Iterable[str], Iterable[str]]


def _same_ids(
    kind: str, logic: Iterable[str], texts: Iterable[str], file: Path
) -> Iterator[Finding]:
    logic, texts = set(logic), set(texts)
    for name in sorted(logic - texts):
        yield Finding("L07", str(file), 1, f"the words of {kind} '{name}' are missing; add them")
    for name in sorted(texts - logic):
        fault = f"{kind} '{name}' has words but is not in case.yaml{nearest(name, logic)}"
        yield Finding("L08", str(file), 1, fault)


def _parts(case: Case, words: CaseWords) -> Iterator[_Pair]:
    yield "clue", case.clues, words.clues
    yield "riddle", case.riddles, words.riddles
    yield "challenge", case.challenges, words.challenges
    yield "counter-question", case.counters, words.counters
    yield "confrontation", case.confrontations, words.confrontations
    yield "secret", case.secrets, words.secrets
    yield "place", [c.place for c in case.characters.values()], words.places
    yield "act", [name for name, _ in case.acts], words.acts
    yield "character", case.characters, words.characters
    yield "discussion", case.discussion, words.discussion
    judged = words.questionnaire.items if words.questionnaire else {}
    yield "questionnaire item", [i for form in case.questionnaire for i in form.items], judged


def _riddles(case: Case, words: CaseWords) -> Iterator[_Pair]:
    for riddle in case.riddles.values():
        if text := words.riddles.get(riddle.id):
            what = f"riddle '{riddle.id}'"
            yield f"{what} option", riddle.options, text.options
            yield f"{what} piece", riddle.pieces, {**text.items, **text.layers, **text.records}
            yield f"{what} wrong", [rule.id for rule in riddle.wrong], text.wrong
            yield f"{what} union", [name for name, _ in riddle.unions], text.unions
            yield f"{what} remark", [name for name, _ in riddle.remarks], text.remark


def _choices(case: Case, words: CaseWords) -> Iterator[_Pair]:
    for challenge in case.challenges.values():
        if text := words.challenges.get(challenge.id):
            yield f"challenge '{challenge.id}' option", challenge.options, text.options
            yield f"challenge '{challenge.id}' feedback", challenge.options, text.feedback
    for counter in case.counters.values():
        if asked := words.counters.get(counter.id):
            yield f"counter-question '{counter.id}' option", counter.options, asked.options
            yield f"counter-question '{counter.id}' reply", counter.options, asked.replies


def _confrontations(case: Case, words: CaseWords) -> Iterator[_Pair]:
    for confrontation in case.confrontations.values():
        scene = words.confrontations.get(confrontation.id)
        if scene is None:
            continue
        yield f"confrontation '{confrontation.id}' round", confrontation.rounds, scene.rounds
        for round_ in confrontation.rounds.values():
            if text := scene.rounds.get(round_.id):
                what = f"round '{confrontation.id}/{round_.id}'"
                wrong = [reason.id for reason in round_.reasons if not reason.right]
                yield f"{what} reason", [reason.id for reason in round_.reasons], text.reasons
                yield f"{what} wrong_reason", wrong, text.wrong_reason
                yield f"{what} wrong_clues, the first", ["line"], ["line"] * bool(text.wrong_clues)


def _publication(case: Case, words: CaseWords) -> Iterator[_Pair]:
    logic, text = case.publication, words.publication
    yield "claim", logic.claims, text.claims
    yield "decision", logic.decisions, text.decisions
    yield "ending", [ending.id for ending in logic.endings], text.endings
    for decision in logic.decisions.values():
        if choice := text.decisions.get(decision.id):
            yield f"decision '{decision.id}' option", decision.options, choice.options
    for ending, groups in logic.epilogue.items():
        told: Mapping[str, Mapping[str, str]] = text.epilogue.get(ending, {})
        for group, choices in groups.items():
            yield f"epilogue '{ending}.{group}'", [n for n, _ in choices], told.get(group, {})


def _talk(case: Case, words: CaseWords, folder: Path) -> Iterator[Finding]:
    for name, character in case.characters.items():
        who = words.characters.get(name)
        if who is None:
            continue
        file = folder / f"{name}.yaml"
        yield from _same_ids("topic", character.topics, who.topics, file)
        yield from _same_ids("emotion", character.emotions, who.gestures, file)
        for part in ALWAYS_SPOKEN:
            if not getattr(who, part):
                yield Finding("L07", str(file), 1, f"`{part}` needs at least one line; add it")
        for topic in character.topics.values():
            if text := who.topics.get(topic.id):
                for fault in _topic(topic, text, character.emotions):
                    yield Finding("L07", str(file), 1, f"topic '{topic.id}' {fault}")


ALWAYS_SPOKEN = ("greeting", "greeting_again", "deflections", "unsure", "repeat", "shown")
"""Lists of lines of which a character must always have one to say."""


def _topic(topic: Topic, text: TopicWords, emotions: Iterable[str]) -> Iterator[str]:
    if len(text.steps) != len(topic.steps):
        yield f"has {len(text.steps)} steps; case.yaml has {len(topic.steps)}"
    if topic.when != OPEN and not text.locked:
        yield "needs `locked`: what is said while it is closed"
    for number, (step, spoken) in enumerate(zip(topic.steps, text.steps, strict=False), 1):
        if step.when != OPEN and not spoken.nudge:
            yield f"step {number} needs `nudge`: what is said while it waits"
        if not all(wording.says for wording in (spoken, *spoken.instead.values())):
            yield f"step {number} needs `says`: at least one line"
        if {name for name, _ in step.instead} != set(spoken.instead):
            yield f"step {number}: `instead` differs from case.yaml"
        if spoken.emotion not in emotions:
            yield f"step {number}: emotion '{spoken.emotion}' is not in case.yaml"
