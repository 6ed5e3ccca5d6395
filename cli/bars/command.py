"""`gantry bars`: import, fetch, list, check, gaps, export."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.actor import OPERATOR
from cli.bars.dry_run import show_understood
from cli.bars.fetch import fetch_bars, show_gaps
from cli.console import note, print_json, say
from cli.database import opened
from cli.options import (
    AsJson,
    Covered,
    EpochTimeZone,
    HoursOption,
    OneSymbol,
    Stamped,
    StampOption,
    TimeZone,
    member_of,
)

app = typer.Typer(
    add_completion=False, help="Bars: import, fetch, list, check, gaps, accept, export.", no_args_is_help=True
)


class Format(StrEnum):
    """Formats of an exported file."""

    CSV = "csv"
    PARQUET = "parquet"


@app.command("import")
def import_bars(  # noqa: PLR0913 - one argument an option
    path: Annotated[Path, typer.Argument(help="DBN, Parquet or CSV, compressed or not; one-minute bars.")],
    *,
    symbol: Annotated[str | None, typer.Option(help="Instrument such as ES, if the file doesn't name it.")] = None,
    provider: Annotated[str, typer.Option(help="Who supplied the file, such as databento.")] = "files",
    tz: TimeZone = None,
    epoch_tz: EpochTimeZone = None,
    stamp: StampOption = Stamped.OPEN,
    hours: HoursOption = Covered.ALL,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the bars from the file's first to its last one.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is understood, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import a file of bars, all or nothing; importing the same file again changes nothing.

    With --dry-run, exit code 1 if the bars would be refused.
    """
    from cli.bars.shown import show_import
    from cli.progress import shown_progress
    from core.clock import utc_now
    from core.settings import get_settings
    from integrations.files.reader import read_options
    from services.bars.files.import_file import import_file

    if dry_run:
        options = read_options(symbol=symbol, tz=tz, epoch_tz=epoch_tz, stamp=stamp.value, hours=hours.value)
        show_understood(path, options, as_json=as_json)
        return
    with opened() as home, shown_progress() as progress:
        report = import_file(
            home.tx,
            home.store,
            path,
            symbol=symbol,
            provider=provider,
            tz=tz,
            epoch_tz=epoch_tz,
            stamp=stamp.value,
            hours=hours.value,
            replace=replace,
            actor=OPERATOR,
            now=utc_now(),
            progress=progress,
            min_sessions=get_settings().min_sessions_for_grading,
        )
    if as_json:
        print_json(report)
    else:
        show_import(report)


@app.command("list")
def list_bars(symbol: OneSymbol = None, as_json: AsJson = False) -> None:
    """List the months of bars in use, by symbol and month."""
    from cli.bars.shown import show_months
    from services.bars.load import list_months
    from shapes.bars import BarsMonthBody

    with opened() as home:
        months = [BarsMonthBody.model_validate(row) for row in list_months(home.tx, symbol=symbol)]
    if as_json:
        print_json(months)
    elif months:
        show_months(months)
    else:
        of = "" if symbol is None else f" of {symbol}"
        say(f"There are no bars{of}. Import some with `gantry bars import FILE`.")


@app.command("check")
def check_bars(
    symbol: OneSymbol = None,
    *,
    renew: Annotated[
        bool, typer.Option("--renew", help="Store today's verdicts of months whose files are sound.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Re-read every month in use and compare its file and quality with the catalogue.

    Exit code 1 if a month fails.
    """
    from cli.bars.shown import show_checked
    from cli.progress import shown_progress
    from core.clock import utc_now
    from services.bars.verdicts.check import check_months
    from services.bars.verdicts.judge import renew_verdicts

    with opened() as home, shown_progress() as progress:
        if renew:
            checked = renew_verdicts(
                home.tx, home.store, symbol=symbol, actor=OPERATOR, now=utc_now(), progress=progress
            )
        else:
            checked = check_months(home.tx, home.store, symbol=symbol, progress=progress)
    if as_json:
        print_json([{**asdict(month), "ok": month.ok} for month in checked])
    else:
        show_checked(checked)
    changed = sum(month.verdict_changed for month in checked)
    if changed:
        note(
            f"{changed} of {len(checked)} months would get another verdict today: the rules are newer. "
            "Fix: `gantry bars check --renew` stores today's verdicts."
        )
    failed = sum(not month.ok and not month.verdict_changed for month in checked)
    if failed:
        note(f"{failed} of {len(checked)} months failed. Fix: import their files again.")
    if changed or failed:
        raise typer.Exit(1)


@app.command("export")
def export_bars(
    symbol: Annotated[str, typer.Argument(help="Such as ES.")],
    path: Annotated[Path, typer.Argument(help="File to write; it must not exist.")],
    *,
    start: Annotated[str | None, typer.Option(help='First month, "YYYY-MM".')] = None,
    end: Annotated[str | None, typer.Option(help='Last month, "YYYY-MM".')] = None,
    fmt: Annotated[Format | None, typer.Option("--format", help="By the file's extension by default.")] = None,
    timeframe: Annotated[str, typer.Option(help="1m, 5m, 15m, 30m, 1h or 1d.")] = "1m",
    as_json: AsJson = False,
) -> None:
    """Write a symbol's bars to one CSV or Parquet file, each row with its data label."""
    from services.bars.files.export import ExportFormat, export_bars
    from trading.bars.schema import Timeframe

    read = member_of(Timeframe, timeframe, field="timeframe")
    with opened() as home:
        report = export_bars(
            home.tx,
            home.store,
            symbol,
            start=start,
            end=end,
            path=path,
            fmt=ExportFormat(fmt) if fmt else None,
            timeframe=read,
        )
    if as_json:
        print_json(report)
    else:
        say(f"Wrote {report.bars_count:,} {report.label} bars of {symbol} to {path}; content hash {report.bars_hash}.")


@app.command("accept")
def accept_session(
    symbol: Annotated[str, typer.Argument(help="Such as ES.")],
    session: Annotated[str, typer.Argument(help="Day of the session that is put aside, YYYY-MM-DD.")],
    *,
    reason: Annotated[str, typer.Option(help="Why it may be used, for the audit row.")],
    as_json: AsJson = False,
) -> None:
    """Use a session that is put aside although it fails its checks; `gantry bars gaps` lists them."""
    from cli.bars.shown import show_accepted
    from core.clock import utc_now
    from services.bars.verdicts import accept

    with opened() as home:
        done = accept.accept_session(home.tx, home.store, symbol, session, reason=reason, actor=OPERATOR, now=utc_now())
    if as_json:
        print_json(done)
    else:
        show_accepted(done)


app.command("fetch")(fetch_bars)
app.command("gaps")(show_gaps)
