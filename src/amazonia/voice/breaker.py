"""A circuit breaker: a provider that fails is left alone, and asked again by one call at a time.

Source: M. Nygard, Release It!, "Circuit Breaker", with a failure ratio over a sliding window.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from amazonia.voice.failures import Kind, blames

BreakerState = Literal["closed", "open", "half_open", "parked"]
Admission = Literal["go", "probe", "stop"]

REMEMBERED: Final = 60.0
"""Seconds after which an outcome no longer counts."""
TRUSTED = 5.0
"""Seconds for which an answer counts for more than what another process found."""

_ABOUT_THE_CALL: Final[frozenset[Kind]] = frozenset({"filtered", "too_long", "overtime"})


@dataclass(frozen=True, slots=True)
class BreakerView:
    """A breaker at one moment, for people to read.

    Attributes:
        why: what closed the way to the provider; empty while it is open to calls.
        retry_in: seconds until the next call may try, 0.0 if now.
        last_success: seconds since a call succeeded; None if none ever did.
        calls: how many outcomes count at present.
        failures: how many of them failed.
    """

    state: BreakerState
    why: str
    retry_in: float
    last_success: float | None
    calls: int
    failures: int


class Breaker:
    """The breaker of one provider in one process.

    A call asks `admit()` first. One that was let in ("go", "probe") reports exactly once, with
    `succeeded`, `failed` or `let_go`, and says whether it was the probe: until then no other probe
    is let in. `park` comes beside the report, not instead of it.

    Args:
        monotonic: the clock, in seconds.
        window: how many of the last outcomes count.
        least: how many outcomes there must be before it may open.
        ratio: the share of failures that opens it.
        cool: seconds that it stays open; doubled at each probe that fails.
        coolest: the longest that it stays open.
        shut: is told why, when it shuts out of its own experience.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        window: int = 20,
        least: int = 6,
        ratio: float = 0.5,
        cool: float = 4.0,
        coolest: float = 16.0,
        shut: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._now = monotonic
        self._least = least
        self._ratio = ratio
        self._first_cool = cool
        self._cool = cool
        self._coolest = coolest
        self._tell = shut
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=window)
        self._shut: Literal["", "open", "parked"] = ""
        self._until = 0.0
        self._why = ""
        self._probing = False
        self._last_success: float | None = None

    @property
    def state(self) -> BreakerState:
        """What it does at present: let all in, none, or one probe at a time."""
        if not self._shut:
            return "closed"
        return self._shut if self._now() < self._until else "half_open"

    def admit(self) -> Admission:
        """Whether a call may be made, and whether it is the probe."""
        if not self._shut:
            return "go"
        if self._probing or self._now() < self._until:
            return "stop"
        self._probing = True
        return "probe"

    def succeeded(self, *, probe: bool = False) -> None:
        """A call was answered. The probe's success closes the breaker and forgets the window."""
        now = self._last_success = self._now()
        if probe:
            self._probing = False
            if now >= self._until:  # else it was parked meanwhile
                self._close()
        elif not self._shut:
            self._outcomes.append((now, True))

    def failed(self, kind: Kind, *, probe: bool = False) -> None:
        """A call failed. Kinds that do not blame the provider count for nothing.

        A probe that was rate limited or unauthorized did not find the provider well, though.
        """
        if probe:
            self._probing = False
            if kind not in _ABOUT_THE_CALL:
                self._cool = min(self._coolest, 2 * self._cool)
                self._open(kind)
        elif blames(kind) and not self._shut:
            self._outcomes.append((self._now(), False))
            calls, failures = self._count()
            if calls >= self._least and failures >= self._ratio * calls:
                self._cool = min(self._coolest, self._first_cool)
                self._open(kind)

    def let_go(self, *, probe: bool = False) -> None:
        """A call was given up by us: it says nothing about the provider."""
        if probe:
            self._probing = False

    def park(self, seconds: float, why: str) -> None:
        """Let no call in for that long, as the provider asked; then one probe."""
        self._shut_until(self._now() + seconds, "parked", why)

    def suspect(self, why: str) -> None:
        """Another process shut its own: let a probe find out, before a player waits for nothing.

        Who was answered just now knows better and goes on.
        """
        now = self._now()
        was_well = self._last_success is not None and now - self._last_success < TRUSTED
        if not self._shut and not was_well:
            self._shut, self._until, self._why = "open", now, why

    def view(self) -> BreakerView:
        """How it stands."""
        now = self._now()
        calls, failures = self._count()
        since = None if self._last_success is None else now - self._last_success
        wait = max(0.0, self._until - now) if self._shut else 0.0
        return BreakerView(self.state, self._why, wait, since, calls, failures)

    def _count(self) -> tuple[int, int]:
        """How many outcomes count, and how many of them are failures."""
        since = self._now() - REMEMBERED
        recent = [well for at, well in self._outcomes if at > since]
        return len(recent), recent.count(False)

    def _open(self, why: str) -> None:
        self._shut_until(self._now() + self._cool, "open", why)

    def _shut_until(self, until: float, shut: Literal["open", "parked"], why: str) -> None:
        """Shut, unless it is shut for longer already."""
        if not self._shut:
            self._tell(why)
        if not self._shut or until >= self._until:
            self._shut, self._until, self._why = shut, until, why

    def _close(self) -> None:
        self._shut, self._until, self._why = "", 0.0, ""
        self._cool = self._first_cool
        self._outcomes.clear()
