"""Months of bars as tables for a person and as fields for a program."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from cli.console import say
from services.bars import CheckedMonth, ImportReport

_SHOWN_HASH = 12
_WIDE = 200  # columns of a table that goes into a file or a pipe
_FIELDS = (
    "id", "symbol", "month", "provider", "data_label", "bars_count", "first_at", "last_at", "quality", "content_hash",
    "contracts", "contracts_hash", "path", "source_name", "source_sha256", "source_details", "quality_report",
    "created_at",
)  # fmt: skip


def month_fields(row: Any) -> dict[str, Any]:
    """Return a catalogue row as named values."""
    return {name: getattr(row, name) for name in _FIELDS}


def show_months(months: Sequence[Mapping[str, Any]]) -> None:
    """Print a table of months."""
    table = _table("symbol", "month", "label", "provider", "bars", "contracts", "coverage", "quality", "content hash")
    for month in months:
        table.add_row(
            month["symbol"],
            month["month"],
            month["data_label"],
            month["provider"],
            f"{month['bars_count']:,}",
            ", ".join(month["contracts"]),
            f"{month['quality_report'].get('coverage', 0.0):.1%}",
            month["quality"],
            month["content_hash"][:_SHOWN_HASH],
        )
    _print(table)


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
    _print(table)
    for month in report.months:
        if month.complaint:
            say(f"{month.symbol} {month.month}: {month.complaint}")
    say(f"{report.bars_count:,} bars in {report.source_name} (sha-256 {report.source_sha256}).")


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
            month.quality,
            month.message,
        )
    _print(table)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in {"bars", "coverage"} else "left")
    return table


def _print(table: Table) -> None:
    console = Console()
    (console if console.is_terminal else Console(width=_WIDE)).print(table)
