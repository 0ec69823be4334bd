"""Teaching the director's ear: weights learned from a case's own examples.

Softmax regression with AdaGrad over sparse features, in plain Python: some seconds a case, once;
`amazonia.content.library` keeps the result. The same files give the same weights. What is much is
learned in several processes: run as a program, this module learns what it is sent.
"""

from __future__ import annotations

import marshal
import os
import re
import subprocess
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import exp, log, sqrt
from operator import mul
from random import Random

from amazonia.domain.case import Case, Character, CharacterId, Lang, TopicId
from amazonia.domain.language import Language, Reader, fold
from amazonia.domain.table import Table
from amazonia.domain.understanding import ASIDE, OUT, Ear, Listener, Row
from amazonia.domain.words import CaseWords, CharacterWords, TopicWords

EPOCHS = 6
QUICK = 2
"""Epochs of an ear that is only measured with."""
RATE = 0.8
DECAY = 2e-5
LEARNED = 0.05
"""A sample whose label is missed by less than this rests for some epochs."""
REST = 4
SEEN = {"w": 1, "k": 1, "q": 1, "b": 2, "c": 2, "g": 3}
"""How often a kind of feature must occur to be learned."""
SPARE = 0.06
"""Weights smaller than this are dropped."""
CLOSE = 0.5
"""Another character's example that is this similar to one of ours is no negative example."""
MANY = 40
"""About so many examples of another character's topic are enough."""
MUCH = 5000
"""Samples; so many are worth processes of their own."""
HELLOS = 8
"""So many greetings of a language are learned with a character's own name as well."""

_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class _Sample:
    features: frozenset[str]
    label: str
    weight: float


@dataclass(frozen=True, slots=True)
class _Task:
    """What an ear is to learn.

    Attributes:
        idf: of each feature.
        samples: features with their weights, the place of their class, how much it matters.
    """

    classes: tuple[str, ...]
    idf: dict[str, float]
    samples: list[tuple[list[tuple[str, float]], int, float]]


_Weights = tuple[dict[str, Row], list[float]]
"""Rows of features, and biases."""


def teach(case: Case, lang: Lang, language: Language) -> Listener:
    """Train a listener for a case in one language."""
    words = case.words[lang]
    reader = Reader.of(language, _vocabulary(words, language))
    spoken = {
        (c.id, t.id): _spoken(reader, words.characters[c.id].topics[t.id])
        for c in case.characters.values()
        for t in c.topics.values()
    }
    common = _common(reader, language)
    tasks = {
        character.id: _task(reader, case, words, character, spoken, common)
        for character in case.characters.values()
    }
    learned = dict(zip(tasks, _learn_all([*tasks.values()]), strict=True))
    places = Table.of(sorted({feature for rows, _ in learned.values() for feature in rows}))
    ears = {
        who: _ear(task, learned[who], places, case.characters[who]) for who, task in tasks.items()
    }
    return Listener(reader, ears)


def quick_ear(character: Character, examples: Mapping[TopicId, Sequence[frozenset[str]]]) -> Ear:
    """An ear that knows only the topics of one character, learned in a fraction of a second."""
    samples = [_Sample(f, topic, 1.0) for topic, lines in examples.items() for f in lines if f]
    task = _numbered(samples, tuple(examples), _idf(samples))
    learned = _learn(task.samples, len(task.classes), QUICK)
    return _ear(task, learned, Table.of(sorted(learned[0])), character)


_Spoken = dict[tuple[CharacterId, TopicId], list[_Sample]]


def _vocabulary(words: CaseWords, language: Language) -> frozenset[str]:
    """Every word that the case and the language spell right.

    Examples are misspelt on purpose here and there: a word that only examples use counts when
    two of them do.
    """
    sure: set[str] = set()
    for text in _prose(words):
        sure.update(_WORD.findall(fold(text)))
    for expression in (*language.concepts, *language.questions, *language.slang.values()):
        sure.update(expression.split())
    sure.update(language.stopwords)
    seen = Counter(
        word
        for who in words.characters.values()
        for example in _examples(who)
        for word in set(_WORD.findall(fold(example)))
    )
    chatter = (
        *language.offtopic,
        *(line for lines in language.smalltalk.values() for line in lines),
    )
    seen.update(word for line in chatter for word in set(_WORD.findall(fold(line))))
    sure.update(word for word, times in seen.items() if times > 1)
    return frozenset(sure - set(language.slang))


def _examples(who: CharacterWords) -> Iterable[str]:
    for topic in who.topics.values():
        yield from topic.examples
    for aside in who.asides.values():
        yield from aside.examples


def _prose(words: CaseWords) -> Iterable[str]:
    for who in words.characters.values():
        for topic in who.topics.values():
            yield topic.label
            yield topic.suggestion
            for step in topic.steps:
                yield from (line.text for line in step.says)
        for aside in who.asides.values():
            yield from aside.says
    for clue in words.clues.values():
        yield clue.title
        yield clue.summary


