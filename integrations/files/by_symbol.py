"""Which symbol and contract each row of a table is of, and which rows are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import invalid
from integrations.files.columns import Column
from integrations.files.headers import ColumnRole
from integrations.files.names import NameKind, read_name
from integrations.files.types import SHOWN_NAMES, LeftOut
from trading.bars.contracts import long_name
from trading.bars.schema import IntArray
from trading.instruments import INSTRUMENTS

_LEFT_OUT: Final = {NameKind.SPREAD: "spreads", NameKind.OPTION: "options"}


class _Named(NamedTuple):
    """text: as in the file. root: None where the file doesn't say."""

    text: str
    kind: NameKind
    root: str | None
    contract: str


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """names: each way in which the file names a row, once. of_row: int64[T], positions in it."""

    names: Sequence[_Named]
    of_row: IntArray

    @property
    def roots(self) -> list[str | None]:
        """Symbols of the rows that are of outright futures, each once."""
        return list(dict.fromkeys(name.root for name in self.names if name.kind is NameKind.OUTRIGHT))


@dataclass(frozen=True, slots=True, eq=False)
class RowsOfSymbol:
    """rows: int64[R], in order. contract: int32[R], positions in contracts."""

    symbol: str
    rows: IntArray
    contract: NDArray[np.int32]
    contracts: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A table's rows by symbol, and those of none of them."""

    symbols: tuple[RowsOfSymbol, ...]
    left_out: tuple[LeftOut, ...]


def labels_of(columns: Mapping[ColumnRole, Sequence[Column]], opens: IntArray) -> Labels:
    """Read what the columns of symbols and contracts say of T rows. opens: int64[T] ns, for years of one digit."""
    texts = [
        _texts(columns, role, len(opens)) for role in (ColumnRole.SYMBOL, ColumnRole.CONTRACT, ColumnRole.INSTRUMENT_ID)
    ]
    labels = list(zip(*texts, strict=True))
    number = {label: position for position, label in enumerate(dict.fromkeys(labels))}
    of_row = np.fromiter(map(number.__getitem__, labels), np.int64, len(labels))
    first = np.full(len(number), len(opens), np.int64)
    np.minimum.at(first, of_row, np.arange(len(opens)))
    return Labels([_named(label, opens[row]) for label, row in zip(number, first.tolist(), strict=True)], of_row)


def split(file: str, labels: Labels, symbol: str | None) -> Split:
    """Split the rows by the symbol that their names, or the caller, give them.

    Raises:
        GantryError: VALIDATION_FAILED where no row is of an outright future or of the symbol asked for, or where
            neither the file nor the caller names the symbol.

    """
    roots = labels.roots
    if not roots:
        raise invalid(
            f"{file} holds no outright futures ({', '.join(_shown(labels.names))}).",
            fix="Export outright contracts, not spreads.",
        )
    if None in roots and symbol is None:
        raise invalid(
            f"{file} doesn't say of which symbol its bars are.",
            fix="Give --symbol, for example --symbol ES.",
            field="symbol",
        )
    held = list(dict.fromkeys(root or symbol or "" for root in roots))
    _refuse_unknown(file, held, symbol)
    wanted = held if symbol is None else [symbol]
    return Split(tuple(_rows(labels, one, symbol) for one in wanted), _left_out(labels, wanted, symbol))


def _texts(columns: Mapping[ColumnRole, Sequence[Column]], role: ColumnRole, count: int) -> list[str]:
    found = columns.get(role)
    return found[0].texts() if found else [""] * count


def _named(label: tuple[str, ...], first_ts: np.int64) -> _Named:
    """Read a row's symbol (ES, ESH4 or ES.c.0) and contract (ESH4, ES 202403, an id, or none)."""
    symbol, contract, ident = label
    month = int(first_ts.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64))
    of_contract, of_symbol = read_name(contract), read_name(symbol)
    for name, text in ((of_contract, contract), (of_symbol, symbol)):
        if name.kind in _LEFT_OUT:
            return _Named(text, name.kind, None, "")
        if name.contract:
            long = long_name(name.contract, traded_year=1970 + month // 12, traded_month=month % 12 + 1)
            return _Named(symbol or contract, NameKind.OUTRIGHT, name.root, long)
    of_series = of_contract.kind is NameKind.OUTRIGHT
    root = of_symbol.root or symbol or of_contract.root
    return _Named(symbol or contract, NameKind.OUTRIGHT, root or None, ident if of_series else contract or ident)


def _refuse_unknown(file: str, held: Sequence[str], symbol: str | None) -> None:
    if symbol is not None and symbol not in held:
        raise invalid(
            f"{file} holds bars of {', '.join(held)[:80]}, not of {symbol}.",
            fix=f"Give --symbol {held[0]}, or another file."
            if held[0] in INSTRUMENTS
            else "Name symbols like ES or ESH24, or leave the column of symbols out.",
            field="symbol",
        )


def _rows(labels: Labels, one: str, symbol: str | None) -> RowsOfSymbol:
    mine = [name.kind is NameKind.OUTRIGHT and (name.root or symbol) == one for name in labels.names]
    contracts = tuple(dict.fromkeys(name.contract for name, my in zip(labels.names, mine, strict=True) if my))
    number = np.array(
        [contracts.index(name.contract) if my else 0 for name, my in zip(labels.names, mine, strict=True)]
    )
    rows = np.flatnonzero(np.array(mine)[labels.of_row])
    return RowsOfSymbol(one, rows, number[labels.of_row[rows]].astype(np.int32), contracts)


def _left_out(labels: Labels, wanted: Sequence[str], symbol: str | None) -> tuple[LeftOut, ...]:
    counts = np.bincount(labels.of_row, minlength=len(labels.names)).tolist()
    found: dict[str, list[int]] = {}
    for position, name in enumerate(labels.names):
        if name.kind in _LEFT_OUT:
            found.setdefault(_LEFT_OUT[name.kind], []).append(position)
        elif (name.root or symbol) not in wanted:
            found.setdefault("other symbols", []).append(position)
    return tuple(
        LeftOut(why, sum(counts[position] for position in positions), _shown([labels.names[at] for at in positions]))
        for why, positions in found.items()
    )


def _shown(names: Sequence[_Named]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.text[:30] for name in names))[:SHOWN_NAMES]
