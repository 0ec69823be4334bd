"""Topics that sound alike: measured with the director's own ear, on examples it did not learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from amazonia.content import training
from amazonia.content.library import Library
from amazonia.content.texts import Texts
from amazonia.domain.case import Case, Character, Lang, TopicId
from amazonia.domain.language import Reader
from amazonia.domain.understanding import Listener
from amazonia.errors import Finding

FOLDS = 3
SHARE = 0.4
"""Two topics collide when so many of one's examples are taken for the other."""
LEAST = 3
"""Fewer examples than this are an accident."""


@dataclass(frozen=True, slots=True)
class Collision:
    """Examples of `topic` that are taken for `other`, of `total`."""

    topic: TopicId
    other: TopicId
    examples: tuple[str, ...]
    total: int


def check_collisions(library: Library, case: Case, lang: Lang, texts: Texts) -> Iterator[Finding]:
    """T04: no two topics of a character have examples that cannot be told apart.

    Each third of the examples is put to an ear that learned the other two.
    """
    for name, topic, other, one, times in library.kept(case, lang, "alike", _measure):
        path = ("characters", name, "topics", topic, "examples")
        fault = (
            f"examples of '{topic}' sound like '{other}' ({times}), e.g. «{one}»; "
            "say what is special in each, or make them one topic"
        )
        falha = (
            f"exemplos de '{topic}' soam como '{other}' ({times}), p. ex. «{one}»; "
            "diga o que cada um tem de próprio, ou junte os dois"
        )
        yield texts.finding("T04", path, fault, falha)


def _measure(case: Case, lang: Lang, listener: Listener) -> list[list[str]]:
    found = []
    for name, character in case.characters.items():
        topics = case.words[lang].characters[name].topics
        examples = {topic: topics[topic].examples for topic in character.topics}
        for pair in collisions(listener.reader, character, examples):
            times = f"{len(pair.examples)}/{pair.total}"
            found.append([name, pair.topic, pair.other, pair.examples[0], times])
    return found


def collisions(
    reader: Reader, character: Character, examples: Mapping[TopicId, Sequence[str]]
) -> Iterator[Collision]:
    """The pairs of topics of one character that collide, by cross-validation."""
    features = {line: reader.features(line) for lines in examples.values() for line in lines}
    taken: dict[tuple[TopicId, TopicId], list[str]] = {}
    for fold in range(FOLDS):
        known = {
            t: [x for i, x in enumerate(xs) if i % FOLDS != fold] for t, xs in examples.items()
        }
        ear = training.quick_ear(
            character, {t: [features[x] for x in lines] for t, lines in known.items()}
        )
        for topic, lines in examples.items():
            for line in lines[fold::FOLDS]:
                chances = ear.probabilities(features[line], {})
                heard = TopicId(ear.classes[chances.index(max(chances))])
                if heard != topic:
                    taken.setdefault((topic, heard), []).append(line)
    for (topic, other), lines in taken.items():
        total = len(examples[topic])
        if len(lines) >= max(LEAST, SHARE * total):
            yield Collision(topic, other, tuple(lines), total)
