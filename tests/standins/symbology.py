"""Databento's symbology: which records a question resolves to, and which instrument id was in force when."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from tests.standins.calls import Refusal
from tests.standins.records import NS_PER_DAY, RECORD, Held, Records
from trading.bars.contracts import long_name, parse_contract

_CONTINUOUS: Final = re.compile(r"([A-Z0-9]{1,4})\.([cnv])\.(\d)")
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Interval:
    """One instrument id from a day on until before another, as of a symbol asked for."""

    symbol: str
    ident: int
    first: date
    end: date


@dataclass(frozen=True, slots=True)
class Selection:
    """What a question resolves to. start_ns, end_ns: asked for. partial, not_found: of the symbols asked for."""

    symbols: tuple[str, ...]
    stype_in: str
    start_ns: int
    end_ns: int
    records: Records
    intervals: tuple[Interval, ...]
    partial: tuple[str, ...] = ()
    not_found: tuple[str, ...] = ()

    def first_half(self) -> "Selection":
        """Return the same resolved for the first half of its days only."""
        days = np.unique(self.records["ts"] // NS_PER_DAY)
        end = int(days[(len(days) + 1) // 2 - 1]) + 1
        last = _day(end)
        kept = tuple(replace(one, end=min(one.end, last)) for one in self.intervals if one.first < last)
        early = self.records["ts"] < end * NS_PER_DAY
        return replace(self, records=self.records[early], intervals=kept, partial=self.symbols)


def select(held: Mapping[str, Held], symbols: tuple[str, ...], stype_in: str, start_ns: int, end_ns: int) -> Selection:
    """Resolve symbols as Databento does: raw_symbol (ESH4) to one contract, continuous (ES.v.0) to the front's.

    Raises:
        Refusal: another stype_in.

    """
    find = {"raw_symbol": _raw, "continuous": _continuous}.get(stype_in)
    if find is None:
        raise Refusal(422, "symbology_invalid_request", f"The stand-in doesn't know stype_in {stype_in}.")
    parts, intervals, not_found = [np.zeros(0, RECORD)], list[Interval](), list[str]()
    for symbol in symbols:
        records = find(held, symbol, start_ns, end_ns)
        if records is None:
            not_found.append(symbol)
            continue
        inside = records[(records["ts"] >= start_ns) & (records["ts"] < end_ns)]
        parts.append(inside)
        intervals += _intervals(symbol, inside, start_ns, end_ns)
    merged = np.concatenate(parts)
    merged = merged[np.argsort(merged["ts"], kind="stable")]
    return Selection(symbols, stype_in, start_ns, end_ns, merged, tuple(intervals), (), tuple(not_found))


def _raw(held: Mapping[str, Held], symbol: str, start_ns: int, end_ns: int) -> Records | None:
    parsed = parse_contract(symbol)
    if parsed is None or parsed.root not in held:
        return None
    product = held[parsed.root]
    month = (_EPOCH + timedelta(days=start_ns // NS_PER_DAY)).timetuple()
    wanted = long_name(symbol, traded_year=month.tm_year, traded_month=month.tm_mon)
    for ident, name in product.contracts.items():
        if long_name(name, traded_year=month.tm_year, traded_month=month.tm_mon) == wanted:
            mine: Records = product.records[product.records["instrument"] == ident]
            return mine
    return None


def _continuous(held: Mapping[str, Held], symbol: str, start_ns: int, end_ns: int) -> Records | None:
    """Return the records of the contract that is in front each day.

    Records with one contract at a time are so already. Else by expiry (c): the first of those that trade that day;
    by volume (v) or open interest (n): the one that traded most the day before.
    """
    found = _CONTINUOUS.fullmatch(symbol)
    if not found or found[1] not in held:
        return None
    product, rule, rank = held[found[1]], found[2], int(found[3])
    records = product.records
    if len(np.unique(records["ts"])) == len(records):
        return records if rank == 0 else records[:0]
    order = {ident: number for number, ident in enumerate(product.contracts)}
    chosen, before = np.zeros(len(records), np.bool_), dict[int, int]()
    day_of = records["ts"] // NS_PER_DAY
    for day in np.unique(day_of):
        rows = day_of == day
        traded = {int(ident): 0 for ident in np.unique(records["instrument"][rows])}
        for ident in traded:
            traded[ident] = int(records["volume"][rows & (records["instrument"] == ident)].sum())
        by_volume = {ident: before.get(ident, 0) if before else traded[ident] for ident in traded}
        ranked = sorted(traded, key=lambda ident: (-by_volume[ident] if rule != "c" else 0, order[ident]))
        if rank < len(ranked):
            chosen |= rows & (records["instrument"] == ranked[rank])
        before = traded
    return records[chosen]


def _intervals(symbol: str, records: Records, start_ns: int, end_ns: int) -> list[Interval]:
    """Return the days of each run of one id, all of those asked for; a roll within a day gives that day to both.

    Databento rolls at midnight UTC. Bars from elsewhere roll when a session begins; their ids are served as they are.
    """
    if not len(records):
        return []
    idents, days = records["instrument"], (records["ts"] // NS_PER_DAY).tolist()
    starts = [0, *(np.flatnonzero(np.diff(idents)) + 1).tolist()]
    firsts = [start_ns // NS_PER_DAY, *(days[start] for start in starts[1:])]
    lasts = [*(max(days[after - 1] + 1, days[after]) for after in starts[1:]), -(-end_ns // NS_PER_DAY)]
    runs = zip(starts, firsts, lasts, strict=True)
    return [Interval(symbol, int(idents[start]), _day(first), _day(last)) for start, first, last in runs]


def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)
