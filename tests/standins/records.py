"""Bars as vendors keep them: records of contracts by instrument id; and what can be wrong with a run of them."""

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tests.standins.faults import Fault
from trading.bars.schema import Bars

RECORD: Final = np.dtype(
    [
        ("length", "u1"),
        ("rtype", "u1"),
        ("publisher", "<u2"),
        ("instrument", "<u4"),
        ("ts", "<u8"),
        ("open", "<i8"),
        ("high", "<i8"),
        ("low", "<i8"),
        ("close", "<i8"),
        ("volume", "<u8"),
    ]
)
RECORD_BYTES: Final = RECORD.itemsize
PRICE_UNITS: Final = 1_000_000_000
NS_PER_DAY: Final = 86_400_000_000_000
_OHLCV_1M: Final = 33
_GLOBEX: Final = 1
_MISSING: Final = 100
_FEW: Final = 5
_HOUR: Final = 60  # bars: so every session has some
_TEN_YEARS_NS: Final = 3653 * NS_PER_DAY

Records = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Held:
    """One product's records in order of time. contracts: raw name by instrument id, such as ESH24 or 6EH4."""

    records: Records
    contracts: dict[int, str]


def instrument_id(contract: str) -> int:
    """Return the id that stand-ins give a contract of this name; a name that is a number is its id."""
    return int(contract) if contract.isdecimal() else 1_000 + zlib.crc32(contract.encode()) % 900_000


def held(bars: Bars) -> Held:
    """Return bars as records; those whose contract isn't named are of one contract named as the symbol."""
    names = [name or bars.symbol for name in bars.contracts]
    ids = [instrument_id(name) for name in names]
    if len(set(ids)) != len(ids):
        raise ValueError(f"Two contracts of {bars.symbol} have one id.")
    records = np.zeros(len(bars), RECORD)
    records["length"], records["rtype"], records["publisher"] = RECORD_BYTES // 4, _OHLCV_1M, _GLOBEX
    records["instrument"] = np.array(ids, np.uint32)[bars.contract]
    records["ts"], records["volume"] = bars.ts, bars.volume
    for column in ("open", "high", "low", "close"):
        records[column] = np.rint(getattr(bars, column) * PRICE_UNITS).astype(np.int64)
    return Held(records, dict(zip(ids, names, strict=True)))


def spoiled(records: Records, fault: Fault | None) -> Records:
    """Return the records with a fault of bars in them; with any other fault as they are.

    Raises:
        ValueError: too few records for the fault to show.

    """
    count, middle = len(records), len(records) // 2
    order = np.arange(count)
    needed = {Fault.MISSING: _MISSING + 2, Fault.DUPLICATES: 1, Fault.UNSORTED: 4 * _FEW, Fault.FUTURE: 1}
    if count < needed.get(fault or Fault.HTML, 0) or (fault is Fault.IMPOSSIBLE and not count):
        raise ValueError(f"{count} bars are too few for {fault}.")
    few = slice(middle, middle + _FEW)
    match fault:
        case Fault.NO_RECORDS:
            order = order[:0]
        case Fault.MISSING:
            first = (count - _MISSING) // 2
            order = np.delete(order, slice(first, first + _MISSING))
        case Fault.DUPLICATES:
            order = np.sort(np.concatenate([order, order[few]]))
        case Fault.UNSORTED:
            order[middle : middle + 2 * _FEW] = np.roll(order[middle : middle + 2 * _FEW], _FEW)
    chosen = records[order].copy()
    if fault is Fault.FUTURE:
        chosen["ts"][-_FEW:] += _TEN_YEARS_NS
    if fault is Fault.IMPOSSIBLE:
        chosen["high"][::_HOUR] = chosen["low"][::_HOUR] - PRICE_UNITS
    return chosen
