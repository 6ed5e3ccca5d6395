"""A fetch that a person asks for: which months are missing, what they would cost, and then the fetch itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.errors import GantryError, invalid
from integrations.ports import BarsSource
from services.supply.missing import is_whole
from sql.engine import Transactions
from sql.queries.bars import catalogue as queries
from trading.instruments import get_instrument
from trading.months import first_of, months_between

_MONTH: Final = re.compile(r"(19[0-9]{2}|20[0-9]{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """What a fetch would do. cost_usd: None when the provider charges by subscription; records: None when unknown.

    provider: whose cost it is. sources: it, and those that are asked after it.
    """

    provider: str
    sources: tuple[BarsSource, ...]
    missing: tuple[tuple[str, str], ...]
    there: tuple[tuple[str, str], ...]
    cost_usd: Decimal | None
    records: int | None


def plan_fetch(
    tx: Transactions,
    sources: Sequence[BarsSource],
    symbols: Sequence[str],
    *,
    start: str | None,
    end: str,
    months: int,
    again: bool,
) -> FetchPlan:
    """Return the months that are missing from start to end, and the first provider's quote for them (a flow).

    start: None means `months` months up to the end. again: months that are there count as missing too.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol or no month; the provider's own errors.

    """
    last = _month(end, "to")
    first = first_of(last, months) if start is None else _month(start, "from")
    asked = months_between(first, last)
    if not asked:
        raise invalid(f"There is no month from {start} to {end}.", fix="Give the earlier month first.", field="to")
    with tx() as session:
        whole = {
            (row.symbol, row.month)
            for symbol in dict.fromkeys(get_instrument(symbol).symbol for symbol in symbols)
            for row in queries.active_months(session, symbol=symbol, start=first, end=last)
            if is_whole(row)
        }
    wanted = [(symbol, month) for symbol in dict.fromkeys(symbols) for month in asked]
    missing = tuple(one for one in wanted if again or one not in whole)
    there = tuple(one for one in wanted if one not in missing)
    return _quoted_by_the_first(sources, missing, there)


def _quoted_by_the_first(
    sources: Sequence[BarsSource], missing: tuple[tuple[str, str], ...], there: tuple[tuple[str, str], ...]
) -> FetchPlan:
    """Return the plan with the first provider that can say what the months cost, and those after it."""
    first: GantryError | None = None
    for number, source in enumerate(sources):
        try:
            cost, records = _quoted(source, missing)
        except GantryError as error:
            first = first or error
            continue
        return FetchPlan(source.provider_id, tuple(sources[number:]), missing, there, cost, records)
    raise first or invalid("No provider is configured.", fix="Configure one.", field="provider")


def _quoted(source: BarsSource, missing: Sequence[tuple[str, str]]) -> tuple[Decimal | None, int | None]:
    cost: Decimal | None = Decimal(0)
    records: int | None = 0
    for symbol in dict.fromkeys(symbol for symbol, _month in missing):
        quote = source.quote(symbol, [month for of, month in missing if of == symbol])
        cost = None if cost is None or quote.cost_usd is None else cost + quote.cost_usd
        records = None if records is None or quote.records is None else records + quote.records
    return cost, records


def _month(text: str, field: str) -> str:
    if not _MONTH.fullmatch(text):
        raise invalid(f"{text!r} is not a month.", fix='Months look like "2024-01".', field=field)
    return text
