"""Figures as people read them: four digits, or as many more as it takes to tell a figure from its limit."""

from decimal import Decimal
from math import isfinite
from typing import Final

DIGITS: Final = 4  # significant ones, of what is no count and no money
_CENT: Final = Decimal("0.01")
_EXACT: Final = Decimal("0.0001")  # ten-thousandths of a dollar: what results are stored in
_MOST: Final = 17


def rounded(value: float, limit: float | None = None) -> float:
    """Return a ratio with four significant digits; with more where it would seem to be on another side of its limit.

    A count (int) and what isn't finite come back as they are.
    """
    if isinstance(value, int) or not isfinite(value):
        return value
    shown = (float(f"{value:.{digits}g}") for digits in range(DIGITS, _MOST))
    return next((one for one in shown if limit is None or _side(one, limit) == _side(value, limit)), value)


def usd_text(amount: Decimal, limit: Decimal | None = None) -> str:
    """Return USD as decimal text in cents, exact where cents would hide on which side of its limit it is."""
    cents = amount.quantize(_CENT) + Decimal(0)  # never "-0.00"
    hides = limit is not None and _side(cents, limit) != _side(amount, limit)
    return format(amount.quantize(_EXACT) if hides else cents, "f")


def exact_usd_text(amount: Decimal) -> str:
    """Return USD in cents, or with four decimals where a tick is worth a fraction of a cent (ZN): sums come out."""
    return usd_text(amount, amount)


def text_of(value: float | Decimal, limit: float | Decimal | None = None) -> str:
    """Return a figure for a sentence: USD for a Decimal, a count whole, a ratio rounded."""
    if isinstance(value, Decimal):
        return f"{usd_text(value, limit if isinstance(limit, Decimal) else None)} USD"
    return f"{rounded(value, None if limit is None else float(limit)):.{_MOST - 2}g}"


def _side(value: float | Decimal, limit: float | Decimal) -> tuple[bool, bool]:
    return value < limit, value > limit
