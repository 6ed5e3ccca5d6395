"""Months of bars as tables."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from cli.console import say
from cli.tables import print_table, table_of
from core.words import counted
from services.bars.files.import_file import ImportReport
from services.bars.verdicts.accept import Acceptance
from services.bars.verdicts.check import CheckedMonth
from services.bars.verdicts.gaps import MonthGaps, SymbolGaps
from services.supply.fetch import FetchedReport
from shapes.bars import BarsMonthBody

_SHOWN_HASH = 12
_NUMBERS = ("bars", "coverage")
_WRAPPED = ("contracts", "found", "sessions missing", "put aside", "longest gap")


def show_months(months: Sequence[BarsMonthBody]) -> None:
    """Print a table of months."""
    table = _table("symbol", "month", "label", "provider", "bars", "contracts", "coverage", "quality", "content hash")
    for month in months:
        table.add_row(
            month.symbol,
            month.month,
            month.data_label,
            month.provider,
            f"{month.bars_count:,}",
            ", ".join(month.contracts),
            f"{month.quality_report.get('coverage', 0.0):.1%}",
            month.quality,
            month.content_hash[:_SHOWN_HASH],
        )
    print_table(table)


def show_import(report: ImportReport) -> None:
    """Print what an import did."""
    table = _table("symbol", "month", "bars", "status", "quality", "content hash")
    for month in report.months:
        table.add_row(
            month.symbol,
            month.month,
            f"{month.bars_count:,}",
            month.status.replace("_", " ").lower(),
            month.quality,
            month.content_hash[:_SHOWN_HASH],
        )
    print_table(table)
    for month in report.months:
        if month.complaint:
            say(f"{month.symbol} {month.month}: {month.complaint}")
    for line in report.notes:
        say(line)
    say(f"{counted(report.bars_count, 'bar')} in {report.source_name} (sha-256 {report.source_sha256}).")


def show_checked(checked: Sequence[CheckedMonth]) -> None:
    """Print what was found, month by month."""
    table = _table("symbol", "month", "label", "bars", "file", "quality", "found")
    for month in checked:
        table.add_row(
            month.symbol,
            month.month,
            month.label,
            f"{month.bars_count:,}",
            "as catalogued" if month.hash_holds else "CHANGED",
            f"{month.quality} (was {month.quality_before})"
            if month.quality is not month.quality_before
            else month.quality,
            month.message,
        )
    print_table(table)


def show_fetched(reports: Sequence[FetchedReport], there: int) -> None:
    """Print the outcome of each month, failures with their fix."""
    table = _table("symbol", "month", "bars", "status", "provider", "quality", "content hash")
    for month in reports:
        table.add_row(
            month.symbol,
            month.month,
            "" if month.bars_count is None else f"{month.bars_count:,}",
            month.status.replace("_", " ").lower(),
            month.provider or "",
            month.quality or "",
            (month.content_hash or "")[:_SHOWN_HASH],
        )
    if reports:
        print_table(table)
    else:
        say(f"Nothing to fetch: all {there} months are there.")
    for month in reports:
        if month.error is not None:
            say(f"{month.symbol} {month.month}: {month.error}")


def show_accepted(done: Acceptance) -> None:
    """Print which session is used from now on."""
    if done.already:
        say(f"{done.symbol} {done.session} was accepted before: {done.reason}")
    else:
        say(f"{done.symbol} {done.session} is used from now on; bots of {done.symbol} are graded again.")


def show_gap_report(report: Sequence[SymbolGaps]) -> None:
    """Print what is missing, symbol by symbol and month by month."""
    table = _table("symbol", "month", "label", "bars", "coverage", "sessions missing", "put aside", "longest gap")
    for one in report:
        for month in one.months:
            table.add_row(
                one.symbol,
                month.month,
                month.data_label,
                f"{month.bars_count:,}",
                f"{month.coverage:.1%}",
                ", ".join(month.sessions_missing) or "none",
                ", ".join(aside.session for aside in month.sessions_aside) or "none",
                month.gaps[0] if month.gaps else "none",
            )
    print_table(table)
    for one in report:
        for month in one.months:
            for line in _why(month):
                say(f"{one.symbol} {line}")
    for one in report:
        missing = ", ".join(one.months_missing) or "none"
        say(f"{one.symbol}: months missing from {one.first} to {one.last}: {missing}.")
        if one.holes:
            say(f"{one.symbol}: holes between months: {'; '.join(map(str, one.holes))}.")


def _why(month: MonthGaps) -> Iterator[str]:
    yield from (f"{aside.session} is put aside: {aside.message}" for aside in month.sessions_aside)
    yield from (f"{taken.session} fails, and was accepted: {taken.reason}" for taken in month.sessions_accepted)
    yield from (f"{month.month}: {halt}" for halt in month.known_halts)


def _table(*columns: str) -> Table:
    return table_of(columns, right=_NUMBERS, wrapped=_WRAPPED)
