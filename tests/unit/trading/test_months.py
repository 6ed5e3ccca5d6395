"""Months step over years, are listed without a gap, and end where the next one begins."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.months import ends_at, first_of, full_months_before, months_between, plus, starts_at

DAYS = st.dates(date(1990, 1, 1), date(2059, 12, 31))
MONTHS = DAYS.map(lambda day: f"{day:%Y-%m}")
INSTANTS = st.builds(datetime.combine, DAYS, st.times(), st.just(UTC))


@pytest.mark.parametrize(
    ("month", "count", "expected"),
    [
        ("2024-01", 0, "2024-01"),
        ("2024-12", 1, "2025-01"),
        ("2024-01", -1, "2023-12"),
        ("2024-11", 26, "2027-01"),
        ("2024-03", -15, "2022-12"),
    ],
)
def test_a_step_crosses_years_both_ways(month: str, count: int, expected: str) -> None:
    assert plus(month, count) == expected


@given(MONTHS, st.integers(1, 60))
def test_the_months_that_end_with_one_are_as_many_as_asked_for_and_without_a_gap(end: str, count: int) -> None:
    months = months_between(first_of(end, count), end)
    assert (len(months), months[-1]) == (count, end)
    assert all(ends_at(one) == starts_at(two) for one, two in pairwise(months))
    assert list(months) == sorted(months)


def test_no_month_lies_between_a_later_and_an_earlier_one() -> None:
    assert months_between("2024-02", "2024-01") == ()


@given(INSTANTS, st.integers(1, 24))
def test_a_full_month_is_over_and_the_month_at_hand_is_not_among_them(at: datetime, count: int) -> None:
    months = full_months_before(at, count)
    assert len(months) == count
    assert ends_at(months[-1]) <= at < ends_at(plus(months[-1], 1))
