"""The circuit breaker."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from amazonia.voice.breaker import Breaker


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def opened(breaker: Breaker) -> None:
    for _ in range(6):
        assert breaker.admit() == "go"
        breaker.failed("silent")
    assert breaker.state == "open"


def test_all_are_let_in_at_first(breaker: Breaker):
    """A new breaker is closed."""
    assert breaker.admit() == "go"
    assert breaker.state == "closed"
    assert breaker.view().last_success is None


def test_a_few_failures_do_not_open_it(breaker: Breaker):
    """Five outcomes are too few to judge by."""
    for _ in range(5):
        breaker.failed("server")
    assert breaker.state == "closed"


def test_it_opens_when_half_of_the_calls_fail(breaker: Breaker):
    """The sixth outcome of which half failed opens it, and says why."""
    for _ in range(3):
        breaker.succeeded()
        breaker.failed("cut")
    assert breaker.state == "open"
    assert breaker.admit() == "stop"
    assert breaker.view().why == "cut"


def test_rare_failures_do_not_open_it(breaker: Breaker):
    """One failure in three is lived with."""
    for _ in range(30):
        breaker.succeeded()
        breaker.succeeded()
        breaker.failed("server")
    assert breaker.state == "closed"


def test_failures_of_the_question_count_for_nothing(breaker: Breaker):
    """Filters, lengths, limits and our own deadline do not open it."""
    for _ in range(10):
        for kind in ("filtered", "too_long", "rate_limited", "unauthorized", "overtime"):
            breaker.failed(kind)
    assert breaker.state == "closed"
    assert breaker.view().calls == 0


def test_old_outcomes_are_forgotten(breaker: Breaker, clock: Clock):
    """Failures a minute apart are no outage."""
    for _ in range(20):
        breaker.failed("server")
        clock.now += 61
    assert breaker.state == "closed"


def test_after_cooling_one_probe_is_let_in(breaker: Breaker, clock: Clock):
    """While the probe is away everybody else is stopped."""
    opened(breaker)
    clock.now += 3.9
    assert breaker.admit() == "stop"
    clock.now += 0.1
    assert breaker.state == "half_open"
    assert [breaker.admit() for _ in range(3)] == ["probe", "stop", "stop"]


def test_a_probe_that_succeeds_closes_it(breaker: Breaker, clock: Clock):
    """All are let in again and the past is forgotten."""
    opened(breaker)
    clock.now += 4
    breaker.admit()
    breaker.succeeded(probe=True)
    assert breaker.admit() == "go"
    assert (breaker.view().calls, breaker.view().why) == (0, "")
    assert breaker.view().last_success == 0.0


def test_each_probe_that_fails_doubles_the_cooling_up_to_a_limit(breaker: Breaker, clock: Clock):
    """Four, eight, sixteen, sixteen; after a success four again."""
    opened(breaker)
    waits = []
    for _ in range(4):
        waits.append(breaker.view().retry_in)
        clock.now += breaker.view().retry_in
        assert breaker.admit() == "probe"
        breaker.failed("silent", probe=True)
    assert waits == [4, 8, 16, 16]
    clock.now += 16
    breaker.admit()
    breaker.succeeded(probe=True)
    opened(breaker)
    assert breaker.view().retry_in == 4


def test_a_healed_provider_is_found_within_thirty_seconds(breaker: Breaker, clock: Clock):
    """After a minute of outage, with a turn each second and probes of six silent seconds."""
    opened(breaker)
    healed_at = clock.now + 60
    probe_ends: float | None = None
    while breaker.state != "closed":
        clock.now += 1
        if probe_ends is not None and clock.now >= probe_ends:
            probe_ends = None
            if clock.now - 6 >= healed_at:
                breaker.succeeded(probe=True)
            else:
                breaker.failed("silent", probe=True)
        if breaker.admit() == "probe":
            probe_ends = clock.now + 6
        assert clock.now < healed_at + 30


def test_a_probe_that_we_gave_up_makes_room_for_another(breaker: Breaker, clock: Clock):
    """A cancelled probe proves nothing and blocks nobody."""
    opened(breaker)
    clock.now += 4
    assert breaker.admit() == "probe"
    breaker.let_go(probe=True)
    assert breaker.admit() == "probe"


def test_late_reports_of_other_calls_do_not_move_an_open_breaker(breaker: Breaker, clock: Clock):
    """Only the probe decides."""
    opened(breaker)
    breaker.succeeded()
    breaker.failed("server")
    assert breaker.admit() == "stop"
    clock.now += 4
    breaker.succeeded()
    assert breaker.state == "half_open"


def test_a_parked_provider_is_left_alone_as_long_as_it_asked(breaker: Breaker, clock: Clock):
    """Then one probe sees whether it is well."""
    breaker.park(30, "rate_limited")
    assert breaker.state == "parked"
    assert (breaker.view().why, breaker.view().retry_in) == ("rate_limited", 30)
    clock.now += 29
    assert breaker.admit() == "stop"
    breaker.park(0.5, "rate_limited")
    assert breaker.view().retry_in == 1
    clock.now += 1
    assert [breaker.admit(), breaker.admit()] == ["probe", "stop"]


def test_a_probe_that_is_refused_cools_at_least(breaker: Breaker, clock: Clock):
    """A limit without a Retry-After is not asked again at once."""
    breaker.park(1, "rate_limited")
    clock.now += 1
    breaker.admit()
    breaker.failed("rate_limited", probe=True)
    assert breaker.admit() == "stop"
    breaker.park(60, "unauthorized")
    assert breaker.view().retry_in == 60


def test_a_parked_provider_stays_parked_when_an_older_probe_succeeds(
    breaker: Breaker, clock: Clock
):
    """What it asked for later counts more."""
    opened(breaker)
    clock.now += 4
    breaker.admit()
    breaker.park(10, "rate_limited")
    breaker.succeeded(probe=True)
    assert breaker.state == "parked"


class AnyUse(RuleBasedStateMachine):
    """Calls in any order: at most one probe is away, and the breaker never shuts for good."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(self.clock)
        self.calls: list[bool] = []

    @rule()
    def admit(self) -> None:
        answer = self.breaker.admit()
        if answer != "stop":
            self.calls.append(answer == "probe")

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), how=st.sampled_from(["well", "silent", "rate_limited", "overtime", "-"]))
    def report(self, data: st.DataObject, how: str) -> None:
        probe = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        match how:
            case "well":
                self.breaker.succeeded(probe=probe)
            case "-":
                self.breaker.let_go(probe=probe)
            case kind:
                self.breaker.failed(kind, probe=probe)  # type: ignore[arg-type]

    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(seconds=st.floats(0, 40))
    def park(self, seconds: float) -> None:
        self.breaker.park(seconds, "rate_limited")

    @invariant()
    def at_most_one_probe(self) -> None:
        assert self.calls.count(True) <= 1

    def teardown(self) -> None:
        self.clock.now += 41
        if True not in self.calls:
            assert self.breaker.admit() != "stop"


