"""What happens to a month of bars when bars for it come in: the rules, before anything is written."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import ErrorCode, GantryError, Kind
from fleet.closed_sets import DataLabel
from integrations.store import BarsStore
from sql.tables.bars import BarsMonth
from trading.bars.hashing import content_hash, contracts_hash
from trading.bars.merge import merge
from trading.bars.schema import Bars
from trading.instruments import Instrument


class MonthStatus(StrEnum):
    """What an import did to a month. REPAIRED: its file was damaged or gone, and the same bars came again."""

    NEW = "NEW"
    ALREADY_THERE = "ALREADY_THERE"
    MERGED = "MERGED"
    REPLACED = "REPLACED"
    REPAIRED = "REPAIRED"


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Bars of one month that came in, from whom, and whether they win where they differ."""

    instrument: Instrument
    bars: Bars
    provider: str
    label: DataLabel
    replace: bool


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """The month as it should be. merged: whether bars that were there already are among them."""

    bars: Bars
    status: MonthStatus
    merged: bool = False


def decide(store: BarsStore, there: BarsMonth | None, asked: Asked) -> Wanted:
    """Return what the month should hold, given the row in use.

    Equal bars change nothing (a simulated month stays simulated). Real bars take a simulated month's place. Bars of
    the same provider are added to those there; those of another one take their place where `replace` says so.

    Raises:
        GantryError: CONFLICT for bars that contradict those there, come from another provider, or are simulated
            where real ones are; DATA_UNAVAILABLE where the file there is damaged and has to be read.

    """
    if there is None:
        return Wanted(asked.bars, MonthStatus.NEW)
    if content_hash(asked.bars, asked.instrument) == there.content_hash:
        return _equal(store, there, asked)
    if there.data_label == DataLabel.SIMULATED:
        return Wanted(asked.bars, MonthStatus.REPLACED)
    _refuse_strangers(there, asked)
    if asked.replace and (there.provider != asked.provider or not is_intact(store, there, asked.instrument)):
        return Wanted(asked.bars, MonthStatus.REPLACED)
    merged = merge(store.read([there.path]), asked.bars, asked.instrument, replace=asked.replace)
    if not merged.added and not merged.replaced:
        return Wanted(merged.bars, MonthStatus.ALREADY_THERE)
    return Wanted(merged.bars, MonthStatus.REPLACED if merged.replaced else MonthStatus.MERGED, merged=True)


def is_intact(store: BarsStore, row: BarsMonth, instrument: Instrument) -> bool:
    """Whether the row's file can be read and holds what the row says."""
    try:
        bars = store.read([row.path])
    except GantryError:
        return False
    return content_hash(bars, instrument) == row.content_hash and contracts_hash(bars) == row.contracts_hash


def _equal(store: BarsStore, there: BarsMonth, asked: Asked) -> Wanted:
    """The same bars again: names of contracts are gained, never lost, and a damaged file is made whole."""
    if there.contracts == [""] and asked.bars.contracts != ("",) and there.data_label == asked.label:
        return Wanted(asked.bars, MonthStatus.REPLACED)
    if is_intact(store, there, asked.instrument):
        return Wanted(asked.bars, MonthStatus.ALREADY_THERE)
    if contracts_hash(asked.bars) == there.contracts_hash:
        return Wanted(asked.bars, MonthStatus.REPAIRED)
    return Wanted(asked.bars, MonthStatus.REPLACED)


def _refuse_strangers(there: BarsMonth, asked: Asked) -> None:
    if asked.label is DataLabel.SIMULATED:
        raise _conflict(there, "holds real bars, which simulated ones never replace", fix="Simulate another month.")
    if there.provider != asked.provider and not asked.replace:
        raise _conflict(
            there,
            f"is there from {there.provider}, with other bars",
            fix=f"Import with --replace to use those of {asked.provider}; the old file is kept.",
        )


def _conflict(there: BarsMonth, what: str, *, fix: str) -> GantryError:
    return GantryError(
        ErrorCode.CONFLICT,
        f"{there.symbol} {there.month} {what}.",
        fix=fix,
        kind=Kind.CONFLICT,
        facts={"symbol": there.symbol, "month": there.month, "provider": there.provider},
    )
