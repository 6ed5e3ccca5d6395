"""The convention by hand: each case worked out on paper, held by the oracle and by vectorbt alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import numpy as np
import pytest

from tests.factories.windows import decisions_of, window_of
from trading.backtest import engine, oracle
from trading.backtest.types import BacktestResult, Costs, ExitReason
from trading.bars.series import Roll, Window
from trading.instruments import Instrument, get_instrument
from trading.strategies.base import Decisions

ES = get_instrument("ES")  # 12.50 USD a tick
COSTS = Costs(1, Decimal("2.25"))


class Simulate(Protocol):
    def __call__(
        self, window: Window, decisions: Decisions, instrument: Instrument, costs: Costs, *, is_last_window: bool
    ) -> BacktestResult: ...


@pytest.fixture(params=["oracle", "vectorbt"])
def simulate(request: pytest.FixtureRequest) -> Simulate:
    return oracle.simulate if request.param == "oracle" else engine.simulate


@dataclass(frozen=True)
class Trip:
    """Side, entry and exit bar, entry and exit ticks, reason."""

    side: int
    entry_bar: int
    exit_bar: int
    entry: int
    exit: int
    reason: ExitReason


def trips(result: BacktestResult) -> list[Trip]:
    t = result.trades
    columns = (t.side, t.entry_bar, t.exit_bar, t.entry_ticks, t.exit_ticks, t.reason)
    return [
        Trip(side, entry_bar, exit_bar, entry, leave, ExitReason(reason))
        for side, entry_bar, exit_bar, entry, leave, reason in np.column_stack(columns).tolist()
    ]


def quiet(*levels: int) -> list[tuple[int, int, int, int]]:
    """Bars that don't move: open = high = low = close."""
    return [(level, level, level, level) for level in levels]


def run(simulate: Simulate, rows: Sequence[tuple[int, int, int, int]], decisions: Decisions) -> BacktestResult:
    return simulate(window_of(rows), decisions, ES, COSTS, is_last_window=True)


def test_a_signal_at_a_close_fills_at_the_next_open_slipped_against_the_trader(simulate: Simulate) -> None:
    result = run(simulate, quiet(100, 102, 110, 110), decisions_of([1, 0, 2, 0]))
    assert trips(result) == [Trip(1, 1, 3, 103, 109, ExitReason.FLATTEN)]
    assert result.trades.gross_e4.tolist() == [6 * 125_000]
    assert result.trades.commission_e4.tolist() == [45_000]
    assert result.trades.net_e4.tolist() == [6 * 125_000 - 45_000]


def test_equity_is_marked_at_each_close_with_commissions_as_paid(simulate: Simulate) -> None:
    result = run(simulate, quiet(100, 102, 110, 110), decisions_of([1, 0, 2, 0]))
    assert result.equity_e4.tolist() == [0, -125_000 - 22_500, 7 * 125_000 - 22_500, 6 * 125_000 - 45_000]


def test_a_reversal_closes_one_and_opens_the_other_at_the_same_open_and_pays_both(simulate: Simulate) -> None:
    result = run(simulate, quiet(100, 100, 105, 90), decisions_of([1, -1, 2, 0]))
    assert trips(result) == [
        Trip(1, 1, 2, 101, 104, ExitReason.REVERSAL),
        Trip(-1, 2, 3, 104, 91, ExitReason.FLATTEN),
    ]
    assert result.trades.commission_e4.tolist() == [45_000, 45_000]


def test_the_side_already_held_is_hold_and_flat_is_hold_when_flat(simulate: Simulate) -> None:
    result = run(simulate, quiet(100, 101, 102, 103, 104, 105), decisions_of([2, 1, 1, 1, 2, 2]))
    assert trips(result) == [Trip(1, 2, 5, 103, 104, ExitReason.FLATTEN)]


def test_entries_only_when_flat_ignore_signals_while_in_the_market(simulate: Simulate) -> None:
    result = run(simulate, quiet(100, 101, 102, 103, 104), decisions_of([1, -1, -1, 2, 0], only_when_flat=True))
    assert trips(result) == [Trip(1, 1, 4, 102, 103, ExitReason.FLATTEN)]


