"""Who speaks: models where they may, guarded sentence by sentence; the authors for the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

import pytest
from tests.voice.test_budget import ManualClock
from tests.voice.test_chain import FakeProvider, Step, World
from tests.voice.test_flights import FakeOwners, MemoryReplies
from tests.voice.test_prompt import CAKE, COUNTER, performance

from amazonia.domain.case import ClueId, Lang, TopicId
from amazonia.domain.session import State
from amazonia.fabric.watch import Watch
from amazonia.ports import Exchange, Performance, Said, VoiceFailed
from amazonia.voice.chain import Finish
from amazonia.voice.deadline import Deadline
from amazonia.voice.failures import ProviderFailed
from amazonia.voice.flights import Flights
from amazonia.voice.speak import ScriptedVoice, Speaker, authored_reply, completion

BOLO = ("Deixei o bolo ali.", "Virei as costas, e sumiu.")
GOOD: list[Step] = ["Deixei o bo", "lo ali. Virei as costas", ", e sumiu."]
BAD = "Vejam em www.bolo.com agora."


class Room:
    """A speaker over a fake provider."""

    def __init__(self, *calls: list[Step], replies: MemoryReplies | None = None) -> None:
        self.provider = FakeProvider("a", *(calls or (GOOD,)))
        self.world = World([self.provider], retries=0)
        self.replies = replies or MemoryReplies()
        owners = FakeOwners("p1", self.replies.dead)
        self.flights = Flights(self.replies, Watch(self.replies.look, 0.001), owners, ManualClock())
        self.voice = Speaker(self.world.chain, self.flights, max_tokens=400)

    async def hear(self, asked: Performance) -> list[Said]:
        """What is said; a failure ends it with ``!reason``."""
        said: list[Said] = []
        deadline = Deadline.after(18.0, self.world.clock.monotonic)
        try:
            async with asyncio.timeout(5), aclosing(self.voice.speak(asked, deadline)) as speech:
                async for piece in speech:
                    said.append(piece)  # noqa: PERF401 - a failure keeps them
        except VoiceFailed as exc:
            said.append(Said(f"!{exc.reason}"))
        await self.flights.settle()
        return said

    @property
    def calls(self) -> int:
        return len(self.provider.asked)


def by(source: str, *texts: str) -> list[Said]:
    return [Said(text, source) for text in texts]  # type: ignore[arg-type]


def with_must(*musts: str) -> Performance:
    """The performance, with what its beat must say."""
    first = performance()
    who = first.words.characters[first.character]
    topic = who.topics[TopicId("bolo")]
    steps = (replace(topic.steps[0], must=musts), *topic.steps[1:])
    topics = {**who.topics, TopicId("bolo"): replace(topic, steps=steps)}
    people = {**first.words.characters, first.character: replace(who, topics=topics)}
    return replace(first, words=replace(first.words, characters=people))


# ── who may speak ────────────────────────────────────────────────────────────────────────────────


async def test_a_model_performs_the_beat() -> None:
    """Sentence by sentence, each once it is whole."""
    room = Room()
    assert await room.hear(performance()) == by("model", *BOLO)
    assert room.provider.asked[0].max_tokens == 400


async def test_half_a_second_is_kept_for_the_authors() -> None:
    """No call may take all of the deadline."""
    room = Room()
    await room.hear(performance())
    assert room.provider.left == [17.5]


@pytest.mark.parametrize("kind", ["locked", "waiting", "unsure"])
async def test_some_beats_are_the_authors_alone(kind: str) -> None:
    """No model is asked, however well it is."""
    room = Room()
    assert await room.hear(replace(performance(), kind=kind)) == by("scripted", *BOLO)
    assert room.calls == 0


async def test_a_beat_without_lines_is_not_performed() -> None:
    """A counter-question alone, or a line that is gone."""
    room = Room()
    said = await room.hear(replace(performance(), lines=(COUNTER, "topics/gone/steps/0/says/0")))
    assert said == by("scripted", "E vocês, gostam de bolo quente ou frio?")
    assert room.calls == 0


async def test_a_question_that_names_a_secret_reaches_no_model() -> None:
    """Unless the team knows it: then it is a question like any other."""
    room, asked = Room(), performance("foi o gato?")
    assert await room.hear(asked) == by("scripted", *BOLO)
    assert room.calls == 0
    knowing = replace(asked.state, clues=(ClueId("pelos"),))
    assert await room.hear(replace(asked, state=knowing)) == by("model", *BOLO)
    assert await room.hear(asked) == by("scripted", *BOLO)


# ── what is shown ────────────────────────────────────────────────────────────────────────────────


async def test_a_fault_before_the_first_sentence_shows_nothing() -> None:
    """And nothing is kept."""
    room = Room([BAD, " Deixei o bolo ali."])
    assert await room.hear(performance()) == [Said("!guard")]
    assert [row.how for row in room.replies.rows.values()] == ["failed"]
    assert room.provider.open == 0


async def test_a_fault_after_it_leaves_what_was_shown() -> None:
    """The call is closed at once; whoever else listens hears the same."""
    room = Room(["Deixei o bolo ali. ", f"{BAD} Pois ", asyncio.Event()])
    heard = await asyncio.gather(*(room.hear(performance()) for _ in range(2)))
    assert [[said.text for said in each] for each in heard] == [[BOLO[0], "!guard"]] * 2
    assert room.provider.open == 0
    assert room.calls == 1


async def test_a_provider_that_breaks_off_leaves_no_half_sentence() -> None:
    """At every character: only what was followed by another sentence was shown."""
    text = "".join(piece for piece in GOOD if isinstance(piece, str))
    for cut in range(len(text)):
        room = Room([text[:cut], ProviderFailed("cut")] if cut else [ProviderFailed("cut")])
        expected = by("model", BOLO[0]) if cut > text.index(" Virei") + 1 else []
        assert await room.hear(performance()) == [*expected, Said("!cut")]
        assert all(row.how == "failed" for row in room.replies.rows.values())


async def test_a_reply_cut_to_size_loses_its_last_half() -> None:
    """The sentences before it stand."""
    room = Room(["Deixei o bolo ali. Virei as cos", Finish("length")])
    assert await room.hear(performance()) == by("model", BOLO[0])
    room = Room(["Deixei o bo", Finish("length")])
    assert await room.hear(performance()) == [Said("!empty")]


async def test_a_last_sentence_without_a_full_stop() -> None:
    """Stands where it is all there is, and is not shown after others."""
    room = Room(["Deixei o bolo ali"])
    assert await room.hear(performance()) == by("model", "Deixei o bolo ali")
    room = Room(["Deixei o bolo ali. Virei as cos"])
    assert await room.hear(performance()) == by("model", BOLO[0])


async def test_what_the_beat_must_say_is_said_by_the_end() -> None:
    """What a model left out, its authors say: the sentence that says it, and no other."""
    room = Room(["Deixei o bolo ali."])
    assert await room.hear(with_must("costas|virei")) == by("model", *BOLO)
    room = Room()
    assert await room.hear(with_must("costas|virei", "bolo")) == by("model", *BOLO)


async def test_a_counter_question_is_asked_in_its_own_words() -> None:
    """After the performance, whoever performed."""
    room, asked = Room(), replace(performance(), lines=(CAKE, COUNTER))
    question = "E vocês, gostam de bolo quente ou frio?"
    assert await room.hear(asked) == by("model", *BOLO, question)
    assert await room.hear(asked) == by("cache", *BOLO, question)


# ── what is shared ───────────────────────────────────────────────────────────────────────────────


async def test_a_question_that_stands_alone_is_answered_once_for_all() -> None:
    """Teams that know different things share it."""
    room, asked = Room(), performance()
    rich = replace(asked.state, clues=tuple(asked.case.clues))
    assert await room.hear(asked) == by("model", *BOLO)
    other = replace(asked, turn="other", spender="team:b", state=rich)
    assert await room.hear(replace(other, message="O que aconteceu  com o bolo?")) == by(
        "cache", *BOLO
    )
    assert room.calls == 1


async def test_a_follow_up_is_shared_with_nobody() -> None:
    """Its answer holds what was talked about."""
    room = Room()
    asked = replace(performance("e depois?"), history=(Exchange("oi", "Oi, gente."),))
    for _ in range(2):
        assert await room.hear(asked) == by("model", *BOLO)
    assert (room.calls, room.replies.rows) == (2, {})


Other = Callable[[Performance], Performance]
OTHERS: dict[str, Other] = {
    "revision": lambda p: replace(p, case=replace(p.case, revision="other")),
    "language": lambda p: replace(p, lang=Lang("pt-PT")),
    "kind": lambda p: replace(p, kind="smalltalk"),
    "lines": lambda p: replace(p, lines=(CAKE, "repeat/0")),
    "counter": lambda p: replace(p, lines=(CAKE, COUNTER)),
    "question": lambda p: replace(p, key="e o bolo?"),
    "clue": lambda p: replace(p, shown=ClueId("bilhete")),
}


@pytest.mark.parametrize("part", OTHERS)
async def test_another_performance_is_another_reply(part: str) -> None:
    """In whatever part it differs."""
    room = Room()
    await room.hear(performance())
    await room.hear(OTHERS[part](performance()))
    assert (room.calls, len(room.replies.rows)) == (2, 2)


async def test_another_model_gives_another_reply() -> None:
    """As does another length."""
    replies = MemoryReplies()
    first, other, longer = Room(replies=replies), Room(replies=replies), Room(replies=replies)
    other.provider.endpoint = replace(other.provider.endpoint, model="other")
    longer.voice = replace(longer.voice, max_tokens=401)
    for room in (first, other, longer):
        assert await room.hear(performance()) == by("model", *BOLO)
    assert len(replies.rows) == 3


async def test_while_no_provider_is_well_kept_replies_are_spoken() -> None:
    """What is not kept fails at once, without a call."""
    room = Room()
    await room.hear(performance())
    room.world.break_(0)
    assert await room.hear(performance()) == by("cache", *BOLO)
    assert await room.hear(replace(performance(), key="e agora?")) == [Said("!no_provider")]
    assert room.calls == 1


# ── the authors ──────────────────────────────────────────────────────────────────────────────────


async def test_the_scripted_voice_speaks_the_authored_lines() -> None:
    """All of them, as they were written."""
    asked = replace(performance(), lines=(CAKE, COUNTER))
    said = [s async for s in ScriptedVoice().speak(asked, Deadline(0.0, lambda: 0.0))]
    assert said == by("scripted", *BOLO, "E vocês, gostam de bolo quente ou frio?")
    assert ScriptedVoice().view() == []


def test_a_completion_says_all_that_has_to_be_said() -> None:
    """After a sentence that was shown, with a bridge in the character's own voice."""
    asked = performance()
    assert completion(asked, []) == by("scripted", *BOLO)
    bridge, *rest = completion(asked, by("model", "Olha."))
    assert bridge.text in asked.words.characters[asked.character].resume
    assert [said.text for said in rest] == authored_reply(asked)
    assert completion(asked, by("model", "Olha.")) == [bridge, *rest]


# ── faults found in review: each fails until it is mended ────────────────────────────────────────


async def test_a_question_that_named_a_secret_is_not_told_later() -> None:
    """Authored lines alone answered it; with the next question it must not reach a model."""
    room = Room()
    talk = (Exchange("foi o gato que comeu?", "Disso eu não sei."), Exchange("ah", "Pois é."))
    await room.hear(replace(performance("e depois?"), history=talk, state=State()))
    assert not [m for r in room.provider.asked for m in r.messages if "gato" in m.content]


async def test_a_text_without_end_is_broken_off() -> None:
    """Nobody waits for 64 KB that are no sentence, nor is each piece searched from the start."""
    never = asyncio.Event()
    room = Room(["bolo " * 400, never])
    assert await room.hear(performance()) == [Said("!guard")]
