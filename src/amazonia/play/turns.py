"""A turn: a team asks a character something and is answered, whatever happens.

The state moves when the beat is committed; the voice only adds words. So whoever speaks, or dies
while speaking, changes nothing that counts, and any process can finish a turn with its authored
lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import structlog

from amazonia.domain.case import CharacterId, ClueId, TopicId
from amazonia.domain.director import Beat, direct, meet, suggestions
from amazonia.domain.errors import NotOwned, Unknown
from amazonia.domain.projection import clue_note, counter_view, news
from amazonia.domain.session import play
from amazonia.errors import Busy, NoSuchTurn, StoreDown
from amazonia.play.game import Game, Table
from amazonia.play.sessions import ID_ALPHABET
from amazonia.play.text import question_key
from amazonia.ports import (
    Accepted,
    Asked,
    Chance,
    Json,
    Opening,
    Owners,
    Performance,
    Spoke,
    Stream,
    StreamEvent,
    Streams,
    Team,
    Turn,
    Turns,
    Voice,
    Watcher,
)
from amazonia.voice.speak import Deadline, authored_reply

log = structlog.get_logger()

SHARE_EVERY = 0.1
"""Seconds after which a slow performance is made visible to other processes."""
RETRIES = 40
"""How often saving a reply is tried while the database does not answer."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The times that bound a turn, in seconds."""

    deadline: float = 18.0
    duplicate_window: float = 5.0