def test_a_decision_at_the_last_bar_fills_nothing_and_an_open_position_is_no_trade(simulate: Simulate) -> None:
    result = run(simulate, quiet(100, 100, 107), decisions_of([1, 0, -1]))
    assert trips(result) == []
    held = result.open_position
    assert held is not None
    assert (held.side, held.entry_ticks, held.contract) == (1, 101, "C0")
    assert held.unrealized_e4 == 6 * 125_000 - 22_500
    assert result.equity_e4[-1] == held.unrealized_e4


@pytest.mark.parametrize(
    ("bar", "leave", "reason"),
    [
        ((100, 101, 96, 100), 95, ExitReason.STOP),  # touched: the stop at 96, slipped to 95
        ((100, 101, 97, 100), None, None),  # one tick short of it
        ((94, 95, 93, 94), 93, ExitReason.STOP),  # gapped through: the open, slipped
        ((96, 96, 96, 96), 95, ExitReason.STOP),  # opened exactly on it
        ((100, 109, 99, 100), 109, ExitReason.TARGET),  # touched: the target itself, not slipped
        ((100, 108, 99, 100), None, None),
        ((112, 113, 111, 112), 112, ExitReason.TARGET),  # gapped: the better open, not slipped
        ((100, 109, 96, 100), 95, ExitReason.STOP),  # both after the open: the stop
        ((110, 111, 90, 100), 110, ExitReason.TARGET),  # opened beyond the target, then fell: filled at the open
    ],
)
def test_a_long_bracket_of_5_and_8_from_a_fill_of_101(
    simulate: Simulate, bar: tuple[int, int, int, int], leave: int | None, reason: ExitReason | None
) -> None:
    result = run(simulate, [*quiet(100, 100), bar], decisions_of([1, 0, 0], stop=5, take=8))
    expected = [] if leave is None or reason is None else [Trip(1, 1, 2, 101, leave, reason)]
    assert trips(result) == expected


@pytest.mark.parametrize(
    ("bar", "leave", "reason"),
    [
        ((100, 104, 99, 100), 105, ExitReason.STOP),
        ((106, 107, 105, 106), 107, ExitReason.STOP),
        ((100, 103, 91, 100), 91, ExitReason.TARGET),
        ((88, 89, 87, 88), 88, ExitReason.TARGET),
        ((100, 104, 91, 100), 105, ExitReason.STOP),
        ((90, 110, 89, 100), 90, ExitReason.TARGET),
    ],
)
def test_a_short_bracket_of_5_and_8_from_a_fill_of_99(
    simulate: Simulate, bar: tuple[int, int, int, int], leave: int, reason: ExitReason
) -> None:
    result = run(simulate, [*quiet(100, 100), bar], decisions_of([-1, 0, 0], stop=5, take=8))
    assert trips(result) == [Trip(-1, 1, 2, 99, leave, reason)]


def test_a_bracket_is_live_in_the_bar_of_its_entry(simulate: Simulate) -> None:
    result = run(simulate, [*quiet(100), (100, 100, 90, 95), *quiet(95)], decisions_of([1, 0, 0], stop=5, take=8))
    assert trips(result) == [Trip(1, 1, 1, 101, 95, ExitReason.STOP)]


def test_an_exit_inside_a_bar_does_not_mask_the_signal_at_its_close(simulate: Simulate) -> None:
    rows = [*quiet(100, 100), (100, 100, 90, 95), *quiet(95, 95)]
    result = run(simulate, rows, decisions_of([1, 0, -1, 0, 2], stop=5, take=50, only_when_flat=True))
    assert trips(result) == [Trip(1, 1, 2, 101, 95, ExitReason.STOP)]
    assert result.open_position is not None
    assert (result.open_position.side, result.open_position.entry_ticks) == (-1, 94)


def test_a_signal_given_while_in_the_market_stays_ignored_when_the_stop_gaps_at_its_open(simulate: Simulate) -> None:
    result = run(simulate, quiet(100, 100, 80, 80), decisions_of([1, 1, 0, 0], stop=5, only_when_flat=True))
    assert trips(result) == [Trip(1, 1, 2, 101, 79, ExitReason.STOP)]
    assert result.open_position is None


