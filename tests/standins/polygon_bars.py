"""Polygon's rows: contracts and aggregates as JSON objects, with its filters, order and limits."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np

from tests.standins.calls import Refusal
from tests.standins.expiries import last_trade_on, short_name
from tests.standins.records import PRICE_UNITS, Held, Records
from trading.bars.contracts import long_name, parse_contract
from trading.instruments import INSTRUMENTS
from trading.sessions import session_of

_LIFE: Final = timedelta(days=460)
_VENUES: Final = {"CL": "XNYM", "MCL": "XNYM", "GC": "XCEC", "MGC": "XCEC", "SI": "XCEC", "YM": "XCBT", "ZN": "XCBT"}
_COMPARE: Final = re.compile(r"(.+)\.(gte|gt|lte|lt)")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """A contract there is. root: product. name: ESH24. records: its bars, None where it has none."""

    root: str
    name: str
    records: Records | None

    @property
    def ticker(self) -> str:
        return short_name(self.name)

    def row(self, today: date) -> Row:
        """Return the contract as the vendor lists it on a day."""
        parsed = parse_contract(self.name)
        if parsed is None or parsed.year is None:
            raise ValueError(f"{self.name} tells no expiry, as Polygon's contracts do.")
        last = last_trade_on(self.root, parsed.year, parsed.month)
        tick = float(INSTRUMENTS[self.root].tick_size) if self.root in INSTRUMENTS else 0.25
        return {
            "active": last >= today,
            "date": today.isoformat(),
            "days_to_maturity": max(0, (last - today).days),
            "first_trade_date": (last - _LIFE).isoformat(),
            "group_code": self.root,
            "last_trade_date": last.isoformat(),
            "max_order_quantity": 3000,
            "min_order_quantity": 1,
            "name": f"{self.root} {parsed.year}-{parsed.month:02d} Future",
            "product_code": self.root,
            "settlement_date": last.isoformat(),
            "settlement_tick_size": tick,
            "spread_tick_size": tick,
            "ticker": self.ticker,
            "trade_tick_size": tick,
            "trading_venue": _VENUES.get(self.root, "XCME"),
            "type": "single",
        }


def listed_of(root: str, held: Held) -> list[Listed]:
    """Return the contracts that have bars.

    Raises:
        ValueError: a contract's name tells no expiry.

    """
    found = []
    for ident, raw in held.contracts.items():
        records = held.records[held.records["instrument"] == ident]
        first = datetime.fromtimestamp(int(records["ts"].min()) // 1_000_000_000, UTC) if len(records) else None
        name = long_name(raw, traded_year=first.year, traded_month=first.month) if first else raw
        parsed = parse_contract(name)
        if parsed is None or parsed.year is None:
            raise ValueError(f"{raw} of {root} tells no expiry, as Polygon's contracts do.")
        found.append(Listed(root, name, records))
    return found


def aggregates(ticker: str, root: str, records: Records) -> list[Row]:
    """Return bars as the vendor writes them; whole prices without a decimal point, as Go does."""
    opens = records["ts"].astype(np.int64)
    sessions = session_of(INSTRUMENTS[root], opens).session if len(opens) else opens
    return [
        {
            "close": _number(one["close"]),
            "dollar_volume": _number(int(one["close"]) * int(one["volume"])),
            "high": _number(one["high"]),
            "low": _number(one["low"]),
            "open": _number(one["open"]),
            "session_end_date": (date(1970, 1, 1) + timedelta(days=int(session))).isoformat(),
            "ticker": ticker,
            "transactions": max(1, int(one["volume"]) // 2),
            "volume": int(one["volume"]),
            "window_start": int(one["ts"]),
        }
        for one, session in zip(records, sessions, strict=True)
    ]


def filtered(rows: Iterable[Row], params: Mapping[str, str], fields: frozenset[str]) -> list[Row]:
    """Return the rows for which every filter on a field holds: equal, .gte, .gt, .lte, .lt and .any_of."""
    kept = list(rows)
    for name, wanted in params.items():
        compared = _COMPARE.fullmatch(name)
        key = compared[1] if compared else name.removesuffix(".any_of")
        if key not in fields:
            continue
        if name.endswith(".any_of"):
            kept = [row for row in kept if str(row[key]) in wanted.split(",")]
        elif compared:
            kept = [row for row in kept if _holds(str(row[key]), compared[2], wanted)]
        else:
            kept = [row for row in kept if str(row[key]).lower() == wanted.lower()]
    return kept


def between(records: Records, params: Mapping[str, str]) -> Records:
    """Return the records that the filters on window_start leave."""
    kept = np.ones(len(records), np.bool_)
    ts = records["ts"].astype(np.int64)
    for name, wanted in params.items():
        match name:
            case "window_start":
                kept &= ts == nanoseconds(wanted)
            case "window_start.gte":
                kept &= ts >= nanoseconds(wanted)
            case "window_start.gt":
                kept &= ts > nanoseconds(wanted)
            case "window_start.lte":
                kept &= ts <= nanoseconds(wanted)
            case "window_start.lt":
                kept &= ts < nanoseconds(wanted)
    chosen: Records = records[kept]
    return chosen


def nanoseconds(text: str) -> int:
    """Read a time as the vendor takes it: nanoseconds since 1970, or an ISO date or time, UTC unless it says so.

    Raises:
        Refusal: 400.

    """
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, "ERROR", f"Invalid timestamp {text!r}.") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(aware.timestamp()) * 1_000_000_000


def _holds(value: str, how: str, wanted: str) -> bool:
    return {"gte": value >= wanted, "gt": value > wanted, "lte": value <= wanted, "lt": value < wanted}[how]


def _number(units: Any) -> int | float:
    price = int(units) / PRICE_UNITS
    return int(price) if price == int(price) else price