@dataclass(frozen=True, slots=True)
class Interviews:
    """The use cases around turns.

    Attributes:
        watch: tells how far a turn is that another process speaks.
    """

    game: Game
    turns: Turns
    streams: Streams
    watch: Watcher[tuple[str, int], Spoke]
    owners: Owners
    voice: Voice
    chance: Chance
    limit: Limit
    _mine: set[str] = field(default_factory=set)
    """Turns that this process is about to accept or speaks."""
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    # ── asking ──────────────────────────────────────────────────────────────────────────────────

    async def ask(self, team: Team, character: str, message: str, shown: str | None) -> Accepted:
        """Accept a question; its turn then runs whether or not anybody listens.

        The same question again, within the window or while it is answered, is the same turn. A
        different one to a character who is still speaking waits for that.

        Raises:
            Unknown: there is no such character.
            NotYet: they cannot be reached yet.
            NotOwned: a clue is shown that the team has not found.
            Busy: the character did not finish in time.
        """
        case = self.game.table(team).case
        if character not in case.characters:
            raise Unknown("character", character)
        if shown is not None and shown not in case.clues:
            raise NotOwned(shown)
        clock = self.game.clock
        asked = Asked(
            team_id=team.id,
            character=CharacterId(character),
            message=message,
            key=question_key(message),
            shown=ClueId(shown) if shown else None,
            since=clock.now() - self.limit.duplicate_window,
        )
        # Shielded: who asks may go away at any moment, but an accepted turn must be spoken.
        return await asyncio.shield(asyncio.ensure_future(self._ask(team, asked)))

    async def _ask(self, team: Team, asked: Asked) -> Accepted:
        deadline = Deadline.after(self.limit.deadline, self.game.clock.monotonic)
        turn_id = self.chance.token(ID_ALPHABET, 16)
        self._mine.add(turn_id)
        try:
            accepted = await self._accept(team, asked, turn_id, deadline)
            if accepted.how == "new":
                self._start(team, accepted.turn, deadline)
        finally:
            if turn_id not in self._running:
                self._mine.discard(turn_id)
        turn = accepted.turn
        if accepted.how == "new":
            log.info("turn.accepted", turn=turn.id, team=team.id, character=asked.character)
        else:
            log.info("turn.duplicate", turn=turn.id, team=team.id, character=asked.character)
        return accepted

    async def _accept(self, team: Team, asked: Asked, turn_id: str, deadline: Deadline) -> Accepted:
        """Commit the turn, as soon as the character is free."""
        while True:
            accepted = await self.turns.accept(
                asked, lambda newest: self._direct(newest, asked, turn_id)
            )
            if accepted.how != "busy":
                return accepted
            if deadline.left() <= 0:
                raise Busy(f"{asked.character} is still speaking")
            await self._wait_for(team, accepted.turn, deadline)

    def _direct(self, team: Team, asked: Asked, turn_id: str) -> Opening:
        """Understand the question and choose the beat, on the team's newest state. Pure but for
        the seed, which is committed with it."""
        table = self.game.table(team)
        character = meet(table.case, table.words, table.state, asked.character)
        listener = self.game.library.listener(table.case, team.lang)
        reading = listener.listen(character.id, asked.message, table.state.talk.get(character.id))
        seed = self.chance.number(2**31)
        beat = direct(table.case, table.words, table.state, character, reading, seed, asked.shown)
        return Opening(
            id=turn_id,
            seed=seed,
            beat=beat,
            answer=_answer(table, beat, seed),
            owner=self.owners.token,
            at=self.game.clock.now(),
        )

    async def _wait_for(self, team: Team, turn: Turn, deadline: Deadline) -> None:
        """Wait until a turn is done, at most until the deadline."""
        try:
            async with asyncio.timeout(max(0.01, deadline.left())):
                await self.reply(team, turn)
        except TimeoutError:
            return

    # ── speaking ────────────────────────────────────────────────────────────────────────────────

    def _start(self, team: Team, turn: Turn, deadline: Deadline) -> None:
        """Speak a turn in a task of this process's own; it survives whoever asked."""
        stream = self.streams.open(turn.id)
        for event in opening_events(turn):
            stream.add(event.kind, event.data)
        task = asyncio.create_task(self._speak(team, turn, stream, deadline), name=turn.id)
        self._running[turn.id] = task
        task.add_done_callback(lambda _: self._let_go(turn.id))

    def _let_go(self, turn_id: str) -> None:
        self._running.pop(turn_id, None)
        self._mine.discard(turn_id)

    async def _speak(self, team: Team, turn: Turn, stream: Stream, deadline: Deadline) -> None:
        try:
            said, source = await self._perform(team, turn, stream, deadline)
            done = await self._save(turn, said, source)
            for event in closing_events(done, 0):
                stream.add(event.kind, event.data)
            log.info(
                "turn.answered",
                turn=turn.id,
                team=team.id,
                character=turn.character,
                kind=turn.answer["kind"],
                source=source,
                elapsed_ms=done.elapsed_ms,
            )
        except StoreDown:
            log.exception("turn.unsaved", turn=turn.id)
        finally:
            stream.close()

    async def _perform(
        self, team: Team, turn: Turn, stream: Stream, deadline: Deadline
    ) -> tuple[list[StreamEvent], str]:
        """What was said and whose words it was; the authored lines if the voice fails."""
        performance = self._performance(team, turn)
        clock = self.game.clock
        said: list[StreamEvent] = []
        shared, source, last = 0, "scripted", clock.monotonic()
        try:
            async with asyncio.timeout(deadline.left()):
                async for piece in self.voice.speak(performance, deadline):
                    said.append(stream.add(piece.kind, {"text": piece.text}))
                    source = piece.source
                    if clock.monotonic() - last > SHARE_EVERY:
                        await self.turns.say(turn.id, said[shared:])
                        shared, last = len(said), clock.monotonic()
        except Exception:
            log.exception("voice.failed", turn=turn.id)
            said.append(stream.add("replace", {"text": " ".join(authored_reply(performance))}))
            source = "scripted"
        return said, source

    async def _save(self, turn: Turn, said: Sequence[StreamEvent], source: str) -> Turn:
        """Store the reply, patiently."""
        for attempt in range(RETRIES):
            try:
                return await self._finish(turn, said, source)
            except StoreDown:
                log.warning("turn.save_failed", turn=turn.id, attempt=attempt)
                await asyncio.sleep(min(2.0, 0.05 * 2**attempt))
        return await self._finish(turn, said, source)

    async def _finish(self, turn: Turn, said: Sequence[StreamEvent], source: str) -> Turn:
        reply = reply_of(said)
        return await self.turns.finish(turn.id, said, reply, source, self.game.clock.now())

    def _performance(self, team: Team, turn: Turn) -> Performance:
        table = self.game.table(team)
        return Performance(
            case=table.case,
            words=table.words,
            lang=team.lang,
            character=turn.character,
            lines=turn.lines,
            message=turn.message,
        )

    # ── listening ───────────────────────────────────────────────────────────────────────────────

    async def turn(self, team: Team, turn_id: str) -> Turn:
        """A turn of the team; one whose speaker died is finished first.

        Raises:
            NoSuchTurn: the team has none of that id.
        """
        turn = await self.turns.get(team.id, turn_id)
        if turn is None:
            raise NoSuchTurn(turn_id)
        return await self.rescue(team, turn)

    async def rescue(self, team: Team, turn: Turn) -> Turn:
        """Finish a turn with its authored lines if its speaker is dead; else the turn as it is."""
        if turn.status == "done" or self._is_spoken(turn):
            return turn
        texts = authored_reply(self._performance(team, turn))
        first = len(opening_events(turn)) + 1
        said = [StreamEvent(first + i, "sentence", {"text": t}) for i, t in enumerate(texts)]
        place = (turn.id, 0)
        shown = (await self.turns.spoke([place]))[place].said
        if shown:  # some of it was seen already: replace it
            text = {"text": " ".join(texts)}
            said = [*shown, StreamEvent(shown[-1].id + 1, "replace", text)]
        log.warning("turn.rescued", turn=turn.id, owner=turn.owner)
        return await self._finish(turn, said, "scripted")

    def _is_spoken(self, turn: Turn) -> bool:
        """Whether somebody who lives speaks this turn."""
        if turn.owner == self.owners.token:
            return turn.id in self._mine
        return self.owners.alive(turn.owner)

    async def events(self, team: Team, turn: Turn, after: int = 0) -> AsyncIterator[StreamEvent]:
        """The turn's events after an id, until `done`, wherever it is spoken."""
        stream = self.streams.get(turn.id) if turn.status == "speaking" else None
        if stream is not None:
            async for event in stream.after(after):
                yield event
                after = event.id
                if event.kind == "done":
                    return
        async for event in self._events_elsewhere(team, turn.id, after):
            yield event

    async def _events_elsewhere(
        self, team: Team, turn_id: str, after: int
    ) -> AsyncIterator[StreamEvent]:
        """The events of a turn that another process speaks or spoke, read from the database."""
        turn = await self.turn(team, turn_id)
        head = opening_events(turn)
        for event in head[after:]:
            yield event
        seen = max(after, len(head))
        if turn.status == "speaking":
            async for event in self._follow(team, turn, seen):
                seen = event.id
                yield event
            turn = await self.turn(team, turn_id)
        for event in await self.rest(turn, seen):
            yield event

    async def _follow(self, team: Team, turn: Turn, after: int) -> AsyncIterator[StreamEvent]:
        """What is said while another process speaks."""
        while True:
            spoke = await self.watch.next((turn.id, after))
            for event in spoke.said if spoke else ():
                after = event.id
                yield event
            if spoke is None or spoke.status == "done":
                return
            if not self._is_spoken(turn):
                await self.rescue(team, turn)

    async def rest(self, turn: Turn, after: int) -> list[StreamEvent]:
        """The events of a finished turn after an id."""
        head = opening_events(turn)
        place = (turn.id, 0)
        said = (await self.turns.spoke([place]))[place].said
        last = said[-1].id if said else len(head)
        everything = [*head, *said, *closing_events(turn, last)]
        return [event for event in everything if event.id > after]

    async def reply(self, team: Team, turn: Turn) -> Json:
        """Wait for the whole reply: the data of `done`."""
        async for event in self.events(team, turn):
            if event.kind == "done":
                return event.data
        return done_data(await self.turn(team, turn.id))

    # ── living and dying ────────────────────────────────────────────────────────────────────────

    async def drain(self) -> None:
        """Wait until every turn that this process speaks is answered and saved."""
        while self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)


