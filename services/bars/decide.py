"""What happens to a month of bars when bars for it come in: the rules, before anything is written."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import ErrorCode, GantryError, Kind, data_unavailable
from fleet.closed_sets import DataLabel
from integrations.store import BarsStore
from sql.tables.bars import BarsMonth
from trading.bars.hashing import content_hash, contracts_hash
from trading.bars.merge import merge, named_apart
from trading.bars.months import with_contracts_listed
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
class IncomingMonth:
    """Bars of one month that came in, from whom, and whether they win where they differ."""

    instrument: Instrument
    bars: Bars
    provider: str
    label: DataLabel
    replace: bool


@dataclass(frozen=True, slots=True, eq=False)
class MonthPlan:
    """The month as it should be. merged: whether bars that were there already are among them."""

    bars: Bars
    status: MonthStatus
    merged: bool = False


def decide(store: BarsStore, there: BarsMonth | None, asked: IncomingMonth) -> MonthPlan:
    """Return what the month should hold, given the row in use.

    Equal bars change nothing (a simulated month stays simulated). Real bars take a simulated month's place. Bars of
    the same provider are added to those there; where `replace` says so they take the place of all bars from their first
    to their last one, so that a month is never a mixture of two sources minute by minute. Bars of another provider, or
    with contracts named in another way, take the whole month's place where `replace` says so. A month fetched from a
    vendor is whole, and takes the place of what was there.

    Raises:
        GantryError: CONFLICT for bars that contradict those there, come from another provider, or are simulated
            where real ones are; DATA_UNAVAILABLE where the file there is damaged and has to be read.

    """
    if there is None:
        return MonthPlan(asked.bars, MonthStatus.NEW)
    if content_hash(asked.bars, asked.instrument) == there.content_hash:
        return _equal(store, there, asked)
    if there.data_label == DataLabel.SIMULATED or asked.label is DataLabel.VENDOR:
        return MonthPlan(asked.bars, MonthStatus.REPLACED)  # a vendor's month is fetched whole
    _refuse_foreign(there, asked)
    if asked.replace and (there.provider != asked.provider or not is_intact(store, there, asked.instrument)):
        return MonthPlan(asked.bars, MonthStatus.REPLACED)
    return _merged(read_there(store, there, asked.instrument), asked)


def _merged(old: Bars, asked: IncomingMonth) -> MonthPlan:
    new, kept = asked.bars, old
    if asked.replace and named_apart(old, new):
        return MonthPlan(new, MonthStatus.REPLACED)
    merged = merge(old, new, asked.instrument, replace=asked.replace)
    if asked.replace:
        kept = old.take((old.ts < new.ts.min()) | (old.ts > new.ts.max()))
    whole = merge(kept, new, asked.instrument).bars if len(kept) else new
    removed = len(merged.bars) - len(whole)
    if not merged.added and not merged.replaced and not removed:
        return MonthPlan(whole, MonthStatus.ALREADY_THERE)
    status = MonthStatus.REPLACED if merged.replaced or removed else MonthStatus.MERGED
    return MonthPlan(whole, status, merged=bool(len(kept)))


def is_intact(store: BarsStore, row: BarsMonth, instrument: Instrument) -> bool:
    """Whether the row's file can be read and holds what the row says."""
    try:
        return is_of(row, store.read([row.path]), instrument)
    except GantryError:
        return False


def is_of(row: BarsMonth, bars: Bars, instrument: Instrument) -> bool:
    """Whether these are the bars, and the contracts, that the row says.

    Cut from a series of months, ids of contracts may be listed in another order than in the month's own file.
    """
    if set(bars.contracts) != set(row.contracts):
        return False
    own = with_contracts_listed(bars, row.contracts)
    return content_hash(own, instrument) == row.content_hash and contracts_hash(own) == row.contracts_hash


def read_there(store: BarsStore, there: BarsMonth, instrument: Instrument) -> Bars:
    """Return the bars that are catalogued, never what a changed file holds now.

    Raises:
        GantryError: DATA_UNAVAILABLE for a file that can't be read, or holds other bars.

    """
    bars = store.read([there.path])
    if not is_of(there, bars, instrument):
        raise data_unavailable(
            f"The file of {there.symbol} {there.month} doesn't hold the bars the catalogue names.",
            fix=f"Import {there.source_name} again first, which restores its file, or use --replace.",
            facts={"symbol": there.symbol, "month": there.month, "path": there.path},
        )
    return bars


def _equal(store: BarsStore, there: BarsMonth, asked: IncomingMonth) -> MonthPlan:
    """The same bars again: names of contracts are gained, never lost, and a damaged file is made whole."""
    if there.contracts == [""] and asked.bars.contracts != ("",) and there.data_label == asked.label:
        return MonthPlan(asked.bars, MonthStatus.REPLACED)
    if is_intact(store, there, asked.instrument):
        return MonthPlan(asked.bars, MonthStatus.ALREADY_THERE)
    if contracts_hash(asked.bars) == there.contracts_hash:
        return MonthPlan(asked.bars, MonthStatus.REPAIRED)
    return MonthPlan(asked.bars, MonthStatus.REPLACED)


def _refuse_foreign(there: BarsMonth, asked: IncomingMonth) -> None:
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