def _spoken(reader: Reader, topic: TopicWords) -> list[_Sample]:
    """The samples of a topic: its examples, and what is answered (that counts less)."""
    asked = (*topic.examples, topic.suggestion, topic.label)
    told = [line.text for step in topic.steps for line in step.says]
    return [
        *(_Sample(reader.features(text), "", 1.0) for text in asked),
        *(_Sample(reader.features(text), "", 0.5) for text in told),
    ]


def _common(reader: Reader, language: Language) -> list[_Sample]:
    """Small talk and what has nothing to do with any case."""
    return [
        *(
            _Sample(reader.features(line), f"~{kind}", 1.0)
            for kind, lines in language.smalltalk.items()
            for line in lines
        ),
        *(_Sample(reader.features(line), OUT, 1.0) for line in language.offtopic),
    ]


def _ear(task: _Task, learned: _Weights, places: Table, character: Character) -> Ear:
    """What was learned, row after row in the order of `places`."""
    rows, bias = learned
    idf, starts, indexes, weights = array("d"), array("I", [0]), bytearray(), array("f")
    for feature in places:
        row = rows.get(feature, ((), ()))
        idf.append(task.idf[feature] if row[0] else 0.0)
        indexes.extend(row[0])
        weights.extend(row[1])
        starts.append(len(indexes))
    return Ear(
        classes=task.classes,
        places=places,
        idf=memoryview(idf),
        starts=memoryview(starts),
        indexes=memoryview(bytes(indexes)),
        weights=memoryview(weights),
        bias=bias,
        awarding=frozenset(t.id for t in character.topics.values() if t.clues),
    )


def _task(
    reader: Reader,
    case: Case,
    words: CaseWords,
    character: Character,
    spoken: _Spoken,
    common: Sequence[_Sample],
) -> _Task:
    own = [
        _Sample(sample.features, topic, sample.weight)
        for topic in character.topics
        for sample in spoken[character.id, topic]
    ]
    for clue, topic in character.shows.items():
        names = (*words.clues[clue].aliases, words.clues[clue].title)
        own += [_Sample(reader.features(name), topic, 0.5) for name in names]
    who = words.characters[character.id]
    common = [*common, *_greeted(reader, who), *_beside(reader, who)]
    idf = _idf([*own, *common])
    foreign = _foreign(reader, words, case, character, spoken, own, idf)
    samples = [*own, *common, *foreign]
    classes = (
        *character.topics,
        *sorted({s.label for s in (*common, *foreign)}),
    )
    return _numbered([s for s in samples if s.features], classes, idf)


def _numbered(samples: Sequence[_Sample], classes: tuple[str, ...], idf: dict[str, float]) -> _Task:
    number = {name: i for i, name in enumerate(classes)}
    numbered = [(_vector(s.features, idf), number[s.label], s.weight) for s in samples]
    return _Task(classes, idf, numbered)


def _idf(samples: Sequence[_Sample]) -> dict[str, float]:
    """Rare features weigh more; letter groups and pairs that are too rare are left out."""
    seen = Counter(feature for sample in samples for feature in sample.features)
    total = len(samples)
    return {
        feature: round(log((1 + total) / (1 + times)) + 1, 2)
        for feature, times in seen.items()
        if times >= SEEN[feature[0]]
    }


def _greeted(reader: Reader, who: CharacterWords) -> list[_Sample]:
    """«Oi Valdão», «bom dia dona Celina»: a greeting by name is a greeting."""
    names = dict.fromkeys((who.short, *who.name.split()))
    hellos = [h for h in reader.language.smalltalk["greeting"] if len(h.split()) <= 2][:HELLOS]
    return [
        _Sample(reader.features(f"{hello} {name}"), "~greeting", 0.5)
        for hello in hellos
        for name in names
    ]


def _beside(reader: Reader, who: CharacterWords) -> list[_Sample]:
    """What is no topic of a character but has an answer."""
    return [
        _Sample(reader.features(line), f"{ASIDE}{name}", 1.0)
        for name, aside in who.asides.items()
        for line in aside.examples
    ]


def _about_people(reader: Reader, words: CaseWords, character: Character) -> list[_Sample]:
    """«Quem é o Kelvin?»: for another character to answer."""
    return [
        _Sample(reader.features(line.format(name=name)), f"~{other}", 1.0)
        for other, who in words.characters.items()
        if other != character.id
        for name in (who.short.split()[-1], who.short)
        for line in reader.language.about
    ]


