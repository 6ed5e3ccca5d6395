"""Running a strategy over windows: what it sees, what happens when it fails, how windows join."""

import json
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from tests.factories.windows import MINUTE_NS, START_NS, decisions_of, window_of
from trading.backtest.engine import simulate
from trading.backtest.run import engine_version, run_backtest
from trading.backtest.types import Costs, ExitReason, Trades
from trading.backtest.view import market_view
from trading.bars.series import Roll, Window
from trading.instruments import get_instrument
from trading.strategies.base import Decisions, MarketView, Params, Strategy
from trading.strategies.registry import get_strategy

ES = get_instrument("ES")
COSTS = Costs(1, Decimal("2.25"))


@dataclass(frozen=True, slots=True)
class NoParams(Params):
    """None."""


class Scripted(Strategy):
    """Decides what it was given, or raises it."""

    name = "scripted"
    label = "Scripted"
    params_type = NoParams

    def __init__(self, script: Exception | Decisions | list[int]) -> None:
        self.script = script

    def warmup(self, params: Params) -> int:  # noqa: ARG002 - the base class's signature
        return 0

    def decide(self, view: MarketView, params: Params) -> Decisions:  # noqa: ARG002 - the same
        if isinstance(self.script, Exception):
            raise self.script
        if isinstance(self.script, Decisions):
            return self.script
        return decisions_of((self.script * len(view))[: len(view)])


def level(*ticks: int, start_ns: int = START_NS, rolls: tuple[Roll, ...] = ()) -> Window:
    return window_of([(tick, tick, tick, tick) for tick in ticks], start_ns=start_ns, rolls=rolls)


def run(script: Exception | Decisions | list[int], *windows: Window, costs: Costs = COSTS) -> ErrorCode:
    with pytest.raises(GantryError) as caught:
        run_backtest(windows or (level(1, 2, 3),), Scripted(script), NoParams(), ES, costs)
    assert caught.value.fix
    return caught.value.code


def test_a_strategy_that_raises_is_a_strategy_error_that_names_it() -> None:
    with pytest.raises(GantryError) as caught:
        run_backtest((level(1, 2),), Scripted(ZeroDivisionError("by nothing")), NoParams(), ES, COSTS)
    assert caught.value.code is ErrorCode.STRATEGY_ERROR
    assert "scripted raised ZeroDivisionError: by nothing" in caught.value.message
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


class Dividing(Scripted):
    """Divides by zero, or fails inside a library."""

    def decide(self, view: MarketView, params: Params) -> Decisions:  # noqa: ARG002 - the base class's signature
        if self.script:
            json.loads("{")
        return decisions_of([1 // len(self.script)])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("script", "what", "offset"),
    [([], "ZeroDivisionError: integer division or modulo by zero", 3), ([1], "JSONDecodeError: Expecting", 2)],
)
def test_what_a_strategy_raises_is_a_whole_sentence_with_the_file_and_line_of_the_strategy(
    script: list[int], what: str, offset: int
) -> None:
    with pytest.raises(GantryError) as caught:
        run_backtest((level(1, 2),), Dividing(script), NoParams(), ES, COSTS)
    line = Dividing.decide.__code__.co_firstlineno + offset
    assert caught.value.message.startswith(f"Strategy scripted raised {what}")
    assert caught.value.message.endswith(f" (test_run.py, line {line}).")
    assert "bot" not in caught.value.fix


class Exiting(Scripted):
    """Ends the process it runs in."""

    def decide(self, view: MarketView, params: Params) -> Decisions:  # noqa: ARG002 - the base class's signature
        raise SystemExit(3)


class UnreadableError(Exception):
    """Raises when it is shown."""

    def __str__(self) -> str:
        raise ValueError


class Undecided(Scripted):
    """Returns nothing."""

    def decide(self, view: MarketView, params: Params) -> Decisions:  # noqa: ARG002 - the base class's signature
        return None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (Exiting([]), "raised SystemExit: 3"),
        (Scripted(UnreadableError()), "raised UnreadableError: (its message can't be read)"),
        (Undecided([]), "returned NoneType, not Decisions."),
    ],
)
def test_whatever_a_strategy_does_instead_of_deciding_is_its_error(strategy: Strategy, message: str) -> None:
    with pytest.raises(GantryError) as caught:
        run_backtest((level(1, 2),), strategy, NoParams(), ES, COSTS)
    assert caught.value.code is ErrorCode.STRATEGY_ERROR
    assert message in caught.value.message


