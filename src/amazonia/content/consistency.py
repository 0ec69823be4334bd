"""Do the parts of a case fit: does every id exist, has everything its words?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from amazonia.content.files import Sheet
from amazonia.domain.case import Case, Step, Topic
from amazonia.domain.gates import OPEN
from amazonia.domain.words import CaseWords, StepWords, TopicWords
from amazonia.errors import Finding

_Path = tuple[str | int, ...]


class Near(NamedTuple):
    """A suggestion to put after «there is no …», or nothing."""

    english: str = ""
    portuguese: str = ""


def nearest(name: str, known: Iterable[str]) -> Near:
    """The known name that may have been meant."""
    near = get_close_matches(name, list(known), n=1)
    if not near:
        return Near()
    return Near(f"; did you mean '{near[0]}'?", f"; seria '{near[0]}'?")


KINDS = {
    "act": "ato",
    "challenge": "desafio",
    "character": "personagem",
    "claim": "afirmação",
    "clue": "pista",
    "confrontation": "confronto",
    "counter-question": "contrapergunta",
    "decision": "decisão",
    "discussion": "pergunta de debate",
    "emotion": "emoção",
    "ending": "final",
    "fact": "fato",
    "epilogue": "epílogo",
    "place": "lugar",
    "questionnaire": "questionário",
    "riddle": "enigma",
    "round": "rodada",
    "secret": "segredo",
    "topic": "assunto",
}
"""What things of a case are called in Portuguese."""


def _kind(kind: str) -> str:
    """«riddle 'r_one' option» in Portuguese: the first word is a kind, the rest names a part."""
    first, _, rest = kind.partition(" ")
    return f"{KINDS[first]} {rest}".rstrip()


# ── the logic ───────────────────────────────────────────────────────────────────────────────────


def check_references(case: Case, sheet: Sheet) -> Iterator[Finding]:
    """L03: an id that does not exist. L06: a fact without a source."""
    for kind, names, known, at in _references(case):
        for name in names:
            if name not in known:
                near = nearest(name, known)
                fault = f"there is no {kind} '{name}'{near.english}"
                falha = f"não existe {KINDS[kind]} '{name}'{near.portuguese}"
                yield sheet.finding("L03", at, fault, falha)
    for facts, at in _facts(case):
        for fact in facts:
            if fact not in case.sources:
                fault = f"fact {fact} has no entry in sources.yaml; add its source"
                falha = f"o fato {fact} não está em sources.yaml; acrescente a fonte"
                yield sheet.finding("L06", at, fault, falha)


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
        fault = f"the words of {kind} '{name}' are missing; add them"
        falha = f"faltam os textos de {_kind(kind)} '{name}'; acrescente"
        yield Finding("L07", str(file), 1, fault, falha)
    for name in sorted(texts - logic):
        near = nearest(name, logic)
        fault = f"{kind} '{name}' has words but is not in case.yaml{near.english}"
        falha = f"{_kind(kind)} '{name}' tem textos, mas não está em case.yaml{near.portuguese}"
        yield Finding("L08", str(file), 1, fault, falha)


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
    if words.facts:
        yield "fact", case.sources, words.facts
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
                fault = f"`{part}` needs at least one line; add it"
                falha = f"`{part}` precisa de ao menos uma fala; acrescente"
                yield Finding("L07", str(file), 1, fault, falha)
        for topic in character.topics.values():
            if text := who.topics.get(topic.id):
                for fault, falha in _topic(topic, text, character.emotions):
                    found = f"topic '{topic.id}' {fault}", f"assunto '{topic.id}': {falha}"
                    yield Finding("L07", str(file), 1, *found)


ALWAYS_SPOKEN = ("greeting", "greeting_again", "deflections", "unsure", "repeat", "shown")
"""Lists of lines of which a character must always have one to say."""


def _topic(topic: Topic, text: TopicWords, emotions: Iterable[str]) -> Iterator[tuple[str, str]]:
    told, known = len(text.steps), len(topic.steps)
    if told != known:
        yield f"has {told} steps; case.yaml has {known}", f"{told} passos; case.yaml tem {known}"
    if topic.when != OPEN and not text.locked:
        yield (
            "needs `locked`: what is said while it is closed",
            "falta `locked`: o que se diz enquanto está fechado",
        )
    for number, (step, spoken) in enumerate(zip(topic.steps, text.steps, strict=False), 1):
        for fault, falha in _step(step, spoken, emotions):
            yield f"step {number}{fault}", f"passo {number}{falha}"


def _step(step: Step, spoken: StepWords, emotions: Iterable[str]) -> Iterator[tuple[str, str]]:
    if step.when != OPEN and not spoken.nudge:
        yield (
            " needs `nudge`: what is said while it waits",
            " precisa de `nudge`: o que se diz enquanto espera",
        )
    if not all(wording.says for wording in (spoken, *spoken.instead.values())):
        yield " needs `says`: at least one line", " precisa de `says`: ao menos uma fala"
    if {name for name, _ in step.instead} != set(spoken.instead):
        yield ": `instead` differs from case.yaml", ": `instead` difere de case.yaml"
    if spoken.emotion not in emotions:
        yield (
            f": emotion '{spoken.emotion}' is not in case.yaml",
            f": a emoção '{spoken.emotion}' não está em case.yaml",
        )
