"""One bot's backtest, computed: bars, windows, engine, guards. No transaction is open meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.errors import ErrorCode, GantryError, invalid
from fleet.closed_sets import DataLabel
from integrations.store import BarsStore
from services import bars as bars_service
from services.bars import LoadedBars
from services.fetching import hole, why_missing
from sql.engine import Transactions
from sql.tables.bots import Bot, BotVersion
from trading import metrics
from trading.backtest import findings
from trading.backtest.analyzers import run_analyzers
from trading.backtest.guards import run_guards
from trading.backtest.run import run_backtest
from trading.backtest.types import BacktestResult, Costs
from trading.bars.front import windows
from trading.bars.schema import Timeframe
from trading.bars.series import Window
from trading.instruments import get_instrument
from trading.metrics import DayPoint, Metrics
from trading.strategies.registry import get_strategy


@dataclass(frozen=True, slots=True)
class BarsKey:
    """Which bars a bot is graded on; bots with the same key share one reading of them."""

    symbol: str
    timeframe: str
    start: str | None
    end: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a bot's version says to run, read once at the claim. fault: why its row can't be read."""

    bot_id: UUID
    bars: BarsKey
    strategy: str
    params: Mapping[str, Any]
    costs: Costs
    fault: GantryError | None = None


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


def plan_of(bot: Bot, version: BotVersion) -> Plan:
    """Read what to run from stored rows; one that can't be read fails its own job, never the claim of others."""
    try:
        costs, window = version.costs, version.window
        return Plan(
            bot.id,
            BarsKey(bot.symbol, bot.timeframe, window["start"], window["end"]),
            version.strategy,
            dict(version.params),
            Costs(int(costs["slippage_ticks"]), Decimal(costs["commission_usd"]), int(costs["contracts"])),
        )
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        fault = invalid(
            f"Version {version.number} of the bot can't be read: {type(error).__name__}: {error}.",
            fix="Make a new version: PATCH the bot's parameters, costs and window.",
        )
        key = BarsKey(bot.symbol, bot.timeframe, *_ends(version.window))
        return Plan(bot.id, key, version.strategy, {}, Costs(0, Decimal(0), 1), fault)


def _ends(window: object) -> tuple[str | None, str | None]:
    """Return as much of a window as can be read: what else is wrong with a version, its bars are what they are."""
    found = window if isinstance(window, Mapping) else {}
    start, end = found.get("start"), found.get("end")
    return start if isinstance(start, str) else None, end if isinstance(end, str) else None


def load(tx: Transactions, store: BarsStore, key: BarsKey) -> Material:
    """Read bars and make windows of them.

    Raises:
        GantryError: DATA_UNAVAILABLE or DATA_QUALITY_FAILED; where a provider was asked in vain, what it failed with.

    """
    try:
        loaded = bars_service.load_bars(
            tx, store, key.symbol, timeframe=Timeframe(key.timeframe), start=key.start, end=key.end
        )
    except GantryError as error:
        why = why_missing(tx, key.symbol, key.start, key.end) if error.code is ErrorCode.DATA_UNAVAILABLE else None
        raise (why or error) from error
    missing = hole(tx, key.symbol, key.start, key.end)
    if missing is not None:
        raise missing
    return Material(loaded, windows(loaded.bars, get_instrument(key.symbol)))


def compute(plan: Plan, material: Material) -> Computed:
    """Run the backtest, its guards and its analyzers.

    Raises:
        GantryError: STRATEGY_ERROR, VALIDATION_FAILED or DATA_UNAVAILABLE.

    """
    if plan.fault is not None:
        raise plan.fault
    strategy = get_strategy(plan.strategy)
    params = strategy.parse(plan.params)
    instrument = get_instrument(plan.bars.symbol)
    result = run_backtest(material.windows, strategy, params, instrument, plan.costs)
    asked = (material.windows, strategy, params, instrument, plan.costs, result)
    analysis = findings.as_json((*run_guards(*asked), *run_analyzers(*asked)))
    return Computed(result, metrics.from_result(result), metrics.daily_points(result), analysis)


def label_of(material: Material | None) -> DataLabel | None:
    """Return the label of the bars, None where none were read."""
    return material.loaded.label if material else None
