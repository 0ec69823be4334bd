"""The director on questions that were not used to teach it: modest floors, so that none is lost.

The figures themselves are printed by `bench/director/measure.py`.
"""

import json
import time
from collections import Counter
from functools import cache
from pathlib import Path
from statistics import mean

import pytest
from tests.domain.world import ROOT, World, lama, papel

from amazonia.content.batch import Json, answer_line
from amazonia.domain.case import CharacterId, TopicId

DEV: Path = ROOT / "bench" / "director" / "dev.jsonl"


@cache
def answered() -> tuple[list[tuple[Json, Json]], list[float]]:
    """Every question with its answer, and the seconds that each took."""
    lines = [json.loads(line) for line in DEV.read_text().splitlines() if line.strip()]
    world, pairs, times = lama(), [], []
    listener = world.listener
    for line in lines:
        start = time.process_time()
        pairs.append((line, answer_line(world.case, listener, line)))
        times.append(time.process_time() - start)
    return pairs, times


def right(line: Json) -> list[str]:
    """The topics that would be right for a question."""
    return [topic for topic in (line["topic"], *line.get("also", ())) if topic]


def plain() -> list[tuple[Json, Json]]:
    """Plain questions about a topic, with nothing said before."""
    return [
        (line, got)
        for line, got in answered()[0]
        if line["expect"] == "topic" and line["style"] != "hard" and not line.get("previous")
    ]


def share(kind: str) -> float:
    """How many of the lines that expect a decision get it."""
    got = [answer["decision"] for line, answer in answered()[0] if line["expect"] == kind]
    return Counter(got)[kind] / len(got)


def test_there_are_enough_questions() -> None:
    """The shares below are over some hundreds of questions to all seven characters."""
    assert len(answered()[0]) >= 600
    assert len({line["character"] for line, _ in answered()[0]}) == 7


def test_the_first_topic_is_right() -> None:
    """Of plain questions at least 85 in 100 find their topic first."""
    hits = [got["topics"][:1] != [] and got["topics"][0] in right(line) for line, got in plain()]
    assert mean(hits) >= 0.85


def test_the_right_topic_is_among_three() -> None:
    """Of plain questions at least 95 in 100 have their topic among the three offered."""
    assert mean(any(t in right(line) for t in got["topics"]) for line, got in plain()) >= 0.95


def test_out_of_scope_is_recognised() -> None:
    """Of questions that have nothing to do with a character at least 82 in 100 are out."""
    assert share("out") >= 0.82


def test_small_talk_is_recognised() -> None:
    """Of small talk at least 70 in 100 is taken as such."""
    assert share("smalltalk") >= 0.70


def test_follow_ups_go_on() -> None:
    """Of follow-ups at least 70 in 100 go on with the right topic."""
    hits = [
        got["topics"][:1] != [] and got["topics"][0] in right(line)
        for line, got in answered()[0]
        if line.get("previous") and line["expect"] == "topic"
    ]
    assert mean(hits) >= 0.70


def test_hardly_any_clue_is_given_wrongly() -> None:
    """At most 15 in 1000 turns award a clue that the question did not ask for, gates open."""
    wrong = 0
    for line, got in answered()[0]:
        topics = lama().case.characters[CharacterId(line["character"])].topics
        clues = {clue for topic in right(line) for clue in topics[TopicId(topic)].clues}
        wrong += got["clue"] is not None and got["clue"] not in clues
    assert wrong / len(answered()[0]) <= 0.015


def test_a_question_takes_no_time() -> None:
    """Understanding takes two milliseconds at most, on average."""
    assert mean(answered()[1]) <= 0.002


@pytest.mark.parametrize("world", [lama(), papel()], ids=["lama", "papel"])
def test_who_is_greeted_by_name_greets_back(world: World) -> None:
    """«Oi Valdão» is no question about Valdão, whoever is greeted in whichever case."""
    for name, who in world.words.characters.items():
        for hello in ("oi", "bom dia", "e aí"):
            reading = world.listener.listen(name, f"{hello} {who.short}")
            assert (reading.decision, reading.smalltalk) == ("smalltalk", "greeting"), who.short
