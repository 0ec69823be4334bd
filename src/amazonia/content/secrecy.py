"""Which secrets a text gives away, and every text of a case with the gate that opens it.

`leaks` proves that nothing is said, listed or shown before its gate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

from amazonia.domain.case import Case, Character, Topic
from amazonia.domain.gates import OPEN, Gate, Holds, parse
from amazonia.domain.language import fold
from amazonia.domain.moves import Atoms, Model, model, start_atoms
from amazonia.domain.session import begin
from amazonia.domain.words import CaseWords, CharacterWords, TopicWords


class Secrets:
    """Finds the words of a case's secrets in texts; remembers what it found."""

    def __init__(self, case: Case, words: CaseWords) -> None:
        self.case = case
        self._patterns = {
            name: re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(fold(w)) for w in secret)})(?!\w)")
            for name, secret in words.secrets.items()
        }
        self._told: dict[str, dict[str, str]] = {}

    def told(self, text: str) -> dict[str, str]:
        """Secret → the word of it that stands in the text."""
        if text not in self._told:
            folded = fold(text)
            found = {name: pattern.search(folded) for name, pattern in self._patterns.items()}
            self._told[text] = {name: match[0] for name, match in found.items() if match}
        return self._told[text]

    def leaks(self, have: Holds, text: str) -> list[str]:
        """The secrets that a text tells although their gates are closed."""
        return [
            f"{name} «{word}» in: {text}"
            for name, word in self.told(text).items()
            if not self.case.secrets[name].open(have)
        ]


# ── every text with its gate ────────────────────────────────────────────────────────────────────


class Text(NamedTuple):
    """A text that players may read once its gate is open."""

    place: str
    text: str
    gate: Gate


def both(*gates: Gate) -> Gate:
    """All of the gates at once."""
    ways = (frozenset[str]().union(*way) for way in product(*(gate.ways for gate in gates)))
    return Gate(tuple(dict.fromkeys(ways)))


def atom(name: str) -> Gate:
    """The gate of a single atom."""
    return Gate((frozenset({name}),))


def texts(case: Case, words: CaseWords) -> Iterator[Text]:
    """Every text of a case, with the gate before which nobody reads it."""
    yield from _frame(case, words)
    for character in case.characters.values():
        yield from _character(case, words, character)
    yield from _clues(case, words)
    yield from _riddles(case, words)
    yield from _choices(case, words)
    yield from _confrontations(case, words)
    yield from _publication(case, words)
    yield from _facts(case, words)


def _frame(case: Case, words: CaseWords) -> Iterator[Text]:
    for line in (words.title, words.subtitle, words.setting, *words.opening, *words.briefing):
        yield Text("opening", line, OPEN)
    for name, gate in case.acts:
        yield Text(f"acts.{name}", f"{words.acts[name].title} {words.acts[name].line}", gate)
    for name, place in words.places.items():
        yield Text(f"places.{name}", f"{place.name} {place.line}", OPEN)
    for name, line in words.coping.items():
        yield Text(f"coping.{name}", line, OPEN)
    for entry in words.glossary:
        yield Text(f"glossary.{entry.term}", f"{entry.term} {entry.means}", parse(entry.when))


def _character(case: Case, words: CaseWords, character: Character) -> Iterator[Text]:
    who = words.characters[character.id]
    at = character.id
    for line in (who.name, who.short, who.role, who.subject, who.locked):
        yield Text(f"{at}.card", line, OPEN)
    always = {
        "about": (who.about, who.place, who.ambience),
        "greeting": (*who.greeting, *who.greeting_again),
        "deflections": who.deflections,
        "unsure": who.unsure,
        "repeat": who.repeat,
        "shown": who.shown,
        **{f"smalltalk.{kind}": lines for kind, lines in who.smalltalk.items()},
        **{f"gestures.{name}": lines for name, lines in who.gestures.items()},
        **{f"asides.{name}": aside.says for name, aside in who.asides.items()},
    }
    for part, lines in always.items():
        for line in lines:
            yield Text(f"{at}.{part}", line, character.when)
    for other, lines in who.redirects.items():
        gate = both(character.when, case.characters[other].when)
        for line in lines:
            yield Text(f"{at}.redirects.{other}", line, gate)
    for clue, lines in who.reactions.items():
        gate = both(character.when, atom(clue), atom(f"mostra:{at}:{clue}"))
        for line in lines:
            yield Text(f"{at}.reactions.{clue}", line, gate)
    for topic in character.topics.values():
        yield from _topic(character, who, topic, who.topics[topic.id])


