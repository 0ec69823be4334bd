"""The board of the notebook: strings between clues."""

from __future__ import annotations

from collections.abc import Sequence

from amazonia.domain.case import ClueId
from amazonia.domain.errors import BadAnswer, NotOwned
from amazonia.domain.projection import state_view
from amazonia.domain.session import Event, LinkDrawn, LinkErased, play
from amazonia.play.game import Game, Table
from amazonia.ports import Change, Json, Team


async def link_clues(game: Game, team: Team, clues: Sequence[str], erase: bool) -> Json:
    """Tie a string between two clues or take it off: `{links}`, all that are there now.

    Raises:
        BadAnswer: not two different clues.
        NotOwned: the team has not found one of them.
    """

    def rule(table: Table) -> Change[Json]:
        if len(clues) != 2 or clues[0] == clues[1]:
            raise BadAnswer("clues must be two different clue ids")
        for clue in clues:
            if clue not in table.state.clues:
                raise NotOwned(clue)
        first, second = sorted(map(ClueId, clues))
        drawn = frozenset({first, second}) in table.state.links
        events: list[Event] = []
        if erase and drawn:
            events = [LinkErased((first, second))]
        elif not erase and not drawn:
            events = [LinkDrawn((first, second))]
        after = play(table.state, events)
        view = state_view(table.case, table.words, after, table.team.id)
        return Change(events, {"links": view["links"]})

    return await game.act(team, rule)
