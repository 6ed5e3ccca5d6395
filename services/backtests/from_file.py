"""One backtest of one file, without database or providers: read, run, write JSON.

The file's bars go through the same reader, windows, strategies and engine as a bot's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from core.errors import invalid
from integrations.files.reader import read_options
from integrations.files.types import FileBars
from services.bars.read_file import judged, notes_on, read_file
from trading.backtest.run import run_backtest
from trading.backtest.types import E4, BacktestResult, Costs, ExitReason, OpenPosition
from trading.bars.front import windows
from trading.bars.hashing import content_hash
from trading.bars.resample import resample
from trading.bars.schema import Timeframe
from trading.day_session import Hours, instrument_of
from trading.instruments import Instrument, get_instrument
from trading.metrics import from_result
from trading.strategies.registry import get_strategy

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class FileBacktest:
    """What to run. params: raw values by name, texts allowed. tz, epoch_tz, stamp, hours: how the file is meant."""

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


@dataclass(frozen=True, slots=True)
class FileBacktestReport:
    """What came out. payload: the JSON document, money and prices as decimal texts. notes: sentences on the file."""

    trades: int
    net_pnl: str
    max_drawdown: str
    payload: Mapping[str, object]
    hours: Hours
    notes: tuple[str, ...]


def backtest_file(request: FileBacktest) -> FileBacktestReport:
    """Run one backtest on the bars of a file.

    Raises:
        GantryError: VALIDATION_FAILED, NOT_FOUND, DATA_UNAVAILABLE, DATA_QUALITY_FAILED or STRATEGY_ERROR.

    """
    get_instrument(request.symbol)
    strategy = get_strategy(request.strategy)
    params = strategy.parse(request.params)
    source = _source_of(request)
    bars, instrument = source.bars, instrument_of(request.symbol, source.hours)
    traded = bars if request.timeframe is Timeframe.M1 else resample(bars, request.timeframe, instrument)
    result = run_backtest(
        windows(traded, instrument), strategy, params, instrument, request.costs, engine=request.engine
    )
    figures = from_result(result)
    net, drawdown = _money(figures.net_pnl), _money(figures.max_drawdown_usd)
    payload = {
        "trades": _trades(result, instrument),
        "net_pnl": net,
        "max_drawdown": drawdown,
        "open_position": _open_position(result.open_position, instrument),
        "engine": result.engine,
        "bars_hash": content_hash(bars, instrument),
    }
    return FileBacktestReport(figures.total_trades, net, drawdown, payload, source.hours, notes_on([source]))


def write_report(report: FileBacktestReport, path: Path) -> None:
    """Write the JSON document whole: to a temporary name first, then renamed.

    Raises:
        GantryError: VALIDATION_FAILED when the file can't be written.

    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(json.dumps(report.payload, indent=1) + "\n")
        temporary.replace(path)
    except OSError as problem:
        temporary.unlink(missing_ok=True)
        raise invalid(
            f"{path} can't be written: {problem.strerror}.",
            fix="Use a file in a folder you may write to.",
            field="out",
        ) from problem


def _source_of(request: FileBacktest) -> FileBars:
    """The file's bars, which an import would take."""
    options = read_options(
        symbol=request.symbol,
        tz=request.tz,
        epoch_tz=request.epoch_tz,
        stamp=request.stamp,
        hours=request.hours,
    )
    (found,) = read_file(request.path, options)
    judged(found)
    return found


def _trades(result: BacktestResult, instrument: Instrument) -> list[dict[str, object]]:
    trades = result.trades
    columns = (
        trades.side,
        trades.qty,
        trades.entry_ns,
        trades.entry_ticks,
        trades.exit_ns,
        trades.exit_ticks,
        trades.gross_e4,
        trades.commission_e4,
        trades.net_e4,
        trades.reason,
    )
    return [
        {
            "side": _side(side),
            "qty": qty,
            "entry_at": _at(entry_ns),
            "entry_price": _price(entry, instrument),
            "exit_at": _at(exit_ns),
            "exit_price": _price(leave, instrument),
            "gross_pnl": _money_e4(gross),
            "commission": _money_e4(commission),
            "net_pnl": _money_e4(net),
            "exit_reason": ExitReason(reason).name,
        }
        for side, qty, entry_ns, entry, exit_ns, leave, gross, commission, net, reason in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def _open_position(held: OpenPosition | None, instrument: Instrument) -> dict[str, object] | None:
    if held is None:
        return None
    return {
        "side": _side(held.side),
        "qty": held.qty,
        "entry_at": _at(held.entry_ns),
        "entry_price": _price(held.entry_ticks, instrument),
        "contract": held.contract,
        "unrealized_pnl": _money_e4(held.unrealized_e4),
    }


def _side(side: int) -> str:
    return "LONG" if side > 0 else "SHORT"


def _at(ns: int) -> str:
    return (_EPOCH + timedelta(microseconds=ns // 1000)).isoformat().replace("+00:00", "Z")


def _price(ticks: int, instrument: Instrument) -> str:
    return format(ticks * instrument.tick_size, "f")


def _money_e4(amount_e4: int) -> str:
    return _money(Decimal(amount_e4) / E4)


def _money(usd: Decimal) -> str:
    """Cents, but four decimals where a tick is worth a fraction of a cent (ZN), so that trades still add up."""
    cents = usd.quantize(_CENT)
    return format(cents if cents == usd else usd.quantize(Decimal("0.0001")), "f")
