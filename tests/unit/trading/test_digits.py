"""Figures as people read them: four digits, and never on another side of their limit than they are."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.digits import rounded, text_of, usd_text


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (0.1 + 0.2, None, "0.3"),
        (0.1 + 0.2, 0.35, "0.3"),
        (1.23456789, 0.5, "1.235"),
        (0.34999, 0.35, "0.34999"),
        (12_345, 50, "12345"),
        (0, 50, "0"),
        (Decimal("12.3456"), Decimal(10), "12.35 USD"),
        (Decimal("9.9999"), Decimal(10), "9.9999 USD"),
        (Decimal("-0.001"), None, "0.00 USD"),
    ],
)
def test_a_figure_has_four_digits_or_as_many_as_tell_it_from_its_limit(
    value: float | Decimal, limit: float | Decimal | None, text: str
) -> None:
    assert text_of(value, limit) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_keeps_a_figure_on_its_side_of_the_limit(value: float, limit: float) -> None:
    shown = rounded(value, limit)
    assert (shown < limit, shown > limit) == (value < limit, value > limit)


def test_money_is_exact_where_cents_would_hide_what_was_decided() -> None:
    assert (usd_text(Decimal("0.0012"), Decimal(0)), usd_text(Decimal("0.0012"))) == ("0.0012", "0.00")
