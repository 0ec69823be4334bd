"""What a teacher does with a class. Of two teachers' commands the newest wins; all are noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from amazonia.classroom.classes import KEY_ALPHABET, LONGEST, Registry
from amazonia.classroom.rooms import Rooms
from amazonia.domain.case import Lang
from amazonia.domain.errors import BadAnswer, Unknown
from amazonia.errors import ClassEnded
from amazonia.ports import Json
from amazonia.ports.classes import Classroom, ClassVoice, Command, Vote

MOST_OPTIONS = 6
MOST_HANDS = 200

Rule = Callable[[Classroom], Classroom]


@dataclass(frozen=True, slots=True)
class Leading:
    """The use cases of leading a class."""

    registry: Registry
    rooms: Rooms

    async def pause(self, room: Classroom, *, on: bool) -> Classroom:
        """Let nobody play on, or everybody again. Turns under way are answered."""
        kind = "pause" if on else "resume"
        return await self._do(room, kind, lambda newest: replace(newest, paused=on))

    async def hold(self, room: Classroom, act: str) -> Classroom:
        """Let teams play in this act and those before it; in all of them if it is empty.

        Raises:
            Unknown: the case has no such act.
        """
        acts = [name for name, _ in self.registry.library.case(room.case_id).acts]
        if act and act not in acts:
            raise Unknown("act", act)
        kind = "hold" if act else "open"
        return await self._do(room, kind, lambda newest: replace(newest, held=act), act=act)

    async def set_voice(self, room: Classroom, voice: ClassVoice) -> Classroom:
        """Let a model speak for the characters, or the authored lines alone."""
        return await self._do(room, "voice", lambda n: replace(n, voice=voice), voice=voice)

    async def set_language(self, room: Classroom, lang: str) -> Classroom:
        """Let every team play in another language of the case.

        Raises:
            Unknown: the case does not have it.
        """
        if lang not in self.registry.library.case(room.case_id).words:
            raise Unknown("language", lang)
        after = await self._do(room, "lang", lambda n: replace(n, lang=Lang(lang)), lang=lang)
        await self.registry.classes.set_language(room.id, Lang(lang), self.registry.clock.now())
        self.rooms.changed(room.id)
        return after

    async def extend(self, room: Classroom, seconds: float) -> Classroom:
        """Move the end, from now on if it is past; a class that was over goes on."""
        now = self.registry.clock.now()

        def rule(newest: Classroom) -> Classroom:
            ends = max(newest.ends_at, now) if seconds > 0 else newest.ends_at
            latest = newest.created_at + 3 * LONGEST
            ends = min(latest, max(now, ends + seconds))
            return replace(newest, ends_at=ends, ended_at=None)

        return await self._do(room, "extend", rule, minutes=round(seconds / 60))

    async def end_in(self, room: Classroom, seconds: float) -> Classroom:
        """Let the class be over so many seconds from now."""
        ends_at = self.registry.clock.now() + seconds
        return await self._do(
            room,
            "end_in",
            lambda newest: replace(newest, ends_at=ends_at, ended_at=None),
            minutes=round(seconds / 60),
        )

    async def end(self, room: Classroom) -> Classroom:
        """The class is over. What teams did is kept; `extend` opens it again."""
        now = self.registry.clock.now()

        def rule(newest: Classroom) -> Classroom:
            return newest if newest.is_over(now) else replace(newest, ended_at=now, vote=None)

        return await self._do(room, "end", rule)

    async def remove(self, room: Classroom, team_id: str) -> None:
        """Take a team out. What it did is kept until the class is erased.

        Raises:
            Unknown: it is not in the class.
        """
        now = self.registry.clock.now()
        if not await self.registry.classes.remove_team(room.id, team_id, now):
            raise Unknown("team", team_id)
        await self._do(room, "remove", lambda newest: newest, team=team_id)

    async def hint(self, room: Classroom, team_id: str, hint: Json) -> None:
        """Show a team a hint."""
        command = Command("hint", {"hint": hint}, self.registry.clock.now(), team_id)
        await self.registry.classes.change(room.id, lambda n: n, [command], command.at)
        self.rooms.changed(room.id)

    async def see_flags(self, room: Classroom, team_id: str) -> None:
        """Note that the teacher has seen why a team is marked."""
        await self.registry.classes.see_flags(team_id, self.registry.clock.now())

    # ── votes ───────────────────────────────────────────────────────────────────────────────────

    async def ask(self, room: Classroom, question: str, options: Sequence[str]) -> Classroom:
        """Ask the class something; an earlier vote is over.

        Raises:
            BadAnswer: fewer than two options, or too many.
            ClassEnded: the class is over.
        """
        if not 2 <= len(options) <= MOST_OPTIONS:
            raise BadAnswer(f"a vote has 2 to {MOST_OPTIONS} options")
        if room.is_over(self.registry.clock.now()):
            raise ClassEnded(room.id)
        id_ = self.registry.chance.token(KEY_ALPHABET, 8)
        vote = Vote(id_, question, tuple(options), (0,) * len(options))
        return await self._do(room, "vote", lambda newest: replace(newest, vote=vote))

    async def count_hands(self, room: Classroom, hands: Sequence[int]) -> Classroom:
        """Write down how many hands went up for each option.

        Raises:
            BadAnswer: there is no vote, or it has another number of options.
        """
        counted = tuple(min(MOST_HANDS, max(0, n)) for n in hands)

        def rule(newest: Classroom) -> Classroom:
            if newest.vote is None or len(counted) != len(newest.vote.options):
                raise BadAnswer("hands must be one number for each option of the vote")
            return replace(newest, vote=replace(newest.vote, hands=counted))

        return await self._do(room, "hands", rule)

    async def close_vote(self, room: Classroom, *, clear: bool = False) -> Classroom:
        """Let nobody vote any more; with `clear`, put the vote away."""

        def rule(newest: Classroom) -> Classroom:
            if newest.vote is None:
                return newest
            return replace(newest, vote=None if clear else replace(newest.vote, is_open=False))

        return await self._do(room, "vote_end", rule)

    async def cast(self, class_id: str, voter: str, vote_id: str, option: int) -> Classroom:
        """A browser votes, or votes anew.

        Raises:
            BadAnswer: this vote is over, or has no such option.
        """

        def rule(newest: Classroom) -> Classroom:
            vote = newest.vote
            if vote is None or vote.id != vote_id or not vote.is_open:
                raise BadAnswer("this vote is over")
            if not 0 <= option < len(vote.options):
                raise BadAnswer("option must be the number of one of the options")
            return replace(newest, vote=replace(vote, ballots={**vote.ballots, voter: option}))

        now = self.registry.clock.now()
        after = await self.registry.classes.change(class_id, rule, [], now)
        self.rooms.changed(class_id)
        return after

    async def _do(self, room: Classroom, kind: str, rule: Rule, **data: object) -> Classroom:
        after = await self.registry.command(room, kind, rule, **data)
        self.rooms.changed(room.id)
        return after