def _foreign(
    reader: Reader,
    words: CaseWords,
    case: Case,
    character: Character,
    spoken: _Spoken,
    own: Sequence[_Sample],
    idf: dict[str, float],
) -> list[_Sample]:
    """What pupils ask others, unless it is too close to what this character knows as well."""
    vectors = [(_vector(s.features, idf), s) for s in own]
    index: dict[str, list[tuple[int, float]]] = {}
    for i, (vector, _) in enumerate(vectors):
        for feature, value in vector:
            index.setdefault(feature, []).append((i, value))
    shared = {topic.clues for topic in character.topics.values()}
    found = _about_people(reader, words, character)
    for other in case.characters.values():
        if other.id == character.id:
            continue
        for topic in other.topics.values():
            if topic.id in character.topics or (topic.clues and topic.clues in shared):
                continue
            asked = [sample for sample in spoken[other.id, topic.id] if sample.weight == 1.0]
            found += [
                _Sample(sample.features, f"~{other.id}", 0.7)
                for sample in asked[:: 1 + len(asked) // MANY]
                if _closest(sample.features, idf, index) < CLOSE
            ]
    return found


def _closest(
    features: frozenset[str], idf: dict[str, float], index: dict[str, list[tuple[int, float]]]
) -> float:
    """The highest cosine between a text and those of an index."""
    sums: dict[int, float] = {}
    for feature, value in _vector(features, idf):
        for i, weight in index.get(feature, ()):
            sums[i] = sums.get(i, 0.0) + value * weight
    return max(sums.values(), default=0.0)


def _vector(features: frozenset[str], idf: dict[str, float]) -> list[tuple[str, float]]:
    """Features with their weights, of length one."""
    found = [(f, idf[f]) for f in sorted(features) if f in idf]
    norm = sqrt(sum(v * v for _, v in found)) or 1.0
    return [(f, v / norm) for f, v in found]


def _learn_all(tasks: Sequence[_Task]) -> list[_Weights]:
    """Learn every task; much of it on all processors at once."""
    processors = os.cpu_count() or 1
    if processors == 1 or sum(len(task.samples) for task in tasks) < MUCH:
        return [_learn(task.samples, len(task.classes)) for task in tasks]
    with ThreadPoolExecutor(processors) as pool:
        return list(pool.map(_learn_apart, tasks))


def _learn_apart(task: _Task) -> _Weights:
    """Learn in a process of its own, or here where there can be none."""
    sent = marshal.dumps((task.samples, len(task.classes)))
    command = [sys.executable, "-P", "-m", __name__]
    try:
        done = subprocess.run(command, input=sent, stdout=subprocess.PIPE, check=True)
    except (OSError, subprocess.CalledProcessError):
        return _learn(task.samples, len(task.classes))
    learned: _Weights = marshal.loads(done.stdout)  # noqa: S302 - our own process says it
    return learned


def _learn(
    data: Sequence[tuple[list[tuple[str, float]], int, float]], count: int, epochs: int = EPOCHS
) -> _Weights:
    """Softmax regression, AdaGrad, a fixed number of epochs in a fixed order.

    A sample holds the rows of its features themselves: nothing is looked up while learning.
    """
    features = dict.fromkeys(f for vector, _, _ in data for f, _ in vector)
    weights = {f: array("d", [0.0]) * count for f in features}
    squares = {f: array("d", [1e-3]) * count for f in features}
    bias, bias_squares = [0.0] * count, [1e-3] * count
    held = [
        ([weights[f] for f, _ in vector], [squares[f] for f, _ in vector], [v for _, v in vector])
        for vector, _, _ in data
    ]
    order, chance = list(range(len(data))), Random(7)
    rest = [0] * len(data)
    for epoch in range(epochs):
        chance.shuffle(order)
        for i in order:
            if rest[i] > epoch:
                continue
            _, label, importance = data[i]
            rows, steep, values = held[i]
            columns = zip(*rows, strict=True) if rows else [()] * count
            scores = [
                sum(map(mul, column, values), b) for column, b in zip(columns, bias, strict=True)
            ]
            top = max(scores)
            odds = [exp(s - top) for s in scores]
            total = sum(odds)
            errors = [importance * o / total for o in odds]
            errors[label] -= importance
            if -errors[label] < LEARNED * importance:
                rest[i] = epoch + REST
            live = [(k, e) for k, e in enumerate(errors) if abs(e) > 0.004]
            for k, error in live:
                bias_squares[k] += error * error
                bias[k] -= 0.1 * RATE * error / sqrt(bias_squares[k])
            for row, square, value in zip(rows, steep, values, strict=True):
                for k, error in live:
                    weight = row[k]
                    slope = error * value + DECAY * weight
                    square[k] = grown = square[k] + slope * slope
                    row[k] = weight - RATE * slope / sqrt(grown)
    kept = {feature: _row(weight) for feature, weight in weights.items()}
    return {f: row for f, row in kept.items() if row[0]}, [round(b, 4) for b in bias]


def _row(weights: Sequence[float]) -> Row:
    """The weights of a feature that matter."""
    kept = [k for k, w in enumerate(weights) if abs(w) >= SPARE]
    return kept, [round(weights[k], 2) for k in kept]


if __name__ == "__main__":
    try:
        _samples, _count = marshal.loads(sys.stdin.buffer.read())  # noqa: S302 - our own parent asks
        sys.stdout.buffer.write(marshal.dumps(_learn(_samples, _count)))
        sys.stdout.buffer.flush()
    except (EOFError, BrokenPipeError, KeyboardInterrupt):  # who asked is gone, or nobody wants it
        os._exit(1)