def _answer(table: Table, beat: Beat, seed: int) -> Json:
    """What the reply will hold beside the voice's words."""
    case, words, before = table.case, table.words, table.state
    after = play(before, beat.events)
    who = words.characters[beat.character]
    character = case.characters[beat.character]

    def question(topic: TopicId) -> str:
        return who.topics[topic].suggestion

    return {
        "kind": beat.kind,
        "emotion": beat.emotion,
        "gesture": beat.gesture,
        "clues": [clue_note(case, words, after, case.clues[clue]) for clue in beat.clues],
        "unlocked": news(case, words, before, after),
        "counter": counter_view(case, words, after, table.team.id),
        "suggestions": [question(t) for t in suggestions(case, after, character, salt=seed)],
        "readings": [{"label": who.topics[t].label, "text": question(t)} for t in beat.readings],
    }


# ── a turn's events ─────────────────────────────────────────────────────────────────────────────


def opening_events(turn: Turn) -> list[StreamEvent]:
    """What comes before the voice: `turn`, and the `gesture`."""
    events = [StreamEvent(1, "turn", {"turn_id": turn.id, "duplicate": False})]
    if turn.answer["gesture"]:
        events.append(StreamEvent(2, "gesture", {"text": turn.answer["gesture"]}))
    return events


def closing_events(turn: Turn, last: int) -> list[StreamEvent]:
    """What comes after the voice: `clue`, `counter`, `unlock`, and `done`.

    Args:
        last: the id of the last event before them.
    """
    answer = turn.answer
    pairs: list[tuple[str, Json]] = [("clue", clue) for clue in answer["clues"]]
    if answer["counter"]:
        pairs.append(("counter", answer["counter"]))
    pairs += [("unlock", item) for item in answer["unlocked"]]
    pairs.append(("done", done_data(turn)))
    return [StreamEvent(last + i, kind, data) for i, (kind, data) in enumerate(pairs, 1)]


def done_data(turn: Turn) -> Json:
    """The whole reply of a finished turn."""
    return {
        "turn_id": turn.id,
        "entity_id": turn.character,
        "reply": turn.reply,
        "source": turn.source,
        **turn.answer,
        "elapsed_ms": turn.elapsed_ms,
        "duplicate": False,
    }


def reply_of(said: Sequence[StreamEvent]) -> str:
    """The text that stands after everything was said."""
    texts: list[str] = []
    for event in said:
        if event.kind == "replace":
            texts = []
        texts.append(event.data["text"])
    return " ".join(texts)
