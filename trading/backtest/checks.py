"""Every guard and every analyzer of one backtest: grading and `gantry backtest` both ask here."""

from trading.backtest.analyzers import run_analyzers
from trading.backtest.findings import Finding
from trading.backtest.guards import run_guards
from trading.backtest.types import BacktestResult, Costs
from trading.bars.series import Window
from trading.instruments import Instrument
from trading.strategies.base import Params, Strategy


def run_checks(
    windows: tuple[Window, ...],
    strategy: Strategy,
    params: Params,
    instrument: Instrument,
    costs: Costs,
    result: BacktestResult,
) -> tuple[Finding, ...]:
    """Return what the guards find of the strategy and the analyzers of the result, one finding a check.

    Raises:
        GantryError: STRATEGY_ERROR when the strategy raises on the bars as they are.

    """
    guards = run_guards(windows, strategy, params, instrument, result)
    return (*guards, *run_analyzers(windows, costs, result))
