"""A file of bars on its way in: read, and refused with the likely reason where its times are misunderstood."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from core.errors import GantryError
from fleet.closed_sets import DataLabel
from integrations.files.likely import explained, refuse_other_hours, with_likely_zone
from integrations.files.reader import read_as
from integrations.files.readings import fits_as_stated
from integrations.files.times import UNSTATED
from integrations.files.types import FileBars, ReadOptions
from services.bars.coverage import month_span
from trading.bars.aside import without_sessions
from trading.bars.months import split_months
from trading.bars.quality import QualityReport, require_fit
from trading.day_session import Hours, day_hours, instrument_of
from trading.instruments import get_instrument


@dataclass(frozen=True, slots=True)
class JudgedMonth:
    """month: YYYY-MM. bars_count: of the file's bars."""

    month: str
    bars_count: int
    quality: QualityReport


def read_file(path: Path, options: ReadOptions) -> tuple[FileBars, ...]:
    """Return a file's bars by symbol, as every command reads them.

    Raises:
        GantryError: see `integrations.files.reader.read_bars_file`; DATA_QUALITY_FAILED for bars of other hours than
            stated.

    """
    found = read_unjudged(path, options)
    for one in found:
        refuse_other_hours(one)
    return found


def read_unjudged(path: Path, options: ReadOptions) -> tuple[FileBars, ...]:
    """Return a file's bars by symbol, whichever hours they cover; times without a zone are refused with the likely one.

    Raises:
        GantryError: see `integrations.files.reader.read_bars_file`.

    """
    try:
        return read_as(path, options)
    except GantryError as error:
        if not error.facts.get(UNSTATED):
            raise
        raise _with_likely_zone(error, path, options) from error


def label_of(one: FileBars) -> DataLabel:
    """Return the label of a file's bars: simulated ones that were exported stay SIMULATED wherever they come to."""
    simulated = one.source_details.get("data_label") == DataLabel.SIMULATED
    return DataLabel.SIMULATED if simulated else DataLabel.IMPORTED


def notes_on(found: Sequence[FileBars]) -> tuple[str, ...]:
    """Return what a user must know beside a file's bars: their hours, rows left out, a last line without an end."""
    first = found[0]
    rth = [get_instrument(one.bars.symbol) for one in found if one.hours is Hours.RTH]
    day = [f"Bars of {one.symbol} are those of the day session alone, {day_hours(one)}." for one in rth]
    out = [f"Left out: {one}." for one in first.left_out]
    cut = first.source_details.get("final_newline") is False
    return (*day, *out, *(["The last line has no line break, so its last value may be cut."] if cut else []))


def judged(one: FileBars, now: datetime) -> tuple[JudgedMonth, ...]:
    """Return the verdict on each month of bars that may be used. now: aware, UTC; nothing is missing after it.

    Raises:
        GantryError: DATA_QUALITY_FAILED for a blocked month, with the likely reason.

    """
    instrument = instrument_of(one.bars.symbol, one.hours)
    try:
        return tuple(
            JudgedMonth(
                part.month,
                len(part.bars),
                require_fit(part.bars, instrument, month_span(part.month, one.source_details, now)),
            )
            for part in split_months(one.bars)
        )
    except GantryError as error:
        raise explained(one, error) from error


def fit_of(one: FileBars, months: Sequence[JudgedMonth]) -> FileBars:
    """Return the bars but those of sessions that are put aside, as their months were judged."""
    aside = {session.session for month in months for session in month.quality.aside}
    return replace(one, bars=without_sessions(one.bars, instrument_of(one.bars.symbol, one.hours), aside))


def likely(found: Sequence[FileBars], error: GantryError) -> GantryError:
    """Return the refusal of some of a file's bars with the likely reason, where the bars of a symbol show it."""
    suspects = found if len(found) == 1 else [one for one in found if not fits_as_stated(one)]
    every = (explained(one, error) for one in suspects)
    return next((better for better in every if better is not error), error)


def _with_likely_zone(error: GantryError, path: Path, options: ReadOptions) -> GantryError:
    try:
        as_utc = read_as(path, replace(options, tz="UTC"))
    except GantryError:
        return error  # what else is wrong with the file is shown once its zone is known
    return with_likely_zone(error, as_utc[0])
