"""One backtest: windows in, strategy asked, vectorbt run, one result out."""

import traceback
from dataclasses import fields, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from core.errors import ErrorCode, GantryError, data_unavailable
from trading.backtest import engine as vectorbt_path
from trading.backtest.convention import CONVENTION_VERSION, check_costs
from trading.backtest.types import BacktestResult, Costs, Trades
from trading.backtest.view import market_view
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.strategies.base import Decisions, MarketView, Params, Strategy


@cache
def engine_version() -> str:
    """Name what decides the numbers: vectorbt's version and the convention's."""
    return f"vectorbt-{version('vectorbt')}+convention-{CONVENTION_VERSION}"


def run_backtest(
    windows: tuple[Window, ...],
    strategy: Strategy,
    params: Params,
    instrument: Instrument,
    costs: Costs,
    *,
    engine: str = "auto",
) -> BacktestResult:
    """Run a strategy over windows in order and return one result.

    engine: "rust", "numba" or "auto" (rust where installed). The same arguments give the same result, bit for bit.

    Raises:
        GantryError: DATA_UNAVAILABLE without a bar; STRATEGY_ERROR when the strategy raises or decides something
            impossible; VALIDATION_FAILED for impossible costs or an unknown engine.

    """
    check_costs(costs)
    kept = tuple(window for window in windows if len(window))
    if not kept:
        raise data_unavailable("There are no bars to run on.", fix="Import bars, or widen the window.")
    results = [
        vectorbt_path.simulate(
            window,
            decide(strategy, params, market_view(window, instrument)),
            instrument,
            costs,
            is_last_window=window is kept[-1],
            engine=engine,
        )
        for window in kept
    ]
    return join(results)


def decide(strategy: Strategy, params: Params, view: MarketView) -> Decisions:
    """Ask the strategy, turning whatever it raises, and what is not a decision, into STRATEGY_ERROR."""
    try:
        decisions: object = strategy.decide(view, params)
    except GantryError:
        raise
    except (Exception, SystemExit) as problem:  # a strategy that calls exit() must not end its worker
        kind = type(problem).__name__
        raise _strategy_error(strategy, _raised(strategy, problem), exception=kind) from problem
    if not isinstance(decisions, Decisions):
        raise _strategy_error(strategy, f"returned {type(decisions).__name__}, not Decisions.")
    return decisions


def _strategy_error(strategy: Strategy, what: str, **facts: object) -> GantryError:
    return GantryError(
        ErrorCode.STRATEGY_ERROR,
        f"Strategy {strategy.name} {what}",
        fix="Fix the strategy, or change its parameters, then run the backtest again.",
        facts={"strategy": strategy.name, **facts},
    )


def _raised(strategy: Strategy, problem: BaseException) -> str:
    """Say what was raised, and by which line of the strategy: the innermost in its file, else the innermost of all."""
    own = type(strategy).decide.__code__.co_filename
    frames = traceback.extract_tb(problem.__traceback__)[1:]  # the first is `decide` of this module
    frame = next((frame for frame in reversed(frames) if frame.filename == own), frames[-1] if frames else None)
    place = "" if frame is None else f" ({Path(frame.filename).name}, line {frame.lineno})"
    message = _message_of(problem).rstrip(" .\n")
    return f"raised {type(problem).__name__}{': ' if message else ''}{message}{place}."


def _message_of(problem: BaseException) -> str:
    try:
        return str(problem)
    except Exception:  # noqa: BLE001 - the strategy's own exception, whose text is its code too
        return "(its message can't be read)"


def join(results: list[BacktestResult]) -> BacktestResult:
    """Lay the results of consecutive windows end to end; equity goes on where the one before ended."""
    if len(results) == 1:
        return results[0]
    parts: list[Trades] = []
    equity, bars, profit = [], 0, 0
    for result in results:
        trades = result.trades
        parts.append(replace(trades, entry_bar=trades.entry_bar + bars, exit_bar=trades.exit_bar + bars))
        equity.append(result.equity_e4 + profit)
        bars += len(result.ts)
        profit = int(equity[-1][-1])
    columns = {spec.name: np.concatenate([getattr(part, spec.name) for part in parts]) for spec in fields(Trades)}
    return BacktestResult(
        trades=Trades(**columns),
        ts=np.concatenate([result.ts for result in results]),
        session=np.concatenate([result.session for result in results]),
        equity_e4=np.concatenate(equity),
        open_position=results[-1].open_position,
        engine=results[-1].engine,
    )
