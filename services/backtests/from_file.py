"""One backtest of one file, without database or providers: read, run, check, write JSON.

The file's bars go through the same reader, windows, strategies, engine, guards and analyzers as a bot's.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from core.errors import ErrorCode, GantryError, invalid
from fleet.grading_bars import MIN_SESSIONS
from integrations.files.reader import read_options
from integrations.files.types import FileBars
from services.backtests import file_result as shown
from services.bars.caveats import caveats_of
from services.bars.files.read_file import JudgedMonth, fit_of, judged, label_of, notes_on, read_file
from services.code_version import code_version
from trading.backtest.analyzers import run_analyzers
from trading.backtest.checks import run_checks
from trading.backtest.findings import LOOK_AHEAD, Finding, disqualifying
from trading.backtest.run import engine_version, run_backtest
from trading.backtest.types import STARTING_CAPITAL_USD, BacktestResult, Costs
from trading.bars.front import windows
from trading.bars.hashing import content_hash
from trading.bars.resample import resample
from trading.bars.schema import Timeframe
from trading.bars.series import Window
from trading.day_session import Hours, instrument_of
from trading.digits import exact_usd_text
from trading.instruments import get_instrument
from trading.metrics import from_result
from trading.strategies.base import Params
from trading.strategies.registry import get_strategy


@dataclass(frozen=True, slots=True)
class FileBacktest:
    """What to run. params: raw values by name, texts allowed. tz, epoch_tz, stamp, hours: how the file is meant.

    guarded: whether the strategy must pass the guards; without them, its figures prove nothing.
    """

    path: Path
    symbol: str
    strategy: str
    params: Mapping[str, object]
    costs: Costs
    engine: str = "auto"
    timeframe: Timeframe = Timeframe.M1
    tz: str | None = None
    epoch_tz: str | None = None
    stamp: str = "open"
    hours: str = "all"
    guarded: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class FileBacktestReport:
    """What came out; net_pnl + open_pnl is the last equity.

    payload: the JSON document, money and prices as decimal texts. notes: sentences on the file. result, windows: what
    the document was made of, for charts.
    """

    trades: int
    net_pnl: str
    open_pnl: str
    max_drawdown: str
    payload: Mapping[str, object]
    hours: Hours
    notes: tuple[str, ...]
    result: BacktestResult
    windows: tuple[Window, ...]


def backtest_file(request: FileBacktest, *, now: datetime, min_sessions: int = MIN_SESSIONS) -> FileBacktestReport:
    """Run one backtest on the bars of a file.

    now: aware, UTC; no bar is missing after it. min_sessions: fewer are used too, and reported.

    Raises:
        GantryError: VALIDATION_FAILED, NOT_FOUND, DATA_UNAVAILABLE, DATA_QUALITY_FAILED or STRATEGY_ERROR; LOOK_AHEAD
            where a guard catches the strategy reading later bars.

    """
    get_instrument(request.symbol)
    strategy = get_strategy(request.strategy)
    params = strategy.parse(request.params)
    source, months = _source_of(request, now)
    instrument = instrument_of(request.symbol, source.hours)
    bars = source.bars
    traded = bars if request.timeframe is Timeframe.M1 else resample(bars, request.timeframe, instrument)
    made = windows(traded, instrument)
    result = run_backtest(made, strategy, params, instrument, request.costs, engine=request.engine)
    findings = (
        run_checks(made, strategy, params, instrument, request.costs, result)
        if request.guarded
        else run_analyzers(made, request.costs, result)
    )
    _refuse_disqualified(request.strategy, findings)
    figures, warnings = from_result(result), list(caveats_of(bars, instrument, min_sessions))
    net, held = exact_usd_text(figures.net_pnl), exact_usd_text(figures.open_pnl)
    drawdown = exact_usd_text(figures.max_drawdown_usd)
    payload = {
        **_asked(request, params, source),
        "window": shown.window_of(traded, result),
        "quality": shown.quality_of(months),
        "guards": shown.guards_of(findings),
        "analyzers": shown.analyzers_of(findings),
        "net_pnl": net,
        "open_pnl": held,
        "max_drawdown": drawdown,
        "metrics": shown.metrics_of(figures),
        "open_position": shown.open_position_of(result.open_position, instrument),
        "trades": shown.trades_of(result, instrument),
        "bars_hash": content_hash(bars, instrument),
        "engine": result.engine,
        "engine_version": engine_version(),
        "code_version": code_version(),
        "warnings": warnings,
    }
    notes = (*notes_on([source]), *warnings)
    return FileBacktestReport(figures.total_trades, net, held, drawdown, payload, source.hours, notes, result, made)


def _asked(request: FileBacktest, params: Params, source: FileBars) -> dict[str, object]:
    """What was to be run, on which bars."""
    return {
        "strategy": request.strategy,
        "params": asdict(params),
        "symbol": request.symbol,
        "timeframe": request.timeframe.value,
        "costs": shown.costs_of(request.costs),
        "capital": exact_usd_text(STARTING_CAPITAL_USD),
        "source": source.source_name,
        "data_label": label_of(source).value,
        "hours": source.hours.value,
    }


def _refuse_disqualified(strategy: str, findings: tuple[Finding, ...]) -> None:
    guard = disqualifying(findings)
    if guard is None:
        return
    raise GantryError(
        ErrorCode.LOOK_AHEAD if guard.name in LOOK_AHEAD else ErrorCode.STRATEGY_ERROR,
        f"Strategy {strategy} fails the guard {guard.name}. {guard.message}",
        fix="Let it decide from bars up to the one it decides at, or give --no-guards for figures that prove nothing.",
        facts={"guard": guard.name.value, "where": asdict(guard.where) if guard.where else None},
    )


def write_report(report: FileBacktestReport, path: Path) -> None:
    """Write the JSON document, as `write_whole` does."""
    write_whole(json.dumps(report.payload, indent=1) + "\n", path, option="out")


def write_whole(text: str, path: Path, *, option: str) -> None:
    """Write a text whole: to a temporary name first, then renamed. option: what named the file.

    Raises:
        GantryError: VALIDATION_FAILED when the file can't be written.

    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as problem:
        temporary.unlink(missing_ok=True)
        raise invalid(
            f"{path} can't be written: {problem.strerror}.",
            fix="Use a file in a folder you may write to.",
            field=option,
        ) from problem


def _source_of(request: FileBacktest, now: datetime) -> tuple[FileBars, tuple[JudgedMonth, ...]]:
    """The file's bars, which an import would take, but those it would put aside; and what it would judge of them."""
    options = read_options(
        symbol=request.symbol,
        tz=request.tz,
        epoch_tz=request.epoch_tz,
        stamp=request.stamp,
        hours=request.hours,
    )
    (found,) = read_file(request.path, options)
    months = judged(found, now)
    return fit_of(found, months), months
