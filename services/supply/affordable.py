"""What may be bought without a person: the months of as many bots as the limit allows, the cheapest windows first."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.errors import ErrorCode, GantryError
from core.words import counted
from integrations.ports import BarsSource
from trading.digits import usd_text

LARGE_FETCH: Final = 3  # months; the cost of more than that is checked first


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why some months aren't bought, and what they would cost; None where nobody says."""

    error: GantryError
    cost_usd: Decimal | None


def affordable(
    source: BarsSource, symbol: str, months: Sequence[str], windows: Sequence[Sequence[str]], *, limit_usd: Decimal
) -> tuple[Sequence[str], Refusal | None]:
    """Return the months that may be bought, and why the others may not.

    windows: months that each bot wants; a bot whose own are too dear doesn't keep others from theirs.

    Raises:
        GantryError: the provider's, where it can't say what they cost.

    """
    if len(months) <= LARGE_FETCH:
        return months, None
    costs = {month: _cost(source, symbol, month) for month in months}
    if sum(costs.values()) <= limit_usd:
        return months, None
    chosen: set[str] = set()
    needed = [[month for month in window if month in costs] for window in windows]
    for window in sorted(needed, key=lambda one: (sum(costs[month] for month in one), one)):
        if sum(costs[month] for month in chosen | set(window)) <= limit_usd:
            chosen |= set(window)
    left = [month for month in months if month not in chosen]
    cost = Decimal(sum(costs[month] for month in left))
    return [month for month in months if month in chosen], Refusal(too_dear(symbol, left, cost, limit_usd), cost)


def too_dear(symbol: str, months: Sequence[str], cost_usd: Decimal, limit_usd: Decimal) -> GantryError:
    """Say that a fetch costs more than may be spent without a person."""
    return GantryError(
        ErrorCode.DATA_UNAVAILABLE,
        f"{counted(len(months), 'month')} of {symbol} would cost {usd_text(cost_usd)} USD, "
        f"above the limit of {usd_text(limit_usd)} USD.",
        fix=f"Fetch them by hand, `gantry bars fetch {symbol} --from {months[0]} --to {months[-1]}`, "
        "or raise MAX_FETCH_COST_USD.",
        facts={"symbol": symbol, "cost_usd": str(cost_usd), "limit_usd": str(limit_usd)},
    )


def _cost(source: BarsSource, symbol: str, month: str) -> Decimal:
    """USD; a month that the provider doesn't have, or a subscription covers, costs nothing."""
    try:
        return source.quote(symbol, [month]).cost_usd or Decimal(0)
    except GantryError as error:
        if error.code is ErrorCode.DATA_UNAVAILABLE:
            return Decimal(0)
        raise
