"""How far this machine's clock is from another's."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

from amazonia.ops.doctor.findings import Found, note, ok, problem

WRONG, ODD = 120.0, 5.0
"""Seconds: sessions and certificates go wrong; logs of two machines no longer fit together."""
SET_IT = "Let the system keep the time: timedatectl set-ntp true"


def judge_clock(here: float, there: float, whose: str, coarse: float = 0.0) -> Found:
    """Compare two moments, in seconds since 1970.

    Args:
        coarse: seconds by which the other's may be off because of how it is told.
    """
    skew = here - there
    if abs(skew) > WRONG:
        what = f"this clock is {abs(skew):,.0f} s {_which(skew)} that of {whose}"
        return [problem("clock", what, SET_IT)]
    if abs(skew) > ODD + coarse:
        what = f"this clock is {abs(skew):.0f} s {_which(skew)} that of {whose}"
        return [note("clock", what, SET_IT)]
    return [ok("clock", f"agrees with {whose}")]


def judge_date(here: float, header: str | None, whose: str) -> Found:
    """Compare with the `Date` of an answer; nothing if there is none."""
    try:
        there = parsedate_to_datetime(header or "")
    except ValueError:
        return []
    return judge_clock(here, there.replace(tzinfo=there.tzinfo or UTC).timestamp(), whose, 1.0)


def _which(skew: float) -> str:
    return "before" if skew > 0 else "behind"
