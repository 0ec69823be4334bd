"""Judging sources before and after, against figures that were worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pytest
from tests.classroom.classes import record
from tests.domain.world import lama

from amazonia.classroom.questionnaire import discernment, form_for, outcome, t95, t_interval
from amazonia.domain.case import Form
from amazonia.ports.reports import Judgement, Record

A, B = lama().case.questionnaire


def marks(form: Form, solid: Sequence[int], weak: Sequence[int]) -> Mapping[str, int]:
    """Marks for the solid and the weak sources of a form, in its order."""
    good, bad = iter(solid), iter(weak)
    return {item: next(good) if trust else next(bad) for item, trust in form.items.items()}


def judged(
    moment: Literal["before", "after"], form: Form, solid: Sequence[int], weak: Sequence[int]
) -> Judgement:
    """A team's answers."""
    return Judgement(moment, form.id, marks(form, solid, weak), 0.0)


def team(name: str, *judgements: Judgement) -> Record:
    """A team that answered."""
    return record(name=name, judgements=judgements)


def pair(name: str, before: int, after: int) -> Record:
    """A team whose discernment went from `before` to `after`."""
    return team(
        name,
        judged("before", A, [1 + before] * 3, [1, 1, 1]),
        judged("after", B, [1 + after] * 3, [1, 1, 1]),
    )


def test_discernment_is_a_difference_of_means() -> None:
    """Solid 5, 4, 3 and weak 2, 1, 3: four less two. Trusting everything alike is nothing."""
    assert discernment(A, marks(A, [5, 4, 3], [2, 1, 3])) == 2.0
    assert discernment(B, marks(B, [5, 5, 5], [5, 5, 5])) == 0.0
    assert discernment(B, marks(B, [1, 1, 1], [5, 5, 5])) == -4.0


def test_forms_alternate_and_the_second_is_the_other() -> None:
    """Every second team begins with form b; whoever had one gets the other afterwards."""
    case = lama().case
    assert [form_for(case, n, None).id for n in range(4)] == ["a", "b", "a", "b"]
    assert form_for(case, 0, judged("before", A, [1, 1, 1], [1, 1, 1])) == B
    assert form_for(case, 0, judged("before", B, [1, 1, 1], [1, 1, 1])) == A


def test_the_forms_ask_for_the_same() -> None:
    """Item by item, solid stands beside solid and weak beside weak."""
    assert list(A.items.values()) == list(B.items.values())
    assert not set(A.items) & set(B.items)


def test_the_outcome_against_a_hand_calculation() -> None:
    """Differences 1, 0, 2, 1, 1: mean 1, deviation √0.5, interval 1 ± 2.776 · √0.5 / √5."""
    went = [(1, 2), (2, 2), (0, 2), (1, 2), (2, 3)]
    made = outcome(lama().case, [pair(f"t{i}", b, a) for i, (b, a) in enumerate(went)])
    assert made is not None
    assert (made.n, made.before, made.after) == (5, 5, 5)
    assert made.mean == 1.0
    assert made.spread == pytest.approx(0.7071, abs=1e-4)
    assert made.interval == pytest.approx((0.1221, 1.8779), abs=1e-4)


def test_only_pairs_count_and_the_rest_is_told() -> None:
    """A team that skipped one of them is in n before or after, and in no difference."""
    skipped = Judgement("before", "a", {}, 0.0)
    records = [
        pair("both", 1, 3),
        team("before only", judged("before", B, [4, 4, 4], [1, 1, 1])),
        team("skipped", skipped, judged("after", B, [5, 5, 5], [1, 1, 1])),
    ]
    made = outcome(lama().case, records)
    assert made is not None
    assert (made.n, made.before, made.after) == (1, 2, 2)
    assert (made.mean, made.spread, made.interval) == (2.0, None, None)


def test_no_interval_for_few_pairs() -> None:
    """Of four pairs there is a mean and a deviation, and no interval."""
    made = outcome(lama().case, [pair(f"t{i}", 1, 1 + i % 2) for i in range(4)])
    assert made is not None
    assert (made.mean, made.interval) == (0.5, None)
    assert made.spread == pytest.approx(0.5774, abs=1e-4)


def test_nobody_answered() -> None:
    """Then there is nothing to show."""
    assert outcome(lama().case, [record(name="x")]) is None
    assert outcome(lama().case, [team("x", Judgement("before", "a", {}, 0.0))]) is None


def test_student_is_as_in_the_tables() -> None:
    """The quantile for some degrees of freedom; between entries the wider one."""
    assert [t95(n) for n in (1, 4, 30, 40, 119, 500)] == [12.706, 2.776, 2.042, 2.021, 2.0, 1.98]
    assert t_interval([1.0, 3.0]) == pytest.approx((2 - 12.706, 2 + 12.706))
