"""A bot's costs: slippage, commission, contracts; validated, and as they are stored."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from core.errors import invalid
from trading.backtest.types import Costs
from trading.instruments import Instrument

MAX_SLIPPAGE_TICKS: Final = 100
MAX_CONTRACTS: Final = 1_000
MAX_COMMISSION_USD: Final = Decimal(1_000)


def parse_costs(raw: Mapping[str, object], instrument: Instrument) -> Costs:
    """Return validated costs, the instrument's defaults where none are given.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown cost, or one mistyped or out of bounds.

    """
    default = Costs.default(instrument)
    unknown = sorted(set(raw) - {"slippage_ticks", "commission_usd", "contracts"})
    if unknown:
        raise invalid(
            f"Unknown cost {unknown[0]!r}.",
            fix="Costs are slippage_ticks, commission_usd and contracts.",
            field=f"costs.{unknown[0]}",
        )
    return Costs(
        _whole(raw.get("slippage_ticks", default.slippage_ticks), "slippage_ticks", low=0, high=MAX_SLIPPAGE_TICKS),
        _commission(raw.get("commission_usd", default.commission_usd)),
        _whole(raw.get("contracts", default.contracts), "contracts", low=1, high=MAX_CONTRACTS),
    )


def stored_costs(costs: Costs) -> dict[str, Any]:
    """Return costs as they are stored: JSON values, money as text."""
    return {**asdict(costs), "commission_usd": format(costs.commission_usd, "f")}


def _whole(value: object, name: str, *, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise invalid(f"{name} must be a whole number from {low} to {high}.", fix="Correct it.", field=f"costs.{name}")
    return value


def _commission(value: object) -> Decimal:
    """A decimal with two to four digits after the point, written in one way only: "2.250" is "2.25"."""
    written = isinstance(value, Decimal) or (isinstance(value, str) and value.isascii() and "_" not in value)
    try:
        amount = Decimal(value) if written and isinstance(value, str | Decimal) else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= MAX_COMMISSION_USD or amount != round(amount, 4):
        raise invalid(
            f"commission_usd must be a decimal text from 0 to {MAX_COMMISSION_USD}, to the hundredth of a cent.",
            fix='Write it as "2.25".',
            field="costs.commission_usd",
        )
    exact = round(amount, 4) + Decimal(0)  # never "-0"
    return round(exact, 2) if exact == round(exact, 2) else exact.normalize()
