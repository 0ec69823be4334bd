"""The fault profiles as scripts, without a socket."""

from collections import Counter
from itertools import islice, pairwise
from random import Random

import pytest

from amazonia.devprovider import profiles, wire
from amazonia.devprovider.profiles import Ending, Range, UnknownProfile
from amazonia.devprovider.words import PARAGRAPH, tokens

HEAD = wire.Head("chatcmpl-1", 1_700_000_000, "m")
ANSWER = wire.streamed(HEAD, tokens(PARAGRAPH), "stop", wire.Usage(10, 20), brief=False)
BRIEF = wire.streamed(HEAD, ["agua"], "stop", None, brief=True)


def times(name: str, seed: int, answer: wire.Answer = ANSWER) -> tuple[float, float]:
    """Seconds to the first token and to the end."""
    script = profiles.draw(name, Random(seed)).script(answer, Random(seed))
    at = [at for at, _ in script.steps]
    return at[len(answer.opening)], at[-1]


@pytest.mark.parametrize(
    ("name", "first", "whole"),
    [
        ("healthy", (0.4, 1.2), (3, 8)),
        ("fast", (0.008, 0.012), (0.045, 0.055)),
        ("slow", (7.5, 15), (15, 30)),
        ("late", (20, 20), (21.8, 27.6)),
        ("nodone", (0.4, 1.2), (3, 8)),
    ],
)
def test_the_times_are_the_contracts(name: str, first: Range, whole: Range):
    """The first token and the end come within the profile's limits, whatever the chance."""
    for seed in range(200):
        begins, ends = times(name, seed)
        assert first[0] <= begins <= first[1]
        assert whole[0] <= ends <= whole[1]


def test_slow_speaks_first_after_half_of_its_time():
    """Of a slow reply the first half is silence."""
    begins, ends = times("slow", 3)
    assert begins == ends / 2


def test_tokens_come_evenly():
    """Between the first and the last token all gaps are equal."""
    script = profiles.draw("healthy", Random(1)).script(ANSWER, Random(1))
    at = [at for at, _ in script.steps][1 : 1 + len(ANSWER.tokens)]
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert max(gaps) - min(gaps) < 1e-9


def test_a_choice_of_one_word_takes_no_longer_than_a_first_token():
    """A brief answer ends when it begins."""
    begins, ends = times("healthy", 1, BRIEF)
    assert begins == ends <= 1.2


def test_a_drip_is_a_valid_stream_a_byte_at_a_time():
    """The drops together are the whole stream, one every two seconds."""
    script = profiles.draw("drip", Random(1)).script(ANSWER, Random(1))
    steps = list(script.steps)
    assert b"".join(data for _, data in steps) == ANSWER.whole()
    assert [at for at, _ in steps[:4]] == [0, 2, 4, 6]


def test_comments_never_end():
    """One comment a second, as long as anyone asks."""
    script = profiles.draw("comments", Random(1)).script(ANSWER, Random(1))
    assert [at for at, _ in islice(script.steps, 1000)] == list(range(1000))


def test_flaky_hangs_three_times_in_ten():
    """Nearly 30 % of many calls are never answered."""
    flaky = profiles.draw("flaky", Random(1))
    endings = Counter(flaky.script(ANSWER, Random(seed)).ending for seed in range(2000))
    assert 0.25 < endings[Ending.SILENCE] / 2000 < 0.35


def test_mixed_draws_every_profile_of_the_contract():
    """Each call may meet any profile but the bad key, which would park the provider for good."""
    drawn = {profiles.draw("mixed", Random(seed)).name for seed in range(1000)}
    assert drawn == set(profiles.NAMES) - {"mixed", "badkey"}


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("outage", "outage"),
        ("x-outage", "outage"),
        ("amazonia-mixed", "mixed"),
        ("gpt-4o-mini", None),
        ("outages", None),
        ("", None),
    ],
)
def test_a_models_name_may_name_a_profile(model: str, name: str | None):
    """The part after the last hyphen counts."""
    assert profiles.named_by(model) == name


@pytest.mark.parametrize("name", ["helthy", "", None, 3, ["healthy"]])
def test_an_unknown_profile_is_refused_with_the_list(name: object):
    """The message names every profile that exists."""
    with pytest.raises(UnknownProfile) as refused:
        profiles.known(name)
    assert all(each in str(refused.value) for each in profiles.NAMES)
