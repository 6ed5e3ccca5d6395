"""Which symbol and contract each record of a DBN file belongs to, from the file's symbol mappings.

Raw symbols name contracts (ESH4, kept as ESH24: a single digit repeats after ten years). Continuous symbols
(ES.c.0) map to one instrument id at a time: the id is the contract's name then. Spreads are left out.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from databento_dbn import Metadata
from numpy.typing import NDArray

from core.errors import invalid
from integrations.files.types import SHOWN_NAMES, LeftOut
from trading.bars.contracts import long_name, parse_contract
from trading.bars.schema import IntArray
from trading.instruments import INSTRUMENTS

_SMART: Final = re.compile(r"([A-Z0-9]{1,4})\.(?:[cvn]\.\d+|FUT)")
_NS_PER_DAY: Final = 86_400_000_000_000
LEFT_OUT: Final = -1
_EPOCH: Final = date(1970, 1, 1)
_LAST_DAY: Final = (date(2100, 1, 1) - _EPOCH).days


@dataclass(frozen=True, slots=True, eq=False)
class Naming:
    """symbol_of_row, contract_of_row: int64[T], positions in symbols and contracts, or -1 for records left out."""

    symbols: tuple[str, ...]
    contracts: tuple[str, ...]
    symbol_of_row: IntArray
    contract_of_row: IntArray
    left_out: tuple[LeftOut, ...]

    @property
    def rows_left_out(self) -> int:
        """How many records are of no outright future, or of a symbol not asked for."""
        return int((self.symbol_of_row == LEFT_OUT).sum())


class _Names:
    """The names given so far; starts with every record left out."""

    def __init__(self, records: int) -> None:
        self.symbols: dict[str, int] = {}
        self.contracts: dict[str, int] = {}
        self.symbol_of_row = np.full(records, LEFT_OUT, np.int64)
        self.contract_of_row = np.full(records, LEFT_OUT, np.int64)
        self.spreads: dict[str, int] = {}

    def give(self, rows: NDArray[np.bool_], symbol: str, contract: str) -> None:
        self.symbol_of_row[rows] = self.symbols.setdefault(symbol, len(self.symbols))
        self.contract_of_row[rows] = self.contracts.setdefault(contract, len(self.contracts))


def naming_of(
    name: str, metadata: Metadata, instrument: NDArray[np.uint32], ts: IntArray, *, symbol: str | None
) -> Naming:
    """Name the symbol and the contract of each of T records.

    symbol: keep this symbol's records only; also names records of whose symbol the file says nothing.

    Raises:
        GantryError: VALIDATION_FAILED when the file holds other symbols only, or doesn't say and none is given.

    """
    names = _Names(len(ts))
    day = ts // _NS_PER_DAY
    raws = _raw_symbols(metadata)
    for ident in np.unique(instrument).tolist():
        rows = instrument == ident
        if ident not in raws:
            names.give(rows, _only_symbol(name, symbol, metadata), str(ident))
            continue
        for mapping in raws[ident]:
            of_mapping = rows & (day >= mapping.first_day) & (day < mapping.end_day)
            root = _root(name, mapping.raw)
            if root is None:
                names.spreads[mapping.raw] = names.spreads.get(mapping.raw, 0) + int(of_mapping.sum())
            elif of_mapping.any():
                names.give(of_mapping, root, _contract(mapping.raw, ident, int(day[of_mapping][0])))
    return _chosen(name, names, symbol, metadata)


@dataclass(frozen=True, slots=True)
class _Mapping:
    """raw: the requested symbol, in force from first_day until before end_day, days since 1970."""

    raw: str
    first_day: int
    end_day: int


def _raw_symbols(metadata: Metadata) -> dict[int, list[_Mapping]]:
    """Mappings by instrument id; an id that has one symbol only has it at all times."""
    found: dict[int, list[_Mapping]] = {}
    for raw, intervals in metadata.mappings.items():
        for interval in intervals:
            if str(interval["symbol"]).isdecimal():
                first, end = (_day(interval[edge]) for edge in ("start_date", "end_date"))
                found.setdefault(int(interval["symbol"]), []).append(_Mapping(raw, first, end))
    for ident, mappings in found.items():
        if len({mapping.raw for mapping in mappings}) == 1:
            found[ident] = [_Mapping(mappings[0].raw, 0, 2**31)]
    return found


def _day(date: date) -> int:
    return (date - _EPOCH).days


def _root(name: str, raw: str) -> str | None:
    """Product of a raw or continuous symbol; None for a spread."""
    if parsed := parse_contract(raw):
        return parsed.root
    smart = _SMART.fullmatch(raw)
    if smart and raw.endswith(".FUT"):
        raise invalid(
            f"{name} maps its records to {raw}, which names no expiry.",
            fix="Download raw symbols (ESH4) or a continuous symbol (ES.v.0).",
        )
    if smart:
        return smart[1]
    return raw if raw in INSTRUMENTS else None


def _contract(raw: str, ident: int, day: int) -> str:
    if parse_contract(raw) is None:
        return str(ident)
    traded = _EPOCH + timedelta(days=min(day, _LAST_DAY))
    return long_name(raw, traded_year=traded.year, traded_month=traded.month)


def _only_symbol(name: str, symbol: str | None, metadata: Metadata) -> str:
    """Symbol of records that no mapping names: the one given, else the only one the file was made for."""
    roots = {_root(name, raw) for raw in metadata.symbols}
    only = roots.pop() if len(roots) == 1 else None
    if symbol is None and only is None:
        raise invalid(f"{name} doesn't name the symbol of its records.", fix="Give --symbol.", field="symbol")
    return symbol or str(only)


def _chosen(name: str, names: _Names, symbol: str | None, metadata: Metadata) -> Naming:
    if not names.symbols:
        held = ", ".join(metadata.symbols[:5])
        raise invalid(f"{name} holds no outright futures ({held}).", fix="Download outright contracts, not spreads.")
    if symbol is not None and symbol not in names.symbols:
        others = sorted(names.symbols)
        raise invalid(
            f"{name} holds bars of {', '.join(others)}, not of {symbol}.",
            fix=f"Give --symbol {others[0]}, or another file.",
            field="symbol",
        )
    left_out = _left_out(names, symbol, metadata)
    symbols = tuple(names.symbols)
    if symbol is not None:
        mine = names.symbol_of_row == names.symbols[symbol]
        names.symbol_of_row = np.where(mine, 0, LEFT_OUT)
        symbols = (symbol,)
    return Naming(symbols, tuple(names.contracts), names.symbol_of_row, names.contract_of_row, left_out)


def _left_out(names: _Names, symbol: str | None, metadata: Metadata) -> tuple[LeftOut, ...]:
    """Count the records that won't be read. symbol: the only one wanted, None for all."""
    spreads = sum(names.spreads.values())
    unnamed = int((names.symbol_of_row == LEFT_OUT).sum()) - spreads
    others = {one: int((names.symbol_of_row == number).sum()) for one, number in names.symbols.items()}
    others = {one: rows for one, rows in others.items() if symbol not in (None, one)}
    found = (
        LeftOut("spreads", spreads, tuple(raw for raw, rows in names.spreads.items() if rows)[:SHOWN_NAMES]),
        LeftOut("other symbols", sum(others.values()), tuple(others)[:SHOWN_NAMES]),
        LeftOut("days for which the file names no symbol", unnamed, tuple(metadata.symbols[:SHOWN_NAMES])),
    )
    return tuple(one for one in found if one.rows)
