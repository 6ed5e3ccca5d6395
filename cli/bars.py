"""`gantry bars`: import, fetch, list, check, gaps, export."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.bars_fetch import fetch_bars, show_gaps
from cli.console import note, print_json, say

if TYPE_CHECKING:
    from integrations.store import BarsStore
    from sql.engine import Transactions

app = typer.Typer(add_completion=False, help="Bars: import, fetch, list, check, gaps, export.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
OneSymbol = Annotated[str | None, typer.Option(help="Only this symbol, such as ES.")]
ACTOR = "operator:cli"


class Stamped(StrEnum):
    """Which moment of a bar its time names."""

    OPEN = "open"
    CLOSE = "close"


class Format(StrEnum):
    """Forms of a file that is exported."""

    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Opened:
    """The settings' database and folder of bars."""

    tx: Transactions
    store: BarsStore


@app.command("import")
def import_bars(
    path: Annotated[Path, typer.Argument(help="DBN, Parquet or CSV, packed or not; one-minute bars.")],
    *,
    symbol: Annotated[str | None, typer.Option(help="Instrument, where the file doesn't say: ES, 6E ...")] = None,
    provider: Annotated[str, typer.Option(help="Who supplied the file, such as databento.")] = "files",
    tz: Annotated[str | None, typer.Option(help="Time zone of stamps that state none, such as UTC.")] = None,
    stamp: Annotated[Stamped, typer.Option(help="What a bar's time names.")] = Stamped.OPEN,
    replace: Annotated[bool, typer.Option("--replace", help="Let these bars win over those there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import a file of bars, whole or not at all; the same file again changes nothing."""
    from cli.bars_shown import show_import
    from core.clock import utc_now
    from services.bars.import_file import import_file

    with opened() as home, shown_progress() as progress:
        report = import_file(
            home.tx,
            home.store,
            path,
            symbol=symbol,
            provider=provider,
            tz=tz,
            stamp=stamp.value,
            replace=replace,
            actor=ACTOR,
            now=utc_now(),
            progress=progress,
        )
    if as_json:
        print_json(report)
    else:
        show_import(report)


@app.command("list")
def list_bars(symbol: OneSymbol = None, as_json: AsJson = False) -> None:
    """List the months of bars in use, by symbol and month."""
    from cli.bars_shown import month_fields, show_months
    from services.bars.load import list_months

    with opened() as home:
        months = [month_fields(row) for row in list_months(home.tx, symbol=symbol)]
    if as_json:
        print_json(months)
    elif months:
        show_months(months)
    else:
        say("There are no bars. Import some with `gantry bars import FILE`.")


@app.command("check")
def check_bars(symbol: OneSymbol = None, as_json: AsJson = False) -> None:
    """Read every month in use again, and compare its file and quality with the catalogue.

    Exit code 1 if a month fails.
    """
    from cli.bars_shown import show_checked
    from services.bars.check import check_months

    with opened() as home, shown_progress() as progress:
        checked = check_months(home.tx, home.store, symbol=symbol, progress=progress)
    if as_json:
        print_json([{**asdict(month), "ok": month.ok} for month in checked])
    else:
        show_checked(checked)
    failed = sum(not month.ok for month in checked)
    if failed:
        note(f"{failed} of {len(checked)} months failed. Fix: import their files again.")
        raise typer.Exit(1)


@app.command("export")
def export_bars(
    symbol: Annotated[str, typer.Argument(help="Such as ES.")],
    path: Annotated[Path, typer.Argument(help="File to write; it must not exist.")],
    *,
    start: Annotated[str | None, typer.Option(help='First month, "YYYY-MM".')] = None,
    end: Annotated[str | None, typer.Option(help='Last month, "YYYY-MM".')] = None,
    fmt: Annotated[Format | None, typer.Option("--format", help="By the file's ending where not said.")] = None,
    timeframe: Annotated[str, typer.Option(help="1m, 5m, 15m, 30m, 1h or 1d.")] = "1m",
    as_json: AsJson = False,
) -> None:
    """Write a symbol's bars to one CSV or Parquet file, each row with its data label."""
    from core.errors import invalid
    from services.bars.export import ExportFormat, export_bars
    from trading.bars.schema import Timeframe

    if timeframe not in set(Timeframe):
        raise invalid(f"Unknown timeframe {timeframe!r}.", fix=f"Use one of {', '.join(Timeframe)}.", field="timeframe")
    with opened() as home:
        report = export_bars(
            home.tx,
            home.store,
            symbol,
            start=start,
            end=end,
            path=path,
            fmt=ExportFormat(fmt) if fmt else None,
            timeframe=Timeframe(timeframe),
        )
    if as_json:
        print_json(report)
    else:
        say(f"Wrote {report.bars_count:,} {report.label} bars of {symbol} to {path}; content hash {report.bars_hash}.")


app.command("fetch")(fetch_bars)
app.command("gaps")(show_gaps)


@contextmanager
def opened(*, pool_size: int = 1) -> Iterator[Opened]:
    """Connect to the settings' database, and find the folder of bars."""
    from core.settings import get_settings
    from integrations.store import BarsStore
    from sql.engine import connect, database_urls, transactions

    settings = get_settings()
    engine = connect(database_urls(settings).app, pool_size=pool_size)
    try:
        yield Opened(transactions(engine), BarsStore(str(settings.gantry_home / "bars")))
    finally:
        engine.dispose()


@contextmanager
def shown_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar of progress on standard error while work goes on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("Bars", total=None)
        yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total)