def test_a_reversal_due_at_an_open_beyond_the_bracket_fills_first_and_slipped(simulate: Simulate) -> None:
    result = run(simulate, quiet(100, 100, 120, 120), decisions_of([1, -1, 0, 0], stop=5, take=8))
    assert trips(result) == [Trip(1, 1, 2, 101, 119, ExitReason.REVERSAL)]
    assert result.open_position is not None
    assert (result.open_position.side, result.open_position.entry_ticks) == (-1, 119)


def test_a_reversal_takes_its_own_bracket_with_it(simulate: Simulate) -> None:
    rows = [*quiet(100, 100, 100), (100, 103, 100, 100), *quiet(100)]
    result = run(simulate, rows, decisions_of([1, -1, 0, 0, 0], stop=[9, 3, 0, 0, 0], take=[0, 50, 0, 0, 0]))
    assert trips(result) == [
        Trip(1, 1, 2, 101, 99, ExitReason.REVERSAL),
        Trip(-1, 2, 3, 99, 103, ExitReason.STOP),
    ]


ROLL = (Roll(2, "C0", "C1", 104, 26),)


def test_a_roll_closes_the_old_contract_at_its_price_and_opens_the_new_one_at_its_own(simulate: Simulate) -> None:
    rows = quiet(100, 100, 130, 140)
    result = simulate(window_of(rows, rolls=ROLL), decisions_of([1, 0, 0, 0]), ES, COSTS, is_last_window=True)
    assert trips(result) == [Trip(1, 1, 2, 101, 103, ExitReason.ROLL)]
    held = result.open_position
    assert held is not None
    assert (held.entry_ticks, held.contract) == (131, "C1")
    assert result.trades.contract.tolist() == [0]
    assert result.equity_e4[-1] == (2 + 9) * 125_000 - 3 * 22_500


def test_a_roll_anchors_the_same_bracket_anew_on_the_new_fill(simulate: Simulate) -> None:
    rows = [*quiet(100, 100, 130), (130, 131, 126, 130)]
    result = simulate(window_of(rows, rolls=ROLL), decisions_of([1, 0, 0, 0], stop=5), ES, COSTS, is_last_window=True)
    assert trips(result)[1] == Trip(1, 2, 3, 131, 125, ExitReason.STOP)


@pytest.mark.parametrize(
    ("decision", "reason", "side_after"),
    [(2, ExitReason.FLATTEN, 0), (-1, ExitReason.REVERSAL, -1), (1, ExitReason.ROLL, 1)],
)
def test_a_decision_due_at_the_roll_closes_the_old_contract_once(
    simulate: Simulate, decision: int, reason: ExitReason, side_after: int
) -> None:
    rows = quiet(100, 100, 130, 130)
    result = simulate(window_of(rows, rolls=ROLL), decisions_of([1, decision, 0, 0]), ES, COSTS, is_last_window=True)
    assert trips(result) == [Trip(1, 1, 2, 101, 103, reason)]
    held = result.open_position
    assert (held.side if held else 0) == side_after
    if held:
        assert held.entry_ticks == 130 + side_after


def test_a_window_that_is_not_the_last_ends_flat_at_the_open_of_its_last_bar(simulate: Simulate) -> None:
    rows = [*quiet(100, 100, 100), (106, 120, 90, 110)]
    result = simulate(window_of(rows), decisions_of([1, 0, -1, 1]), ES, COSTS, is_last_window=False)
    assert trips(result) == [Trip(1, 1, 3, 101, 105, ExitReason.WINDOW_END)]
    assert result.open_position is None


def test_prices_below_zero_trade_like_any_other(simulate: Simulate) -> None:
    crude = get_instrument("CL")
    rows = [*quiet(2, -40), (-40, -30, -60, -50), *quiet(-50)]
    result = simulate(
        window_of(rows, instrument=crude), decisions_of([-1, 0, 0, 0], take=10), crude, COSTS, is_last_window=True
    )
    assert trips(result) == [Trip(-1, 1, 2, -41, -51, ExitReason.TARGET)]
    assert result.trades.gross_e4.tolist() == [10 * 100_000]
