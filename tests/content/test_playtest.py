"""Simulated teams on the real case: everybody gets on, nobody is given anything for nothing."""

from dataclasses import replace

import pytest
from tests.domain.world import PT, World, lama, mini, papel

from amazonia.content.playtest import Playtest, playtest
from amazonia.domain.gates import OPEN


def teams(world: World, count: int, seed: int, idle: bool = False, turns: int = 400) -> Playtest:
    """Some teams on a case."""
    return playtest(world.case, PT, world.listener, count, seed, idle, turns)


@pytest.mark.slow
def test_nobody_is_ever_stuck() -> None:
    """Eighty noisy, hasty teams on the real case: the best ending stays reachable for all."""
    played = teams(lama(), 80, seed=1, turns=70)
    assert len(played.games) == 80
    assert [game.stuck for game in played.dead_ends] == []
    required = lama().case.guarded_clues
    assert sum(len(required & game.clues) >= 3 for game in played.games) > 60


@pytest.mark.slow
def test_teams_with_time_find_nearly_everything() -> None:
    """Given four hundred turns, random as they are, most teams find most of what is needed."""
    played = teams(lama(), 6, seed=2)
    assert played.dead_ends == []
    required = lama().case.guarded_clues
    found = [len(required & game.clues) / len(required) for game in played.games]
    assert sum(found) / len(found) > 0.6


@pytest.mark.slow
def test_most_teams_win_the_short_case() -> None:
    """Of twenty teams that may go on, nearly all come to its best ending, and none is stuck."""
    played = teams(papel(), 20, seed=7)
    assert played.dead_ends == []
    assert played.endings["e1"] >= 18


@pytest.mark.parametrize("world", [lama(), papel()], ids=["lama", "papel"])
def test_idle_teams_earn_nothing(world: World) -> None:
    """Who only asks about other things finds no required clue, and is never stuck."""
    played = teams(world, 20, seed=3, idle=True, turns=100)
    required = world.case.guarded_clues - set(world.case.start)
    for game in played.games:
        assert not game.clues & required
        assert game.ending is None
        assert game.stuck == ""


def test_the_same_seed_plays_the_same_games() -> None:
    """Chance is an argument."""
    one, same, other = (teams(mini(), 6, seed, turns=60) for seed in (4, 4, 5))
    assert one.games == same.games
    assert one.games != other.games


def test_the_mini_case_is_won_by_some() -> None:
    """The figures add up: endings are counted, and each clue's share of teams."""
    played = teams(mini(), 30, seed=6)
    assert played.endings.total() == 30
    assert played.endings["e1"] > 15
    assert played.dead_ends == []
    (first,) = mini().case.start
    assert played.reach(first) == 1.0
    assert 0.5 < played.reach(next(c for c in mini().case.clues if c == "pelos")) <= 1.0


def test_it_says_where_teams_stick() -> None:
    """A team that goes home early is missed somewhere; one that wins is not."""
    played = teams(mini(), 20, seed=6, turns=12)
    assert any(game.ending != "e1" for game in played.games)
    for game in played.games:
        assert (game.before == "") is (game.ending == "e1")
        turns, before = game.slowest
        assert 0 < turns <= game.turns
        assert before
    assert sum(played.before.values()) == sum(game.ending != "e1" for game in played.games)
    assert played.turns("e1") == sorted(g.turns for g in played.games if g.ending == "e1")


def test_nobody_publishes_before_it_is_open() -> None:
    """Claims that are listed from the start tempt no simulated team to publish too early."""
    case = mini().case
    early = replace(
        case,
        publication=replace(
            case.publication,
            claims={n: replace(c, when=OPEN) for n, c in case.publication.claims.items()},
        ),
    )
    played = playtest(early, PT, mini().listener, 10, seed=1, turns=30)
    assert len(played.games) == 10
