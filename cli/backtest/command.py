"""`gantry backtest`: one backtest of one file, without a database."""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.options import (
    Covered,
    EpochTimeZone,
    HoursOption,
    Stamped,
    StampOption,
    TimeZone,
    member_of,
    parameters_of,
)
from core.errors import invalid

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class EngineChoice(StrEnum):
    """Which of vectorbt's two simulators runs; auto takes rust where it is installed."""

    AUTO = "auto"
    RUST = "rust"
    NUMBA = "numba"


@app.command()
def backtest(  # noqa: PLR0913 - one argument an option
    bars: Annotated[Path, typer.Option(help="Bars: DBN, Parquet or CSV (.gz), one minute each.")],
    symbol: Annotated[str, typer.Option(help="Instrument, such as ES.")],
    strategy: Annotated[str, typer.Option(help="Name of a strategy.")],
    *,
    out: Annotated[Path | None, typer.Option(help="JSON file to write.")] = None,
    html: Annotated[Path | None, typer.Option(help="HTML page to write: one file, with charts.")] = None,
    no_guards: Annotated[
        bool, typer.Option("--no-guards", help="Don't check that the strategy reads no later bars: it proves nothing.")
    ] = False,
    param: Annotated[list[str] | None, typer.Option(help="A strategy parameter, k=v; may be repeated.")] = None,
    slippage_ticks: Annotated[int, typer.Option(help="Slippage of market and stop fills, in ticks.")] = 1,
    commission: Annotated[
        str | None, typer.Option(help="USD per contract and side; the instrument's by default.")
    ] = None,
    contracts: Annotated[int, typer.Option(help="Contracts per position.")] = 1,
    engine: Annotated[EngineChoice, typer.Option(help="vectorbt's simulator.")] = EngineChoice.AUTO,
    timeframe: Annotated[str, typer.Option(help="1m, 5m, 15m, 30m, 1h or 1d.")] = "1m",
    tz: TimeZone = None,
    epoch_tz: EpochTimeZone = None,
    stamp: StampOption = Stamped.OPEN,
    hours: HoursOption = Covered.ALL,
) -> None:
    """Backtest a strategy on the bars of a file: guarded as every bot is, and shown, as JSON and as a page."""
    from cli.backtest.shown import UNGUARDED, lines
    from cli.console import note, say
    from core.clock import utc_now
    from core.settings import get_settings
    from services.backtests.from_file import FileBacktest, backtest_file, write_report
    from trading.backtest.types import Costs
    from trading.bars.schema import Timeframe
    from trading.instruments import get_instrument

    default = get_instrument(symbol).commission_usd
    report = backtest_file(
        FileBacktest(
            path=bars,
            symbol=symbol,
            strategy=strategy,
            params=parameters_of(param or []),
            costs=Costs(slippage_ticks, default if commission is None else _usd(commission), contracts),
            engine=engine.value,
            timeframe=member_of(Timeframe, timeframe, field="timeframe"),
            tz=tz,
            epoch_tz=epoch_tz,
            stamp=stamp.value,
            hours=hours.value,
            guarded=not no_guards,
        ),
        now=utc_now(),
        min_sessions=get_settings().min_sessions_for_grading,
    )
    if out:
        write_report(report, out)
    if html:
        from cli.backtest.page import write_page

        write_page(report, html)
    for line in lines(report):
        say(line)
    for path in filter(None, (out, html)):
        say(f"Written: {path}")
    if no_guards:
        note(UNGUARDED)


def _usd(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise invalid(f"--commission {text!r} isn't a number.", fix="Use a number: 2.25.", field="commission") from None
