"""Bars for a backtest: the months in use of one symbol, of one label, checked against their catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.errors import bad_data, data_unavailable
from fleet.closed_sets import DataLabel, QualityVerdict
from fleet.grading_bars import grades_on_real
from integrations.store import BarsStore
from services.bars.decide import is_of
from sql.engine import Transactions
from sql.queries.bars import catalogue as queries
from sql.tables.bars import BarsMonth
from trading.bars.aside import sessions_aside, without_sessions
from trading.bars.hashing import content_hash
from trading.bars.months import split_months
from trading.bars.resample import resample
from trading.bars.schema import Bars, Timeframe
from trading.day_session import Hours, hours_of, instrument_of
from trading.instruments import Instrument, get_instrument


def list_months(tx: Transactions, *, symbol: str | None = None) -> Sequence[BarsMonth]:
    """Return the months in use, or those of one symbol, by symbol and month.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol.

    """
    if symbol is not None:
        get_instrument(symbol)
    with tx() as session:
        return queries.active_months(session, symbol=symbol)


@dataclass(frozen=True, slots=True)
class CatalogueRef:
    """One month that was read."""

    id: UUID
    month: str
    content_hash: str
    quality: QualityVerdict


@dataclass(frozen=True, slots=True, eq=False)
class LoadedBars:
    """Bars of one label, and the months they came from in order.

    bars_hash: content hash of exactly these bars. hours: RTH where all months hold the day session alone.
    """

    bars: Bars
    label: DataLabel
    catalogue: tuple[CatalogueRef, ...]
    bars_hash: str
    hours: Hours = Hours.ALL

    @property
    def instrument(self) -> Instrument:
        """The instrument with the calendar of these bars' hours."""
        return instrument_of(self.bars.symbol, self.hours)


def load_bars(
    tx: Transactions,
    store: BarsStore,
    symbol: str,
    *,
    timeframe: Timeframe,
    start: str | None,
    end: str | None,
    min_sessions: int = 0,
) -> LoadedBars:
    """Read a symbol's bars from month `start` to month `end` ("YYYY-MM", inclusive; None: all there is).

    min_sessions: of real bars; SIMULATED months are read only for a symbol that has fewer. The files' content must
    have the hash the catalogue states. Sessions that are put aside are left out.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol, DATA_UNAVAILABLE for no bars, DATA_QUALITY_FAILED for a
            blocked month or a file that was changed since.

    """
    instrument = get_instrument(symbol)
    with tx() as session:
        known = queries.months_in_use(session, symbol=symbol).get(symbol, ())
        real = grades_on_real(known, min_sessions)
        months = [
            month
            for month in queries.active_months(session, symbol=symbol, start=start, end=end)
            if (month.data_label != DataLabel.SIMULATED) is real
        ]
    if not months:
        raise data_unavailable(
            f"There are no bars of {symbol} from {start or 'the first month'} to {end or 'the last'}.",
            fix=f"Import some with `gantry bars import FILE --symbol {symbol}`.",
            facts={"symbol": symbol, "start": start, "end": end},
        )
    blocked = [month.month for month in months if month.quality == QualityVerdict.BLOCKED]
    if blocked:
        raise bad_data(
            f"Bars of {symbol} in {', '.join(blocked)} are blocked.",
            fix="`gantry bars check` says why; import a valid file for those months.",
            facts={"symbol": symbol, "months": blocked},
        )
    bars = store.read([month.path for month in months])
    parts = {part.month: part.bars for part in split_months(bars)}
    for month in months:
        if month.month not in parts or not is_of(month, parts[month.month], instrument):
            raise bad_data(
                f"The file of {symbol} {month.month} doesn't hold the bars the catalogue names.",
                fix="Import that month's file again, which restores the file; don't change these files by hand.",
                facts={"symbol": symbol, "month": month.month, "path": month.path},
            )
    bars = _fit(bars, months)
    label = DataLabel.SIMULATED if not real else _one_label({DataLabel(month.data_label) for month in months})
    refs = tuple(CatalogueRef(m.id, m.month, m.content_hash, QualityVerdict(m.quality)) for m in months)
    hours = Hours.RTH if {hours_of(month.source_details) for month in months} == {Hours.RTH} else Hours.ALL
    shaped = bars if timeframe is Timeframe.M1 else resample(bars, timeframe, instrument_of(symbol, hours))
    return LoadedBars(shaped, label, refs, content_hash(shaped, instrument), hours)


def _fit(bars: Bars, months: Sequence[BarsMonth]) -> Bars:
    """The bars but those put aside; a session may lie in two months."""
    aside = {day for month in months for day in sessions_aside(month.quality_report)}
    fit = without_sessions(bars, get_instrument(bars.symbol), aside)
    if not len(fit):
        raise data_unavailable(
            f"All sessions of {bars.symbol} from {months[0].month} to {months[-1].month} are put aside.",
            fix=f"`gantry bars gaps {bars.symbol}` says why; import them from another source.",
            facts={"symbol": bars.symbol, "sessions": sorted(aside)},
        )
    return fit


def _one_label(labels: set[DataLabel]) -> DataLabel:
    """The weakest claim of the months: IMPORTED as soon as one was."""
    return DataLabel.IMPORTED if DataLabel.IMPORTED in labels else DataLabel.VENDOR
