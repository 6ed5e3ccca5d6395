"""A fetch that a person asks for: which months are missing, what they would cost, and then the fetch itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.errors import GantryError, invalid
from fleet.closed_sets import DataLabel
from fleet.history import months_between
from integrations.ports import BarsSource
from sql.engine import Transactions
from sql.queries import bars as queries
from trading.instruments import get_instrument


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """What a fetch would do. cost_usd: None when the provider charges by subscription; records: None when unknown."""

    provider: str
    missing: tuple[tuple[str, str], ...]
    there: tuple[tuple[str, str], ...]
    cost_usd: Decimal | None
    records: int | None


def plan_fetch(
    tx: Transactions, sources: Sequence[BarsSource], symbols: Sequence[str], *, start: str, end: str, again: bool
) -> FetchPlan:
    """Return the months that are missing from start to end, and the first provider's quote for them (a flow).

    again: months that are there count as missing too.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol or no month; the provider's own errors.

    """
    months = months_between(_month(start, "from"), _month(end, "to"))
    if not months:
        raise invalid(f"There is no month from {start} to {end}.", fix="Let the first come first.", field="to")
    with tx() as session:
        real = {
            (row.symbol, row.month)
            for symbol in dict.fromkeys(get_instrument(symbol).symbol for symbol in symbols)
            for row in queries.active_months(session, symbol=symbol, start=start, end=end)
            if row.data_label != DataLabel.SIMULATED
        }
    wanted = [(symbol, month) for symbol in dict.fromkeys(symbols) for month in months]
    missing = tuple(one for one in wanted if again or one not in real)
    there = tuple(one for one in wanted if one not in missing)
    cost, records = _quoted(sources[0], missing)
    return FetchPlan(sources[0].provider_id, missing, there, cost, records)


def _quoted(source: BarsSource, missing: Sequence[tuple[str, str]]) -> tuple[Decimal | None, int | None]:
    cost: Decimal | None = Decimal(0)
    records: int | None = 0
    for symbol in dict.fromkeys(symbol for symbol, _month in missing):
        quote = source.quote(symbol, [month for of, month in missing if of == symbol])
        cost = None if cost is None or quote.cost_usd is None else cost + quote.cost_usd
        records = None if records is None or quote.records is None else records + quote.records
    return cost, records


def _month(text: str, field: str) -> str:
    try:
        year, _dash, month = text.partition("-")
        if len(text) == len("2024-01") and 1 <= int(month) <= 12 and 1990 <= int(year) <= 2100:
            return text
    except ValueError:
        pass
    raise _no_month(text, field)


def _no_month(text: str, field: str) -> GantryError:
    return invalid(f"{text!r} is no month.", fix='Months look like "2024-01".', field=field)
