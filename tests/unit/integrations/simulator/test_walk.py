"""The long walk, and the walk within a month: fair steps, no look ahead, the same wherever one starts."""

import numpy as np
import pytest

from integrations.simulator import levels
from integrations.simulator.levels import FIRST_MONTH, level_at, step_words, steps_of
from integrations.simulator.months import MonthWalk, simulate_month, walk_of
from integrations.simulator.walk import Walked, walk
from tests.factories.bars import equal
from tests.factories.moves import MONTHS
from trading.bars.hashing import content_hash
from trading.instruments import INSTRUMENTS, get_instrument

ES, ZN = get_instrument("ES"), get_instrument("ZN")


def again(made: MonthWalk, level: int, steps: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> Walked:
    """Walk a month's activity on other steps."""
    active = made.active
    coins = np.zeros(len(active.minutes), np.int64)
    return walk(steps, 64 * len(steps), level, active.weight, active.closure, coins)


@pytest.mark.parametrize("symbol", ["NQ", "ES", "ZN"])
def test_a_month_takes_every_one_of_its_steps_and_ends_where_the_next_begins(symbol: str) -> None:
    instrument = get_instrument(symbol)
    walked = walk_of(instrument, "2024-03", 7).walked
    assert walked.closed_at[-1] == steps_of(instrument, level_at(instrument, "2024-03", 7))
    assert (walked.opened_at[1:] >= walked.closed_at[:-1]).all()
    assert (walked.closed_at >= walked.opened_at).all()
    assert walked.close[-1] == level_at(instrument, "2024-04", 7)
    first = walk_of(instrument, "2024-04", 7).walked
    assert abs(first.open[0] - walked.close[-1]) <= first.opened_at[0]


def test_what_a_bar_is_depends_on_no_later_step() -> None:
    """Else how fast the price moves now would tell where it goes."""
    made = walk_of(ES, "2024-03", 7)
    steps = made.steps[:-1]
    before = again(made, 20_000, steps)
    bar = int(np.searchsorted(before.closed_at, 64 * 3_000))
    other = steps.copy()
    other[3_000:] = ~other[3_000:]
    after = again(made, 20_000, other)
    for was, now in zip(before, after, strict=True):
        np.testing.assert_array_equal(was[:bar], now[:bar])
    assert (before.close[bar + 1 :] != after.close[bar + 1 :]).mean() > 0.9


def test_quiet_minutes_end_on_a_step_back_and_busy_ones_get_their_share() -> None:
    made = walk_of(ZN, "2024-03", 7)
    taken = made.walked.closed_at - made.walked.opened_at
    moved = taken > 0
    last = (made.walked.closed_at[moved] - 1)[:-1]
    step = (made.steps[last >> 6] >> (last & 63).astype(np.uint64) & np.uint64(1)).astype(np.int64) * 2 - 1
    move = (made.walked.close - made.walked.open)[moved][:-1]
    assert (step * move <= 0).all()
    busy = made.active.weight > np.median(made.active.weight)
    assert taken[busy].mean() > 2 * taken[~busy].mean()


def test_a_month_is_as_lively_at_its_end_as_at_its_beginning() -> None:
    """The steps back are counted in what a minute may take, or the first days would use up those of the last."""
    spent = []
    for symbol in INSTRUMENTS:
        for month in range(1, 13):
            made = walk_of(INSTRUMENTS[symbol], f"2024-{month:02d}", 7)
            weight = np.cumsum(made.active.weight + made.active.closure)
            half = int(np.searchsorted(weight, weight[-1] / 2))
            spent.append(made.walked.closed_at[half] / made.walked.closed_at[-1])
    assert np.mean(spent) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("symbol", list(INSTRUMENTS))
def test_prices_stay_above_zero_and_alive_for_fifty_years(symbol: str) -> None:
    instrument = INSTRUMENTS[symbol]
    for seed in range(3):
        found = [level_at(instrument, month, seed) for month in MONTHS]
        steps = [steps_of(instrument, level) for level in found]
        assert all(level > 8 * steps_taken**0.5 for level, steps_taken in zip(found, steps, strict=True))
        assert min(steps) > 0


def test_a_month_is_the_same_whatever_was_asked_for_before() -> None:
    levels._levels_of_year.cache_clear()
    later = simulate_month(ES, "2026-05", 3)
    earlier = simulate_month(ES, "2011-05", 3)
    levels._levels_of_year.cache_clear()
    assert equal(simulate_month(ES, "2011-05", 3), earlier)
    assert equal(simulate_month(ES, "2026-05", 3), later)


def test_the_steps_of_a_month_are_up_as_often_as_down() -> None:
    ups = [int(np.bitwise_count(step_words(ES, month, 7, 64_000)).sum()) for month in MONTHS[:100]]
    assert abs(sum(ups) - 3_200_000) < 3 * (6_400_000 / 4) ** 0.5


def test_the_first_month_begins_where_the_instrument_sets_out() -> None:
    assert level_at(ES, FIRST_MONTH, 7) == level_at(ES, FIRST_MONTH, 8) == 26_000


@pytest.mark.parametrize(
    ("symbol", "digest"),
    [("ES", "f8cc1b2a1567f16a"), ("NQ", "2b5f1dae37f93526"), ("ZN", "92860778450fd8cb")],
)
def test_bars_are_the_same_bytes_on_every_machine(symbol: str, digest: str) -> None:
    """Where this fails, the simulator has another version."""
    instrument = get_instrument(symbol)
    assert content_hash(simulate_month(instrument, "2024-04", 7), instrument)[:16] == digest
