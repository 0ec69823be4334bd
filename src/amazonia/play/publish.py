"""Publishing an edition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amazonia.domain.errors import BadAnswer, Unknown
from amazonia.domain.projection import edition_view
from amazonia.domain.publication import publish
from amazonia.domain.session import play
from amazonia.play.game import Game, Table
from amazonia.ports import Change, Json, Team


async def publish_edition(
    game: Game, team: Team, claims: Sequence[str], decisions: Mapping[str, str]
) -> Json:
    """Publish: the front page, what was proved and what is missing. May be repeated.

    Raises:
        Unknown: publication is not open, or a claim or decision is not listed.
        BadAnswer: no claim, or a decision's option that does not exist.
    """

    def rule(table: Table) -> Change[Json]:
        case, codes = table.case, table.codes
        names = [codes.inner("claim", code, case.publication.claims) for code in claims]
        chosen = dict(_decision(table, *pair) for pair in decisions.items())
        page = publish(case, table.words, table.state, names, chosen)
        after = play(table.state, [page.event])
        return table.after([page.event], **edition_view(case, table.words, after))

    return await game.act(team, rule)


def _decision(table: Table, code: str, option: str) -> tuple[str, str]:
    decisions = table.case.publication.decisions
    name = table.codes.inner("decision", code, decisions)
    try:
        chosen = table.codes.inner(f"decision:{name}", option, decisions[name].options)
    except Unknown as exc:
        raise BadAnswer(f"decision '{code}' must be the id of one of its options") from exc
    return name, chosen
