"""A turn: a team asks a character something and is answered, whatever happens.

The state moves when the beat is committed; the voice only adds words. So whoever speaks, or dies
while speaking, changes nothing that counts, and any process can finish a turn with its authored
lines.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field, replace
from typing import NoReturn

import structlog

from amazonia.domain.case import CharacterId, ClueId
from amazonia.domain.decency import Indecency
from amazonia.domain.distress import Distress, distress
from amazonia.domain.errors import NotOwned, Unknown
from amazonia.domain.understanding import Reading
from amazonia.errors import Busy, InDistress, NoSuchTurn, StoreDown
from amazonia.play.audience import Audience
from amazonia.play.directing import Heard, hear, open_turn, settle, unclear
from amazonia.play.game import Game
from amazonia.play.performing import Share, next_piece, performance_in_full, performance_of
from amazonia.play.sessions import ID_ALPHABET
from amazonia.play.stream import closing_events, done_data, opening_events, reply_of
from amazonia.play.text import question_key
from amazonia.ports import (
    Accepted,
    Asked,
    Chance,
    Finished,
    Json,
    Moderation,
    Owners,
    Said,
    Spoke,
    Stream,
    StreamEvent,
    Streams,
    Team,
    Turn,
    Turns,
    Understanding,
    Voice,
    VoiceFailed,
    Watcher,
)
from amazonia.ports.classes import Flag
from amazonia.voice.speak import Deadline, ScriptedVoice, completion

log = structlog.get_logger()

AUTHORED = ScriptedVoice()
RETRIES = 40
"""How often saving a reply is tried while the database does not answer."""
SAVE_LEAST = 0.25
"""Seconds that saving may hold a reply up, though its deadline is reached."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What bounds a turn.

    Attributes:
        deadline: seconds; `duplicate_window` too.
        history: how many messages of the conversation a voice is told.
    """

    deadline: float = 18.0
    duplicate_window: float = 5.0
    history: int = 3


@dataclass(frozen=True, slots=True)
class Speaking:
    """A turn that this process speaks."""

    task: asyncio.Task[None]
    audience: Audience


@dataclass(frozen=True, slots=True)
class Performed:
    """What was said, whose words it was, and when (monotonic) the first sentence came."""

    events: list[StreamEvent]
    source: str
    first: float


async def _nobody(_team: Team) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Interviews:
    """The use cases around turns.

    Attributes:
        watch: tells how far a turn is that another process speaks.
        understanding: gives a second opinion on unclear questions, if anything does.
        moderation: finds what no character answers and the filter lets pass, if anything does.
        answered: is told whose words each turn was answered with.
        mark: notes that an adult should know of a team's message.
        is_scripted: whether only the authored lines may speak to a team.
    """

    game: Game
    turns: Turns
    streams: Streams
    watch: Watcher[tuple[str, int], Spoke]
    owners: Owners
    voice: Voice
    chance: Chance
    limit: Limit
    understanding: Understanding | None = None
    moderation: Moderation | None = None
    answered: Callable[[str], None] = lambda _: None
    mark: Callable[[Flag], Awaitable[None]] | None = None
    is_scripted: Callable[[Team], Awaitable[bool]] = _nobody
    _mine: set[str] = field(default_factory=set)
    """Turns that this process is about to accept or speaks."""
    _running: dict[str, Speaking] = field(default_factory=dict)
    _listening: Counter[str] = field(default_factory=Counter)
    """How many listen here to each turn that another process speaks."""
    _heard: dict[str, dict[int, StreamEvent]] = field(default_factory=dict)
    """What they heard of it, by event id."""
    _background: set[asyncio.Task[None]] = field(default_factory=set)

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
            InDistress: the message is none for a character; an adult should know of it.
        """
        await self._care(team, message)
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

    async def _care(self, team: Team, message: str) -> None:
        """Let no character and no machine answer a message that tells of distress."""
        kind = distress(message)
        if kind is not None:
            await self._alarm(team, message, kind)

    async def _alarm(self, team: Team, message: str, kind: Distress) -> NoReturn:
        """Mark a message of distress, for an adult; a human answers it.

        Raises:
            InDistress: always.
        """
        log.warning("turn.distress", team=team.id, kind=kind)
        if self.mark is not None:
            try:
                await self.mark(Flag(team.id, kind, message, self.game.clock.now()))
            except StoreDown:
                log.exception("turn.unmarked", team=team.id)
        raise InDistress(kind, is_seen=bool(team.class_id) and self.mark is not None)

    async def _ask(self, team: Team, asked: Asked) -> Accepted:
        monotonic = self.game.clock.monotonic
        began, deadline = monotonic(), Deadline.after(self.limit.deadline, monotonic)
        turn_id = self.chance.token(ID_ALPHABET, 16)
        structlog.contextvars.bind_contextvars(turn=turn_id, character=asked.character)
        self._mine.add(turn_id)
        try:
            accepted = await self._accept(team, asked, turn_id, deadline)
            if accepted.how == "new":
                self._start(team, accepted.turn, deadline, began)
        finally:
            if turn_id not in self._running:
                self._mine.discard(turn_id)
        event = "turn.accepted" if accepted.how == "new" else "turn.duplicate"
        seconds = round(monotonic() - began, 4)
        log.info(event, turn=accepted.turn.id, team=team.id, seconds=seconds)
        return accepted

    async def _accept(self, team: Team, asked: Asked, turn_id: str, deadline: Deadline) -> Accepted:
        """Commit the turn, as soon as the character is free."""
        heard = await self._hear(team, asked, deadline)
        owner = self.owners.token
        while True:
            accepted = await self.turns.accept(
                asked, lambda newest: open_turn(self.game, newest, asked, heard, turn_id, owner)
            )
            if accepted.how != "busy":
                return accepted
            if deadline.left() <= 0:
                raise Busy(f"{asked.character} is still speaking")
            await self._wait_for(team, accepted.turn, deadline)

    async def _hear(self, team: Team, asked: Asked, deadline: Deadline) -> Heard:
        """Understand the question, and what it asks of models; no text of it is logged."""
        heard, by = hear(self.game, team, asked), "filter"
        if not heard.declined and self._helps(heard) and not await self.is_scripted(team):
            reading, declined = await asyncio.gather(
                self._second_reading(team, asked, heard, deadline),
                self._judgement(team, asked, deadline),
            )
            heard, by = replace(heard, reading=reading, declined=declined), "provider"
        if heard.declined:
            log.info("turn.declined", team=team.id, kind=heard.declined, by=by)
        return heard

    def _helps(self, heard: Heard) -> bool:
        """Whether any model is asked about what was heard."""
        unsure = heard.reading.decision == "unsure" and self.understanding is not None
        return unsure or self.moderation is not None

    async def _judgement(self, team: Team, asked: Asked, deadline: Deadline) -> Indecency | None:
        """What a provider finds in a message that no character answers."""
        if self.moderation is None:
            return None
        concern = await self.moderation.judge(asked.message, deadline)
        if concern == "distress":
            await self._alarm(team, asked.message, "harm")
        return concern

    async def _second_reading(
        self, team: Team, asked: Asked, heard: Heard, deadline: Deadline
    ) -> Reading:
        """How a question is read; where the director is unsure, with a second opinion."""
        if heard.reading.decision != "unsure" or self.understanding is None:
            return heard.reading
        question = unclear(self.game, team, asked)
        opinion = await self.understanding.choose(question, deadline)
        character = question.case.characters[question.character]
        return settle(character, heard.reading, opinion)

    async def _wait_for(self, team: Team, turn: Turn, deadline: Deadline) -> None:
        """Wait until a turn is done and saved, at most until the deadline."""
        try:
            async with asyncio.timeout(max(0.01, deadline.left())):
                await self.reply(team, turn)
                if speaking := self._running.get(turn.id):  # told, and not saved yet
                    await asyncio.wait({speaking.task})
        except TimeoutError:
            return

    # ── speaking ────────────────────────────────────────────────────────────────────────────────

    def _start(self, team: Team, turn: Turn, deadline: Deadline, began: float) -> None:
        """Speak a turn in a task of this process's own; it survives whoever asked."""
        stream = self.streams.open(turn.id)
        for event in opening_events(turn):
            stream.add(event.kind, event.data)
        audience = Audience(turn.id, self.turns, self.owners, self.game.clock)
        speaking = self._speak(team, turn, stream, audience, deadline, began)
        task = asyncio.create_task(speaking, name=turn.id)
        self._running[turn.id] = Speaking(task, audience)
        task.add_done_callback(lambda _: self._let_go(turn.id))

    def _let_go(self, turn_id: str) -> None:
        self._running.pop(turn_id).audience.close()
        self._mine.discard(turn_id)

    async def _speak(
        self,
        team: Team,
        turn: Turn,
        stream: Stream,
        audience: Audience,
        deadline: Deadline,
        began: float,
    ) -> None:
        """Perform a turn and save it."""
        monotonic = self.game.clock.monotonic
        try:
            performed = await self._perform(team, turn, stream, audience, deadline)
            spoken, source = monotonic(), performed.source
            saving = asyncio.create_task(self._save(turn, performed.events, source))
            done = await self._done(turn, performed, saving, deadline)
            if done.reply != reply_of(performed.events):  # somebody took us for dead and was faster
                stream.add("replace", {"text": done.reply})
            for event in closing_events(done, 0):
                stream.add(event.kind, event.data)
            stream.close()
            log.info(
                "turn.answered",
                turn=turn.id,
                team=team.id,
                character=turn.character,
                kind=turn.answer["kind"],
                source=source,
                elapsed_ms=done.elapsed_ms,
                first_ms=round((performed.first - began) * 1000),
                save_ms=round((monotonic() - spoken) * 1000, 1),
            )
            self.answered(source)
            await saving  # until then nobody else may think that it is not spoken
        except StoreDown:
            log.exception("turn.unsaved", turn=turn.id)
        finally:
            stream.close()

    async def _perform(
        self, team: Team, turn: Turn, stream: Stream, audience: Audience, deadline: Deadline
    ) -> Performed:
        """Let the voice speak; where it fails, the authored lines."""
        monotonic = self.game.clock.monotonic
        began, first = monotonic(), 0.0
        performance = await performance_in_full(
            self.game, self.turns, team, turn, self.limit.history
        )
        said: list[Said] = []
        events: list[StreamEvent] = []
        share = Share(self.turns, turn.id, events, self.watch.changed)
        reason = ""
        try:
            voice = AUTHORED if await self.is_scripted(team) else self.voice
            async with aclosing(voice.speak(performance, deadline)) as speech:
                while (piece := await next_piece(speech, audience, deadline)) is not None:
                    said.append(piece)
                    events.append(stream.add("sentence", {"text": piece.text}))
                    first = first or monotonic()
                    share.soon()
        except TimeoutError:
            reason = "nobody_listens" if audience.gone else "deadline"
        except VoiceFailed as exc:
            reason = exc.reason
        except Exception:
            log.exception("voice.broke", turn=turn.id)
            reason = "error"
        finally:
            self._keep(share.end())
        if not reason and said:
            return Performed(events, said[-1].source, first)
        seconds = round(monotonic() - began, 2)
        log.info("turn.scripted", turn=turn.id, reason=reason, shown=len(said), seconds=seconds)
        rest = completion(performance, said)
        events += [stream.add("sentence", {"text": piece.text}) for piece in rest]
        return Performed(events, "scripted", first or monotonic())

    async def _done(
        self, turn: Turn, performed: Performed, saving: asyncio.Task[Turn], deadline: Deadline
    ) -> Turn:
        """The finished turn, at the deadline even if it is not stored yet: its beat is."""
        try:
            async with asyncio.timeout(max(SAVE_LEAST, deadline.left())):
                return await asyncio.shield(saving)
        except TimeoutError:
            log.warning("turn.told_unsaved", turn=turn.id)
            elapsed = round((self.game.clock.now() - turn.accepted_at) * 1000)
            reply, source = reply_of(performed.events), performed.source
            return replace(turn, status="done", reply=reply, source=source, elapsed_ms=elapsed)

    async def _save(self, turn: Turn, said: Sequence[StreamEvent], source: str) -> Turn:
        """Store the reply, patiently."""
        for attempt in range(RETRIES):
            try:
                return (await self._finish(turn, said, source)).turn
            except StoreDown:
                log.warning("turn.save_failed", turn=turn.id, attempt=attempt)
                await asyncio.sleep(min(2.0, 0.05 * 2**attempt))
        return (await self._finish(turn, said, source)).turn

    async def _finish(self, turn: Turn, said: Sequence[StreamEvent], source: str) -> Finished:
        reply, now = reply_of(said), self.game.clock.now()
        done = await self.turns.finish(turn, said, reply, source, now)
        self.watch.changed(turn.id)
        return done

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

    def follows(self, turn_id: str) -> bool:
        """Whether somebody listens here to a turn that another process speaks."""
        return turn_id in self._listening

    async def rescue(self, team: Team, turn: Turn) -> Turn:
        """Finish a turn with its authored lines if its speaker is dead; else the turn as it is.

        What was heard here stays, though the last of it may not have been stored.
        """
        if turn.status == "done" or self._is_spoken(turn):
            return turn
        place = (turn.id, 0)
        stored = (await self.turns.spoke([place]))[place].said
        last = stored[-1].id if stored else len(opening_events(turn))
        heard = self._heard.get(turn.id, {})
        shown = [*stored, *(heard[id_] for id_ in sorted(heard) if id_ > last)]
        last = shown[-1].id if shown else last
        spoken = [Said(event.data["text"]) for event in shown]
        rest = completion(performance_of(self.game, team, turn), spoken)
        said = [StreamEvent(last + i, "sentence", {"text": s.text}) for i, s in enumerate(rest, 1)]
        done = await self._finish(turn, [*shown, *said], "scripted")
        if done.first:
            log.warning(
                "turn.rescued",
                turn=turn.id,
                team=turn.team_id,
                character=turn.character,
                owner=turn.owner,
                shown=len(shown),
            )
        return done.turn

    def _is_spoken(self, turn: Turn) -> bool:
        """Whether somebody who lives speaks this turn."""
        if turn.owner == self.owners.token:
            return turn.id in self._mine
        return self.owners.alive(turn.owner)

    async def events(self, team: Team, turn: Turn, after: int = 0) -> AsyncIterator[StreamEvent]:
        """The turn's events after an id, until `done`, wherever it is spoken."""
        stream = self.streams.get(turn.id) if turn.status == "speaking" else None
        if stream is not None:
            speaking = self._running.get(turn.id)
            with speaking.audience.seat() if speaking else nullcontext():
                async for event in stream.after(after):
                    yield event
                    after = event.id
                    if event.kind == "done":
                        return
        if turn.owner == self.owners.token:  # it was spoken here, by now
            turn = await self.turn(team, turn.id)
        async for event in self._events_elsewhere(team, turn, after):
            yield event

    async def _events_elsewhere(
        self, team: Team, turn: Turn, after: int
    ) -> AsyncIterator[StreamEvent]:
        """The events of a turn that another process speaks or spoke, read from the database."""
        turn = await self.rescue(team, turn)
        head = opening_events(turn)
        for event in head[after:]:
            yield event
        seen = max(after, len(head))
        if turn.status == "done":
            for event in await self.rest(turn, seen):
                yield event
            return
        async for event in self._follow(team, turn, seen):
            seen = event.id
            yield event
        for event in closing_events(await self.turn(team, turn.id), seen):
            yield event

    async def _follow(self, team: Team, turn: Turn, after: int) -> AsyncIterator[StreamEvent]:
        """What is said until a turn is done that another process speaks, which is told that
        somebody listens."""
        is_done = False
        try:
            await self._sit_down(turn.id)
            while True:
                spoke = await self.watch.next((turn.id, after))
                for event in spoke.said if spoke else ():
                    after = event.id
                    self._heard.setdefault(turn.id, {})[after] = event
                    yield event
                if is_done := spoke is None or spoke.status == "done":
                    return
                if not self._is_spoken(turn):
                    await self.rescue(team, turn)
        finally:
            self._stand_up(turn.id, is_done=is_done)

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

    async def _sit_down(self, turn_id: str) -> None:
        """Tell the process that speaks a turn that somebody listens here."""
        self._listening[turn_id] += 1
        if self._listening[turn_id] > 1:
            return
        try:
            await self.turns.listen(turn_id, self.owners.token)
        except StoreDown:
            log.warning("turn.listener_not_signed_on", turn=turn_id)

    def _stand_up(self, turn_id: str, *, is_done: bool) -> None:
        self._listening[turn_id] -= 1
        if not self._listening[turn_id]:
            del self._listening[turn_id]
            self._heard.pop(turn_id, None)
            if not is_done:
                self._keep(asyncio.create_task(self._leave(turn_id)))

    async def _leave(self, turn_id: str) -> None:
        """Tell the process that speaks a turn that nobody listens here."""
        if self._listening[turn_id]:  # somebody sat down again
            return
        try:
            await self.turns.leave(turn_id, self.owners.token, self.game.clock.now())
        except StoreDown:
            log.warning("turn.listener_not_signed_off", turn=turn_id)

    def _keep(self, task: asyncio.Task[None] | None) -> None:
        """Let a task end in the background."""
        if task is not None:
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    # ── living and dying ────────────────────────────────────────────────────────────────────────

    def in_flight(self) -> int:
        """How many turns this process speaks now."""
        return len(self._running)

    async def drain(self) -> None:
        """Wait until every turn that this process speaks is answered and saved."""
        while tasks := [speaking.task for speaking in self._running.values()] + [*self._background]:
            await asyncio.gather(*tasks, return_exceptions=True)
