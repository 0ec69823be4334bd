"""What every use case needs, and the shape that most of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from amazonia.domain.case import Case
from amazonia.domain.projection import Codes, counter_view, news
from amazonia.domain.revision import fit
from amazonia.domain.session import Event, State, play
from amazonia.domain.words import CaseWords
from amazonia.ports import Change, Clock, Json, Library, Team, Teams


@dataclass(frozen=True, slots=True)
class Table:
    """A team with its case open before it."""

    case: Case
    words: CaseWords
    team: Team

    @property
    def state(self) -> State:
        """The team's state."""
        return self.team.state

    @property
    def codes(self) -> Codes:
        """Translates the codes that this team's players see."""
        return Codes(self.case, self.team.id)

    def after(self, events: Sequence[Event], **result: object) -> Change[Json]:
        """The change that the events make; its result tells what they opened as well."""
        after = play(self.state, events)
        opened = news(self.case, self.words, self.state, after)
        counter = counter_view(self.case, self.words, after, self.team.id)
        return Change(events, {**result, "unlocked": opened, "counter": counter})


Rule = Callable[[Table], Change[Json]]


@dataclass(frozen=True, slots=True)
class Game:
    """The ports of the use cases that are one transaction: load, ask the rules, save."""

    library: Library
    teams: Teams
    clock: Clock

    def table(self, team: Team) -> Table:
        """Open the team's case, with its state as the case's revision of today has it.

        Raises:
            UnknownCase: it is not in the library any more.
        """
        case = self.library.case(team.case_id)
        return Table(case, case.words[team.lang], replace(team, state=fit(case, team.state)))

    async def act(self, team: Team, rule: Rule) -> Json:
        """Apply a rule to the team's newest state and save what comes of it, all or nothing."""

        def on_newest(newest: Team) -> Change[Json]:
            return rule(self.table(newest))

        return await self.teams.change(team.id, on_newest, self.clock.now())
