"""Polygon's pages, examined before its client reads them, and its bars as arrays.

The client takes a page without `results`, or one that is not JSON, for the end of a list, and a bar without a price
for a bar of none: what it would pass over in silence is refused here.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from core.errors import bad_data
from integrations.files.assemble import RawBars
from integrations.polygon.errors import bad_response
from integrations.polygon.expiries import Expiry
from trading.bars.quality_types import stamp
from trading.bars.schema import Bars, IntArray, Timeframe

PRICES: Final = ("open", "high", "low", "close")
_NUMBERS: Final = frozenset((int, float))
_LARGEST_VOLUME: Final = 2**53
_AGAIN: Final = "Fetch the month again; if that fails too, fetch it from another provider."


def read_page(body: bytes) -> dict[str, Any]:
    """Return a page as the object it must be, with a list of objects as `results`.

    Raises:
        GantryError: PROVIDER_BAD_RESPONSE.

    """
    try:
        page = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        what = "nothing" if not body.strip() else "a web page" if body.lstrip().startswith(b"<") else "broken JSON"
        raise bad_response(f"{what} where a page of JSON should be") from None
    if not isinstance(page, dict):
        raise bad_response("JSON that is not an object")
    results = page.get("results")
    if not isinstance(results, list) or any(type(row) is not dict for row in results):
        raise bad_response("a page without a list of results" if results is None else "results of another shape")
    return page


def check_bars(rows: Sequence[dict[str, Any]], ticker: str) -> None:
    """Refuse rows that are not all whole bars of that contract; impossible bars are found later.

    Raises:
        GantryError: PROVIDER_BAD_RESPONSE.

    """
    if any(row.get("ticker") != ticker for row in rows):
        raise bad_response(f"bars of another contract than {ticker}")
    for name in (*PRICES, "volume", "window_start"):
        if not _NUMBERS.issuperset({type(row.get(name)) for row in rows}):
            raise bad_response(f"a bar of {ticker} without a number as its {name}")
    if any(type(row["window_start"]) is not int or not 0 <= row["window_start"] < 2**63 for row in rows):
        raise bad_response(f"a bar of {ticker} with an impossible time")
    if any(row["volume"] != row["volume"] // 1 or abs(row["volume"]) >= _LARGEST_VOLUME for row in rows):
        raise bad_response(f"a bar of {ticker} with an impossible volume")
    if any(abs(row[name]) >= _LARGEST_VOLUME for name in PRICES for row in rows):
        raise bad_response(f"a bar of {ticker} with an impossible price")


def rows_of(symbol: str, expiries: Sequence[Expiry], bars: Sequence[Sequence[Any]]) -> RawBars:
    """Return the bars the client gave for each expiry as arrays, in its order, expiry after expiry.

    bars: of each expiry, objects with ticker, window_start (ns), open, high, low, close, volume; one bar at least.
    """
    found = [(expiry, list(of_expiry)) for expiry, of_expiry in zip(expiries, bars, strict=True) if of_expiry]
    every = [bar for _, of_expiry in found for bar in of_expiry]
    prices = {name: np.array([getattr(bar, name) for bar in every], np.float64) for name in PRICES}
    arrays = Bars(
        symbol=symbol,
        timeframe=Timeframe.M1,
        ts=np.array([bar.window_start for bar in every], np.int64),
        volume=np.array([int(bar.volume) for bar in every], np.int64),
        contract=np.repeat(np.arange(len(found), dtype=np.int32), [len(of_expiry) for _, of_expiry in found]),
        contracts=tuple(expiry.name for expiry, _ in found),
        **prices,
    )
    return RawBars(arrays, np.arange(1, len(every) + 1), "record")


def check_times(name: str, ts: IntArray, *, start_ns: int, end_ns: int) -> None:
    """Refuse bars that open outside of [start_ns, end_ns), the part of the month that is over.

    Raises:
        GantryError: DATA_QUALITY_FAILED, naming the first such record.

    """
    wrong = (ts < start_ns) | (ts >= end_ns)
    if wrong.any():
        row = int(wrong.argmax())
        where = "after the last finished minute of the request" if ts[row] >= end_ns else "before the month"
        raise bad_data(
            f"{name}, record {row + 1}: the bar of {stamp(ts[row])} lies {where} ({int(wrong.sum())} such bars).",
            fix=_AGAIN,
            facts={"problem": "MIS_STAMPED", "row": row + 1, "count": int(wrong.sum())},
        )


def _refuse_constant(name: str) -> float:
    """NaN and Infinity are not JSON, though Python reads them."""
    raise ValueError(name)
