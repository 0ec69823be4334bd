"""Judging sources, before and after: which form a team gets, and what the answers come to.

A team marks how far it trusts each of six short sources, from 1 to 5. Its *discernment* is the mean
of the marks of the solid sources less that of the weak ones: from -4 to 4, and 0 for a team that
trusts everything or nothing alike. Forms a and b are parallel; every second team of a class begins
with the other one, so that an easier form does not look like a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from amazonia.domain.case import Case, Form
from amazonia.ports.reports import Judgement, Record

LOWEST, HIGHEST = 1, 5
ENOUGH = 5
"""Pairs below which no interval is worked out."""

# Student's t for a two-sided 95 % interval, by degrees of freedom.
_T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
_T95_FROM = ((120, 1.980), (60, 2.000), (40, 2.021), (0, 2.042))


@dataclass(frozen=True, slots=True)
class Pair:
    """A team's discernment before and after."""

    team_id: str
    name: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        """After less before."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the questionnaire shows of a class.

    Attributes:
        before: teams that answered before; after: likewise.
        mean: of the differences; None without a pair.
        spread: their standard deviation; None below two pairs.
        interval: 95 % t interval of the mean difference; None below five pairs.
    """

    before: int
    after: int
    pairs: tuple[Pair, ...]
    mean: float | None
    spread: float | None
    interval: tuple[float, float] | None

    @property
    def n(self) -> int:
        """Teams that answered both times."""
        return len(self.pairs)


def form_for(case: Case, number: int, before: Judgement | None) -> Form:
    """The form for the `number`th team of a class: the other one if it had one before."""
    first, second = case.questionnaire
    if before is not None:
        return second if before.form == first.id else first
    return (first, second)[number % 2]


def discernment(form: Form, marks: Mapping[str, int]) -> float:
    """Mean trust in the solid sources less mean trust in the weak ones."""
    solid = [marks[item] for item, trust in form.items.items() if trust]
    weak = [marks[item] for item, trust in form.items.items() if not trust]
    return mean(solid) - mean(weak)


def outcome(case: Case, records: Sequence[Record]) -> Outcome | None:
    """What the answers of a class come to; None if nobody answered."""
    scores = [(record, _scores(case, record)) for record in records]
    pairs = tuple(
        Pair(record.team_id, record.name, of["before"], of["after"])
        for record, of in scores
        if {"before", "after"} <= of.keys()
    )
    before = sum("before" in of for _, of in scores)
    after = sum("after" in of for _, of in scores)
    if not before and not after:
        return None
    differences = [pair.difference for pair in pairs]
    return Outcome(
        before=before,
        after=after,
        pairs=pairs,
        mean=mean(differences) if differences else None,
        spread=stdev(differences) if len(differences) > 1 else None,
        interval=t_interval(differences) if len(differences) >= ENOUGH else None,
    )


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % t interval of the mean of two values or more."""
    middle, half = mean(values), t95(len(values) - 1) * stdev(values) / sqrt(len(values))
    return middle - half, middle + half


def t95(freedom: int) -> float:
    """Student's t for 95 %, two-sided; between entries of the table the wider one."""
    if freedom <= len(_T95):
        return _T95[freedom - 1]
    return next(t for least, t in _T95_FROM if freedom >= least)


def _scores(case: Case, record: Record) -> dict[str, float]:
    forms = {form.id: form for form in case.questionnaire}
    return {
        judged.moment: discernment(forms[judged.form], judged.marks)
        for judged in record.judgements
        if judged.form in forms and judged.marks.keys() == forms[judged.form].items.keys()
    }
