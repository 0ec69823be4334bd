"""Sentences that the report's page and its PDF both say."""

from __future__ import annotations

from collections.abc import Iterator

from amazonia.classroom.labels import Labels
from amazonia.classroom.path import TeamReport
from amazonia.classroom.questionnaire import Outcome


def team_figures(team: TeamReport, labels: Labels) -> Iterator[str]:
    """A team's figures in short."""
    yield labels("minutes_n", n=labels.number(team.minutes, 0))
    yield labels("act", n=team.act)
    for name, n in (
        ("questions", team.questions),
        ("clues", len(team.clues)),
        ("riddles_solved", sum(t.right for t in team.of("riddle"))),
        ("challenges_right", sum(t.right for t in team.of("challenge"))),
        ("hints", team.hints),
        ("editions", len(team.issues)),
        ("flags", len(team.flags)),
    ):
        if n:
            yield f"{labels(name)}: {n}"


def outcome_lines(outcome: Outcome, labels: Labels) -> Iterator[str]:
    """What the questionnaire shows, and what it does not."""
    yield labels("judging_n", n=outcome.n, before=outcome.before, after=outcome.after)
    if outcome.mean is not None:
        mean = labels.number(outcome.mean, 2)
        if outcome.spread is None:
            yield labels("judging_mean_only", mean=mean)
        else:
            spread = labels.number(outcome.spread, 2)
            yield labels("judging_mean", mean=mean, spread=spread)
        if outcome.interval is None:
            yield labels("judging_no_interval")
        else:
            low, high = (labels.number(end, 2) for end in outcome.interval)
            yield labels("judging_interval", low=low, high=high)
    yield labels("judging_limits")