def _topic(
    character: Character, who: CharacterWords, topic: Topic, text: TopicWords
) -> Iterator[Text]:
    at = topic.key
    opened = both(character.when, topic.when)
    for line in text.locked:
        yield Text(f"{at}.locked", line, character.when)
    for line in (text.suggestion, text.label):
        yield Text(f"{at}.suggestion", line, opened)
    for number, (step, spoken) in enumerate(zip(topic.steps, text.steps, strict=True), 1):
        before = atom(f"{at}@{number - 1}") if number > 1 else OPEN
        for line in spoken.nudge:
            yield Text(f"{at}.steps.{number}.nudge", line, both(opened, before))
        told = both(opened, step.when, before, atom(f"{at}@{number}"))
        told = both(told, atom(step.clue)) if step.clue else told
        for said in spoken.says:
            yield Text(f"{at}.steps.{number}", f"{said.gesture} {said.text}", told)
        for name, gate in step.instead:
            for said in spoken.instead[name].says:
                place = f"{at}.steps.{number}.{name}"
                yield Text(place, f"{said.gesture} {said.text}", both(told, gate))
    done = both(opened, atom(f"{at}@{len(topic.steps)}"))
    for line in text.recap:
        yield Text(f"{at}.recap", line, done)


def _clues(case: Case, words: CaseWords) -> Iterator[Text]:
    for clue in case.clues.values():
        text = words.clues[clue.id]
        document = text.document
        rows = [cell for row in document.rows for cell in row]
        parts = (document.heading, document.alt, document.stamp, document.note, document.folded)
        lines = (text.title, text.summary, text.found, text.source_line, text.question)
        for line in (*lines, *parts, *rows, *document.body):
            yield Text(f"clues.{clue.id}", line, atom(clue.id))
        if clue.falls is not None:
            yield Text(f"clues.{clue.id}.falls", text.falls, both(atom(clue.id), clue.falls))
        for other, line in text.links.items():
            yield Text(f"clues.{clue.id}.links.{other}", line, both(atom(clue.id), atom(other)))


def _riddles(case: Case, words: CaseWords) -> Iterator[Text]:
    for riddle in case.riddles.values():
        text = words.riddles[riddle.id]
        at = f"riddles.{riddle.id}"
        table = [cell for row in text.table.rows for cell in row] if text.table else []
        asked: Mapping[str, tuple[str, ...]] = {
            "prompt": (text.title, text.intro, text.prompt),
            "hints": text.hints,
            "options": (*text.options.values(), *text.items.values(), *text.layers.values()),
            "records": tuple(f"{r.when} {r.text}" for r in text.records.values()),
            "table": (*table, *(text.table.columns if text.table else ())),
            "wrong": (*text.wrong.values(), text.wrong_default, text.wrong_clues),
        }
        for part, lines in asked.items():
            for line in lines:
                yield Text(f"{at}.{part}", line, riddle.when)
        for option, line in text.feedback.items():
            if option not in riddle.answer:
                gate = dict(riddle.unions).get(option, OPEN)
                yield Text(f"{at}.feedback.{option}", line, both(riddle.when, gate))
        for name, gate in riddle.unions:
            yield Text(f"{at}.unions.{name}", text.unions[name], both(riddle.when, gate))
        solved = both(riddle.when, atom(riddle.id))
        right = [text.feedback[o] for o in riddle.answer if o in text.feedback]
        for line in (text.explanation, text.opens, *text.remark.values(), *right):
            yield Text(f"{at}.solved", line, solved)


def _choices(case: Case, words: CaseWords) -> Iterator[Text]:
    for challenge in case.challenges.values():
        asked = words.challenges[challenge.id]
        gate = both(case.characters[challenge.by].when, challenge.when)
        for line in (asked.prompt, *asked.options.values(), *asked.hints):
            yield Text(f"challenges.{challenge.id}", line, gate)
        for line in (*asked.feedback.values(), asked.explanation, asked.slip, asked.signed):
            yield Text(f"challenges.{challenge.id} answered", line, gate)
    for counter in case.counters.values():
        text = words.counters[counter.id]
        gate = atom(f"asked:{counter.id}")
        for line in (text.prompt, *text.options.values()):
            yield Text(f"counters.{counter.id}", line, gate)
        for option, lines in text.replies.items():
            answered = both(gate, atom(f"{counter.id}_{option}"))
            for line in lines:
                yield Text(f"counters.{counter.id}.{option}", line, answered)


def _confrontations(case: Case, words: CaseWords) -> Iterator[Text]:
    for scene in case.confrontations.values():
        spoken = words.confrontations[scene.id]
        for line in (spoken.title, spoken.intro, spoken.resting):
            yield Text(f"confrontations.{scene.id}", line, scene.when)
        for line in (spoken.won, spoken.right_of_reply):
            yield Text(f"confrontations.{scene.id}.won", line, both(scene.when, atom(scene.id)))
        for round_ in scene.rounds.values():
            text, gate = spoken.rounds[round_.id], both(scene.when, round_.when)
            at = f"confrontations.{scene.id}.{round_.id}"
            for line in (text.statement, *text.wrong_clues, text.tell):
                yield Text(at, line, gate)
            if round_.partial is not None:
                yield Text(f"{at}.partial", text.partial, both(gate, round_.partial))
            for reason in round_.reasons:
                shown = both(gate, reason.when)
                yield Text(f"{at}.reasons.{reason.id}", text.reasons[reason.id], shown)
                if not reason.right:
                    tried = both(shown, round_.accepts)
                    line = text.wrong_reason[reason.id]
                    yield Text(f"{at}.wrong_reason.{reason.id}", line, tried)
            won = both(gate, round_.accepts, atom(f"{scene.id}/{round_.id}"))
            yield Text(f"{at}.won", text.won, won)


