"""One bot's backtest, computed: bars, windows, engine, guards. No transaction is open meanwhile."""

from dataclasses import dataclass

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import DataLabel
from fleet.grading_bars import MIN_SESSIONS
from integrations.store import BarsStore
from services.bars.load import LoadedBars, load_bars
from services.jobs.plan import BarsKey, Plan
from services.supply.missing import hole, why_missing
from sql.engine import Transactions
from trading import metrics
from trading.backtest import findings
from trading.backtest.checks import run_checks
from trading.backtest.run import run_backtest
from trading.backtest.types import BacktestResult
from trading.bars.front import windows
from trading.bars.schema import Timeframe
from trading.bars.series import Window
from trading.metrics import DayPoint, Metrics
from trading.strategies.registry import get_strategy


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Bars as loaded, and the windows made of them."""

    loaded: LoadedBars
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """All that a backtest led to, ready to be written."""

    result: BacktestResult
    metrics: Metrics
    days: tuple[DayPoint, ...]
    analysis: dict[str, dict[str, object]]


def load_material(tx: Transactions, store: BarsStore, key: BarsKey, *, min_sessions: int = MIN_SESSIONS) -> Material:
    """Read bars and make windows of them. min_sessions: of real bars, else simulated ones are read.

    Raises:
        GantryError: DATA_UNAVAILABLE or DATA_QUALITY_FAILED; where a provider failed, its error.

    """
    try:
        loaded = load_bars(
            tx,
            store,
            key.symbol,
            timeframe=Timeframe(key.timeframe),
            start=key.start,
            end=key.end,
            min_sessions=min_sessions,
        )
    except GantryError as error:
        why = why_missing(tx, key.symbol, key.start, key.end) if error.code is ErrorCode.DATA_UNAVAILABLE else None
        raise (why or error) from error
    missing = hole(tx, key.symbol, key.start, key.end)
    if missing is not None:
        raise missing
    return Material(loaded, windows(loaded.bars, loaded.instrument))


def compute(plan: Plan, material: Material) -> Computed:
    """Run the backtest, its guards and its analyzers.

    Raises:
        GantryError: STRATEGY_ERROR, VALIDATION_FAILED or DATA_UNAVAILABLE.

    """
    if plan.fault is not None:
        raise plan.fault
    strategy = get_strategy(plan.strategy)
    params = strategy.parse(plan.params)
    instrument = material.loaded.instrument
    result = run_backtest(material.windows, strategy, params, instrument, plan.costs)
    found = run_checks(material.windows, strategy, params, instrument, plan.costs, result)
    return Computed(result, metrics.from_result(result), metrics.daily_points(result), findings.as_json(found))


def label_of(material: Material | None) -> DataLabel | None:
    """Return the label of the bars, None where none were read."""
    return material.loaded.label if material else None
