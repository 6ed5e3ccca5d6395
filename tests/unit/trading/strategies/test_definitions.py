"""Each strategy equals its definition, written out a second time without any speed."""

import numpy as np
import pytest

from tests.factories import strategy_definitions as definitions
from tests.factories.walks import view_of_walk
from trading.backtest.guards import first_bars
from trading.strategies.base import FLAT, HOLD, LONG, SHORT, MarketView
from trading.strategies.registry import get_strategy

SEEDS = range(6)


@pytest.fixture(params=SEEDS)
def view(request: pytest.FixtureRequest) -> MarketView:
    """A walk; every other one of the euro, whose prices aren't exact in binary, and with many equal closes."""
    seed: int = request.param
    return view_of_walk(0.95, seed, symbol="6E" if seed % 2 else "ES", step=1 + seed % 3)


def decided(name: str, view: MarketView, **raw: object) -> list[int]:
    strategy = get_strategy(name)
    target: list[int] = strategy.decide(view, strategy.parse(raw)).target.tolist()
    return target


@pytest.mark.parametrize(("fast", "slow"), [(1, 2), (3, 10), (20, 100)])
def test_sma_cross_decides_where_the_exact_averages_cross(view: MarketView, fast: int, slow: int) -> None:
    assert decided("sma_cross", view, fast=fast, slow=slow) == definitions.sma_cross(view, fast, slow)


@pytest.mark.parametrize(("period", "lower", "upper"), [(14, 30.0, 70.0), (5, 25.0, 60.0)])
def test_rsi_reversion_decides_where_wilders_index_leaves_its_band(
    view: MarketView, period: int, lower: float, upper: float
) -> None:
    found = decided("rsi_reversion", view, period=period, lower=lower, upper=upper)
    assert found == definitions.rsi_reversion(view, period, lower, upper)


@pytest.mark.parametrize("channel", [2, 7, 60])
@pytest.mark.parametrize("seed", SEEDS)
def test_donchian_breakout_decides_where_the_close_leaves_the_channel_by_day(seed: int, channel: int) -> None:
    view = view_of_walk(0.96, seed, step=1 + seed % 3)  # past 14:59 in Chicago, where it becomes flat
    found = decided("donchian_breakout", view, channel=channel)
    assert found == definitions.donchian_breakout(view, channel, (8 * 60 + 30, 14 * 60 + 45), 14 * 60 + 59)
    assert FLAT in found
    assert channel == 60 or {LONG, SHORT} <= set(found)


@pytest.mark.parametrize(("period", "width"), [(2, 0.5), (9, 1.3), (40, 2.0)])
def test_bollinger_reversion_decides_at_the_bands_and_at_the_mean(view: MarketView, period: int, width: float) -> None:
    found = decided("bollinger_reversion", view, period=period, width=width)
    assert found == definitions.bollinger_reversion(view, period, width)


@pytest.mark.parametrize(("lookback", "atr_period", "threshold"), [(4, 9, 1.1), (30, 14, 3.3)])
def test_atr_momentum_decides_where_the_move_outgrows_the_range(
    view: MarketView, lookback: int, atr_period: int, threshold: float
) -> None:
    found = decided("atr_momentum", view, lookback=lookback, atr_period=atr_period, threshold=threshold)
    assert found == definitions.atr_momentum(view, lookback, atr_period, threshold)


@pytest.mark.parametrize(("min_bars", "width"), [(1, 0.7), (30, 1.9)])
def test_vwap_reversion_decides_at_the_bands_and_at_the_average(view: MarketView, min_bars: int, width: float) -> None:
    found = decided("vwap_reversion", view, min_bars=min_bars, width=width)
    assert found == definitions.vwap_reversion(view, min_bars, width)


def test_vwap_begins_anew_with_every_session_and_is_flat_at_its_end() -> None:
    view = view_of_walk(2.2, 5)
    ending = np.flatnonzero(view.session_ending)
    late = first_bars(view, int(ending[0]) + 200)
    found = decided("vwap_reversion", late, min_bars=20, width=1.0)
    assert found == definitions.vwap_reversion(late, 20, 1.0)
    assert [found[i] for i in ending.tolist() if i < len(late)] == [FLAT] * int((ending < len(late)).sum())


def test_the_bracket_of_atr_momentum_is_the_range_of_the_deciding_bar(view: MarketView) -> None:
    strategy = get_strategy("atr_momentum")
    decisions = strategy.decide(view, strategy.parse({"atr_period": 7, "stop_atr": 2.1, "target_atr": 3.7}))
    atr = definitions.average_true_range(view, 7)
    assert decisions.stop_ticks is not None
    assert decisions.target_ticks is not None
    for i in range(60, len(view)):
        assert decisions.stop_ticks[i] == max(1, round(2.1 * atr[i]))
        assert decisions.target_ticks[i] == max(1, round(3.7 * atr[i]))


def test_a_target_of_no_ranges_leaves_the_stop_alone(view: MarketView) -> None:
    strategy = get_strategy("atr_momentum")
    assert strategy.decide(view, strategy.parse({"target_atr": 0})).target_ticks is None


@pytest.mark.parametrize(
    ("closes", "lower", "upper", "decision"),
    [
        # Changes +1 +1 -1 | +2: averages of three 2/3 and 1/3, RSI 66.7; then 10/9 and 2/9, RSI 83.3.
        ([10, 11, 12, 11, 13], 30.0, 70.0, SHORT),
        ([10, 11, 12, 11, 13], 30.0, 83.4, HOLD),
        ([10, 11, 12, 11, 13], 30.0, 66.6, HOLD),  # above it before already
        ([13, 12, 11, 12, 10], 30.0, 70.0, LONG),
        ([5, 5, 5, 5, 6], 30.0, 70.0, SHORT),  # 50 where nothing moved, then 100
        ([5, 5, 5, 5, 5], 50.0, 51.0, HOLD),
    ],
)
def test_rsi_of_a_hand_worked_series_is_known(closes: list[int], lower: float, upper: float, decision: int) -> None:
    from trading.strategies.kernels import rsi_reversion

    prices = np.array(closes) * 0.25
    assert rsi_reversion(prices, 0.25, 3, lower, upper).tolist() == [HOLD, HOLD, HOLD, HOLD, decision]
