"""When contracts end, near enough for a stand-in: the month is the real one, holidays are not looked at."""

import calendar
from datetime import date, timedelta
from typing import Final

from trading.bars.contracts import MONTH_CODES, parse_contract

_METALS: Final = frozenset(("GC", "MGC", "SI"))
_CRUDE: Final = frozenset(("CL", "MCL"))
_CURRENCIES: Final = frozenset(("6E",))


def short_name(contract: str) -> str:
    """Return ESH24 as exchanges and vendors write it, ESH4."""
    parsed = parse_contract(contract)
    return contract if parsed is None else f"{parsed.root}{MONTH_CODES[parsed.month - 1]}{parsed.year_digit}"


def last_trade_on(root: str, year: int, month: int) -> date:
    """Return the last day on which a contract of that delivery month trades.

    Index futures: the third Friday. Currencies: two days before the third Wednesday. Metals: three weekdays before
    the month's end. Crude oil: the 20th of the month before, or the weekday before it.
    """
    if root in _CRUDE:
        before = date(year, month, 1) - timedelta(days=1)
        return _weekday_before(before.replace(day=20))
    if root in _METALS:
        return _weekday_before(date(year, month, calendar.monthrange(year, month)[1]) - timedelta(days=3))
    if root in _CURRENCIES:
        return _third(year, month, calendar.WEDNESDAY) - timedelta(days=2)
    return _third(year, month, calendar.FRIDAY)


def _third(year: int, month: int, weekday: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 14)


def _weekday_before(day: date) -> date:
    return day - timedelta(days=max(0, day.weekday() - 4))
