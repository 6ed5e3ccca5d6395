"""Nobody beats the simulator: a sample of `python -m bench simulator`, which takes whole years."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from tests.factories.fair import BRACKETS, HOLDS, Cell, Ground, bracket_cell, ground_of, path_of, pooled, timed_cell
from tests.factories.moves import autocorrelation_z, daily_moves, monthly_moves, moves_of, range_ratio, together
from trading.bars.schema import IntArray
from trading.instruments import INSTRUMENTS, get_instrument

SYMBOLS = ("NQ", "ES", "CL", "GC", "6E")
SEED = 7
SIDES = (1, -1)


@cache
def ground(symbol: str) -> Ground:
    return ground_of(get_instrument(symbol), ("2024-01", "2024-02", "2024-03"), SEED)


@cache
def bracket_cells(symbol: str) -> tuple[Cell, ...]:
    return tuple(bracket_cell(ground(symbol), side, *bracket, seed=SEED) for bracket in BRACKETS for side in SIDES)


def scores(cells: Sequence[Cell]) -> list[float]:
    return [cell.z for cell in cells]


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_random_entries_win_nothing_with_any_bracket_on_either_side(symbol: str) -> None:
    cells = bracket_cells(symbol)
    assert min(cell.trades for cell in cells) > 400
    assert max(scores(cells)) < 4, {cell.name: cell.z for cell in cells}
    assert abs(pooled(symbol, cells).z) < 3


def test_all_brackets_together_cost_what_the_engines_rule_costs() -> None:
    every = [pooled(symbol, bracket_cells(symbol)) for symbol in SYMBOLS]
    assert abs(together(scores(every))) < 3
    widest = every[0]
    assert widest.rule > 10 * widest.error  # so that the engine's rule is seen to cost what the walk says
    assert widest.mean < -5 * widest.error


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_random_entries_win_nothing_when_they_leave_after_a_time(symbol: str) -> None:
    cells = [timed_cell(ground(symbol), side, bars, seed=SEED) for bars in HOLDS for side in SIDES]
    assert abs(pooled(symbol, cells).z) < 3, {cell.name: cell.z for cell in cells}


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("bars", [1, 5, 60])
def test_a_move_tells_nothing_of_the_next(symbol: str, bars: int) -> None:
    moves = moves_of(ground(symbol).window, bars)
    assert [lag for lag in (1, 2, 3) if abs(autocorrelation_z(moves, lag)) > 4] == []


def test_a_day_tells_nothing_of_the_next() -> None:
    every = [autocorrelation_z(daily_moves(ground(symbol).window)) for symbol in SYMBOLS]
    assert abs(together(every)) < 3


def test_a_month_tells_nothing_of_the_next_and_months_lead_nowhere() -> None:
    moves = [monthly_moves(instrument, seed) for instrument in INSTRUMENTS.values() for seed in range(2)]
    assert abs(together([autocorrelation_z(one) for one in moves])) < 3
    assert abs(together([float(one.sum() / np.sqrt(len(one))) for one in moves])) < 3
    assert np.concatenate(moves).std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("symbol", list(INSTRUMENTS))
def test_a_bars_range_is_as_wide_for_its_move_as_a_random_walks(symbol: str) -> None:
    (window,) = (ground_of(INSTRUMENTS[symbol], ("2024-03",), SEED).window,)
    assert 1.7 < range_ratio(window) < 2.3
    spread = window.high_ticks - window.low_ticks
    assert 0.5 < spread.mean() < 60


def test_every_bar_is_what_its_ticks_make_of_it() -> None:
    found = ground("ES")
    window = found.window

    def seen(bar: int) -> list[int]:
        path: IntArray = path_of(found, bar)
        assert (np.abs(np.diff(path)) == 1).all()
        return [int(path[0]), int(path.max()), int(path.min()), int(path[-1])]

    bars = np.random.default_rng(1).integers(0, len(window), 2_000).tolist()
    columns = (window.open_ticks, window.high_ticks, window.low_ticks, window.close_ticks)
    assert [seen(bar) for bar in bars] == [[int(column[bar]) for column in columns] for bar in bars]