@pytest.mark.parametrize(
    "decisions",
    [
        decisions_of([1, 0]),
        decisions_of([1, 0, 3]),
        decisions_of([1, 0, -2]),
        decisions_of([1, 0, 0], stop=-1),
        decisions_of([1, 0, 0], take=2**31),
        Decisions(np.zeros(3, dtype=np.int64)),
        Decisions(np.zeros(3, dtype=np.int8), stop_ticks=np.zeros(2, dtype=np.int64)),
        Decisions(np.zeros(3, dtype=np.int8), target_ticks=np.zeros(3)),  # type: ignore[arg-type]
    ],
)
def test_impossible_decisions_are_a_strategy_error(decisions: Decisions) -> None:
    assert run(decisions) is ErrorCode.STRATEGY_ERROR


@pytest.mark.parametrize(
    "costs",
    [
        Costs(-1, Decimal(1)),
        Costs(20_000, Decimal(1)),
        Costs(1, Decimal(-1)),
        Costs(1, Decimal("NaN")),
        Costs(1, Decimal("0.00001")),
        Costs(1, Decimal(1), 0),
        Costs(1, Decimal(1), 2_000_000),
    ],
)
def test_impossible_costs_are_refused(costs: Costs) -> None:
    assert run([0], costs=costs) is ErrorCode.VALIDATION_FAILED


def test_prices_that_vectorbt_cannot_compute_exactly_are_refused() -> None:
    assert run([1], level(1, 2**31)) is ErrorCode.VALIDATION_FAILED


def test_no_bars_are_data_unavailable() -> None:
    assert run([0], level()) is ErrorCode.DATA_UNAVAILABLE


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(GantryError, match="Unknown engine"):
        simulate(level(1, 2), decisions_of([1, 0]), ES, COSTS, is_last_window=True, engine="abacus")


def test_windows_join_end_to_end_and_only_the_last_may_stay_open() -> None:
    windows = (level(100, 100, 110), level(), level(500, 500, 500, start_ns=START_NS + 10 * MINUTE_NS))
    result = run_backtest(windows, Scripted([1]), NoParams(), ES, COSTS)
    assert result.trades.reason.tolist() == [ExitReason.WINDOW_END]
    assert result.trades.exit_bar.tolist() == [2]
    assert result.trades.net_e4.tolist() == [8 * 125_000 - 45_000]
    assert result.open_position is not None
    assert len(result.ts) == 6
    assert np.all(np.diff(result.ts) > 0)
    assert result.equity_e4[2:].tolist() == [
        955_000,
        955_000,
        955_000 - 125_000 - 22_500,
        955_000 - 125_000 - 22_500,
    ]


def test_net_of_trades_and_the_open_position_add_up_to_the_last_equity() -> None:
    rng = np.random.default_rng(3)
    window = level(*(20_000 + np.cumsum(rng.integers(-5, 6, 3000))).tolist())
    strategy = get_strategy("sma_cross")
    result = run_backtest((window,), strategy, strategy.parse({}), ES, COSTS)
    assert result.open_position is not None
    assert int(result.trades.net_e4.sum()) + result.open_position.unrealized_e4 == result.equity_e4[-1]


def test_the_same_run_gives_the_same_result_bit_for_bit() -> None:
    rng = np.random.default_rng(4)
    window = level(*(20_000 + np.cumsum(rng.integers(-5, 6, 3000))).tolist())
    strategy = get_strategy("rsi_reversion")
    first, second = (run_backtest((window,), strategy, strategy.parse({}), ES, COSTS) for _ in range(2))
    assert len(first.trades) > 5
    for name in Trades.__slots__:
        assert np.array_equal(getattr(first.trades, name), getattr(second.trades, name))
    assert np.array_equal(first.equity_e4, second.equity_e4)


def test_a_strategy_sees_roll_adjusted_prices_anchored_on_the_first_contract() -> None:
    view = market_view(level(100, 101, 130, 131, rolls=(Roll(2, "C0", "C1", 102, 28),)), ES)
    assert view.close.tolist() == [25.0, 25.25, 25.5, 25.75]


def test_a_window_without_rolls_shows_the_floats_of_its_bars() -> None:
    euro = get_instrument("6E")
    window = window_of([(21_934, 21_935, 21_933, 21_934)] * 3, instrument=euro)
    assert market_view(window, euro).close.tobytes() == window.bars.close.tobytes()


def test_a_strategy_cannot_write_into_what_others_see() -> None:
    window = level(100, 101)
    view = market_view(window, ES)
    assert market_view(window, ES) is view
    with pytest.raises(ValueError, match="read-only"):
        view.close[0] = 1.0
    assert window.bars.close.flags.writeable


def test_a_session_is_ending_from_the_bar_before_its_last_on() -> None:
    view = market_view(level(*([100] * 1100), start_ns=START_NS // (1000 * MINUTE_NS) * (1000 * MINUTE_NS)), ES)
    assert np.flatnonzero(view.session_ending).tolist() == [998, 999]


def test_the_engine_version_names_vectorbt_and_the_convention() -> None:
    assert engine_version() == "vectorbt-1.2.0+convention-1"
