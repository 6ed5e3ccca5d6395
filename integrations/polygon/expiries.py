"""Which contracts may be the front in a month, from Polygon's list of contracts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from integrations.polygon.errors import bad_response
from trading.bars.contracts import long_name, parse_contract
from trading.months import ends_at, plus, starts_at

MOST_EXPIRIES: Final = 4  # of a month, each a call or more of those a minute allows
_QUARTERLY: Final = frozenset((3, 6, 9, 12))
_GOLD: Final = frozenset((2, 4, 6, 8, 10, 12))
_SILVER: Final = frozenset((3, 5, 7, 9, 12))
_TRADED: Final = {
    "GC": _GOLD,
    "MGC": _GOLD,
    "SI": _SILVER,
    "CL": frozenset(range(1, 13)),
    "MCL": frozenset(range(1, 13)),
}
_MONTHS_AHEAD: Final = {"GC": 5, "MGC": 5}  # December follows August from the end of July
_USUAL_MONTHS_AHEAD: Final = 4


@dataclass(frozen=True, slots=True)
class Expiry:
    """ticker: as the vendor writes it, ESH4. name: as the catalogue does, ESH24. last_trade_on: its last day."""

    ticker: str
    name: str
    last_trade_on: date


@dataclass(frozen=True, slots=True)
class Reach:
    """Last trading days of contracts that may be the front in a month: from the first day to the last, both in."""

    first: date
    last: date


def reach_of(symbol: str, month: str) -> Reach:
    """Return from the month's first day to the end of the fourth month after it, of the fifth for gold."""
    last = plus(month, _MONTHS_AHEAD.get(symbol, _USUAL_MONTHS_AHEAD))
    return Reach(starts_at(month).date(), ends_at(last).date() - timedelta(days=1))


def check_contracts(rows: Iterable[Mapping[str, Any]]) -> None:
    """Refuse contracts without a ticker or a last trading day, or with a product that is not a text.

    Raises:
        GantryError: PROVIDER_BAD_RESPONSE.

    """
    for row in rows:
        if not isinstance(row.get("ticker"), str):
            raise bad_response("a contract without a ticker")
        if not isinstance(row.get("product_code"), str | None):
            raise bad_response("a contract whose product is not a text")
        _last_trade_on(row.get("last_trade_date"))


def expiries_of(symbol: str, month: str, contracts: Iterable[Any]) -> tuple[Expiry, ...]:
    """Return the contracts to fetch for a month, four at most, by expiry.

    Metals and currencies list months in which hardly anyone trades beside those of their cycle: the cycle's come
    first, and what is left of the four is filled with the nearest others. Contracts of another product, spreads and
    those that end outside of the month's reach are left out, as the vendor's filters can't be relied on.

    contracts: objects with ticker, product_code and last_trade_date, as the vendor's client gives them.
    """
    reach, found = reach_of(symbol, month), dict[str, Expiry]()
    for contract in contracts:
        parsed, last = parse_contract(contract.ticker), _last_trade_on(contract.last_trade_date)
        outright = parsed is not None and parsed.root == symbol and contract.product_code in {symbol, None}
        if outright and reach.first <= last <= reach.last:
            name = long_name(contract.ticker, traded_year=reach.first.year, traded_month=reach.first.month)
            found[name] = Expiry(contract.ticker, name, last)
    ordered = sorted(found.values(), key=lambda expiry: (expiry.last_trade_on, expiry.name))
    cycle = _TRADED.get(symbol, _QUARTERLY)
    wanted = sorted(ordered, key=lambda expiry: not _of_cycle(expiry, cycle))[:MOST_EXPIRIES]
    return tuple(expiry for expiry in ordered if expiry in wanted)


def _of_cycle(expiry: Expiry, cycle: frozenset[int]) -> bool:
    parsed = parse_contract(expiry.name)
    return parsed is not None and parsed.month in cycle


def _last_trade_on(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise bad_response("a contract without a last trading day") from None