TestAnyUse = AnyUse.TestCase
TestAnyUse.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# ── what other processes found ──────────────────────────────────────────────────────────────────


def test_it_tells_once_that_it_shut(clock: Clock):
    """Whether it opened or was parked; not again for probes that fail, nor for a mere suspicion."""
    told: list[str] = []
    breaker = Breaker(clock, shut=told.append)
    opened(breaker)
    clock.now += 5
    assert breaker.admit() == "probe"
    breaker.failed("server", probe=True)
    assert told == ["silent"]
    other = Breaker(clock, shut=told.append)
    other.suspect("silent")
    assert told == ["silent"]
    Breaker(clock, shut=told.append).park(10, "rate_limited")
    assert told == ["silent", "rate_limited"]


def test_a_suspicion_is_looked_into(breaker: Breaker):
    """No player is sent before one probe; it alone decides."""
    breaker.suspect("silent")
    assert breaker.state == "half_open"
    assert [breaker.admit(), breaker.admit()] == ["probe", "stop"]
    breaker.succeeded(probe=True)
    assert breaker.admit() == "go"


def test_who_was_answered_just_now_is_not_suspicious(breaker: Breaker, clock: Clock):
    """One process with a bad line does not silence the others; old answers count for nothing."""
    breaker.admit()
    breaker.succeeded()
    clock.now += 4
    breaker.suspect("silent")
    assert breaker.admit() == "go"
    breaker.let_go()
    clock.now += 2
    breaker.suspect("silent")
    assert breaker.admit() == "probe"