def _publication(case: Case, words: CaseWords) -> Iterator[Text]:
    logic, text = case.publication, words.publication
    yield Text("publication.intro", text.intro, logic.when)
    for claim in logic.claims.values():
        listed, spoken = both(logic.when, claim.when), text.claims[claim.id]
        yield Text(f"claims.{claim.id}", spoken.text, listed)
        yield Text(f"claims.{claim.id}.proved", spoken.proved, both(listed, claim.needs))
        yield Text(f"claims.{claim.id}.unproved", spoken.unproved, listed)
        yield Text(f"claims.{claim.id}.why", spoken.why, listed)
    for decision in logic.decisions.values():
        chosen = text.decisions[decision.id]
        for line in (chosen.prompt, *chosen.options.values()):
            yield Text(f"decisions.{decision.id}", line, both(logic.when, decision.when))
    for ending in logic.endings:
        page, gate = text.endings[ending.id], both(logic.when, atom(ending.id))
        for claims in ending.claims.atoms() if ending.claims else ():
            gate = both(gate, logic.claims[claims].when, logic.claims[claims].needs)
        for line in (page.headline, page.headline_else, page.deck, page.verdict, *page.paragraphs):
            yield Text(f"endings.{ending.id}", line, gate)
        for group, choices in logic.epilogue.get(ending.id, {}).items():
            for name, when in choices:
                line = text.epilogue[ending.id][group][name]
                yield Text(f"epilogue.{ending.id}.{group}.{name}", line, both(gate, when))
    for line in (*words.debrief, text.second_edition):
        yield Text("debrief", line, logic.when)


def _facts(case: Case, words: CaseWords) -> Iterator[Text]:
    """The sources shown with what is solved."""
    for riddle in case.riddles.values():
        yield from _sources(case, words, riddle.facts, both(riddle.when, atom(riddle.id)))
    for challenge in case.challenges.values():
        gate = both(case.characters[challenge.by].when, challenge.when)
        yield from _sources(case, words, challenge.facts, gate)


def _sources(case: Case, words: CaseWords, facts: tuple[str, ...], gate: Gate) -> Iterator[Text]:
    for fact in facts:
        source = case.sources[fact]
        statement = words.facts.get(fact, source.statement)
        yield Text(f"sources.{fact}", f"{statement} {source.source}", gate)


# ── what can be open while a secret is closed ───────────────────────────────────────────────────


def closed_worlds(case: Case, gate: Gate, world: Model) -> Iterator[tuple[Atoms, Atoms]]:
    """What a team lacks, and the largest set it can hold, while a gate is still closed.

    A gate is closed when of each of its ways some atom is missing; for every choice of those, it
    is what can be reached by the moves that give none of them.
    """
    for missing in {frozenset(choice) for choice in product(*gate.ways)}:
        have = set(start_atoms(case, begin(case)))
        left = [action for action in world.actions if not action.gives & missing]
        grown = True
        while grown:
            before = len(have)
            for action in left:
                if action.needs <= have:
                    have |= action.gives
            grown = len(have) > before
        yield missing, frozenset(have.union(_free(case, have)) - missing)


def _free(case: Case, have: set[str]) -> Iterator[str]:
    """What a team can do at any time with what it has: show, publish, decide."""
    publication = case.publication
    yield from (
        f"mostra:{who}:{clue}" for who in case.characters for clue in case.clues if clue in have
    )
    yield from (c.id for c in publication.claims.values() if c.when.open(have.__contains__))
    for decision in publication.decisions.values():
        if decision.when.open(have.__contains__):
            yield from (f"{decision.id}:{option}" for option in decision.options)
    yield from (ending.id for ending in publication.endings)


class Leak(NamedTuple):
    """A text that some team can read while a secret in it is still closed.

    Attributes:
        needs: what such a team holds when it reads the text.
        without: what it lacks meanwhile.
    """

    secret: str
    word: str
    text: Text
    needs: Atoms
    without: Atoms


def leaks(case: Case, words: CaseWords) -> Iterator[Leak]:
    """Every text that tells a secret too early, once for each secret in it."""
    secrets = Secrets(case, words)
    telling = [(text, told) for text in texts(case, words) if (told := secrets.told(text.text))]
    world = model(case)
    found: set[tuple[str, Text]] = set()
    for name, gate in case.secrets.items():
        mine = [(text, told[name]) for text, told in telling if name in told]
        for missing, have in closed_worlds(case, gate, world):
            for text, word in mine:
                if (name, text) in found:
                    continue
                way = next((way for way in text.gate.ways if way <= have), None)
                if way is not None:
                    found.add((name, text))
                    yield Leak(name, word, text, way, missing)
