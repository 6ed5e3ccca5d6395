"""`gantry demo`: bars in, graded bots out, headless, in this one process."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.console import note, print_json
from cli.options import AsJson, Covered, EpochTimeZone, HoursOption, Stamped, StampOption, TimeZone
from core.words import counted

app = typer.Typer(add_completion=False)


@app.command()
def demo(  # noqa: PLR0913 - one argument an option
    bars: Annotated[Path | None, typer.Option(help="A DBN, Parquet or CSV file; the simulator without one.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Instrument such as ES; by default from the file.")] = None,
    *,
    tz: TimeZone = None,
    epoch_tz: EpochTimeZone = None,
    stamp: StampOption = Stamped.OPEN,
    hours: HoursOption = Covered.ALL,
    provider: Annotated[str, typer.Option(help="Who supplied the file.")] = "files",
    keep: Annotated[bool, typer.Option("--keep", help="Keep the last demo's database.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import bars (or simulate some), grade six strategies with three parameter sets each, and show the table."""
    from cli.demo.home import demo_home
    from cli.demo.run import BarsFile, run_demo
    from cli.demo.table import as_plain, show

    file = BarsFile(bars, symbol, tz, epoch_tz, stamp.value, hours.value, provider) if bars is not None else None
    with demo_home(keep=keep) as home:
        outcome = run_demo(home, file, symbol=symbol)
    if as_json:
        print_json(as_plain(outcome))
    else:
        show(outcome)
    if outcome.failed:
        note(f"{counted(outcome.failed, 'bot')} could not be graded.")
        sys.exit(1)
