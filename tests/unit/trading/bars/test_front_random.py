"""Random expiries, volumes and holes: what must hold of every window, and that the future changes no past."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from tests.factories.bars import bars_at, ns
from trading.bars.front import windows
from trading.bars.holes import holes_of
from trading.bars.months import concatenate
from trading.bars.schema import Bars
from trading.bars.series import Window
from trading.bars.ticks import to_ticks
from trading.instruments import get_instrument
from trading.sessions import MINUTE_NS, holes_after, session_of

ES = get_instrument("ES")
DAYS = ("2024-03-11", "2024-03-12", "2024-03-13", "2024-03-14", "2024-03-15", "2024-03-18")
NAMES = ("ESH24", "ESM24", "ESU24")
MINUTES = 5


def random_expiries(seed: int) -> Bars:
    """Return five minutes of six sessions, each contract present in some, the first session complete."""
    dice = random.Random(seed)
    parts = []
    for position, name in enumerate(NAMES):
        times, volumes = [], []
        for day in DAYS:
            chance = 1.0 if day == DAYS[0] else dice.choice((0.0, 0.5, 1.0))
            level = dice.choice((1, 10, 100))
            for minute in range(MINUTES):
                if dice.random() < chance:
                    times.append(ns(f"{day}T15:00") + minute * MINUTE_NS)
                    volumes.append(level + dice.randrange(3))
        bars = bars_at(np.array(times, np.int64), contract=name, first_tick=20_000 + 100 * position)
        parts.append(replace(bars, volume=np.array(volumes, np.int64)))
    return concatenate(parts)


def check_window(window: Window, bars: Bars) -> None:
    assert (np.diff(window.bars.ts) > 0).all()
    assert not holes_after(ES, np.unique(window.session)).any()
    assert (np.diff(window.bars.contract) >= 0).all()
    assert [roll.index for roll in window.rolls] == (np.flatnonzero(np.diff(window.bars.contract)) + 1).tolist()
    expected = np.zeros(len(window), np.int64)
    opens = to_ticks(bars.open, ES)
    for roll in window.rolls:
        at_roll = bars.ts == window.bars.ts[roll.index]
        price = {bars.contracts[bars.contract[row]]: int(opens[row]) for row in np.flatnonzero(at_roll)}
        assert (roll.old_exit_ticks, window.open_ticks[roll.index]) == (
            price[roll.old_contract],
            price[roll.new_contract],
        )
        assert roll.difference_ticks == price[roll.new_contract] - price[roll.old_contract]
        expected[roll.index :] += roll.difference_ticks
    assert np.array_equal(window.adjustment_ticks, expected)


def check_rolls_follow_volume(window: Window, bars: Bars) -> None:
    session = session_of(ES, bars.ts).session
    days = np.unique(session)
    for roll in window.rolls:
        day = window.session[roll.index]
        old = bars.contracts.index(roll.old_contract)
        earlier = days[days < day]
        traded = {
            (int(one), number): int(bars.volume[(session == one) & (bars.contract == number)].sum())
            for one in earlier
            for number in range(len(NAMES))
        }
        new = bars.contracts.index(roll.new_contract)
        assert any(traded[int(one), new] > traded[int(one), old] for one in earlier)


@pytest.mark.parametrize("seed", range(60))
def test_windows_of_random_expiries_keep_every_rule(seed: int) -> None:
    bars = random_expiries(seed)
    found = windows(bars, ES)
    for window in found:
        check_window(window, bars)
        check_rolls_follow_volume(window, bars)
    assert all(before.bars.ts[-1] < after.bars.ts[0] for before, after in itertools.pairwise(found))
    every_session = np.unique(session_of(ES, bars.ts).session)
    assert np.array_equal(np.unique(np.concatenate([window.session for window in found])), every_session)


@pytest.mark.parametrize("seed", range(60))
def test_later_sessions_change_no_earlier_window(seed: int) -> None:
    bars = random_expiries(seed)
    whole = windows(bars, ES)
    session = session_of(ES, bars.ts).session
    for last in np.unique(session).tolist():
        part = windows(bars.take(session <= last), ES)
        for position, window in enumerate(part):
            count = len(window)
            full = whole[position]
            assert np.array_equal(full.bars.ts[:count], window.bars.ts)
            assert np.array_equal(full.open_ticks[:count], window.open_ticks)
            assert np.array_equal(full.adjustment_ticks[:count], window.adjustment_ticks)
            assert tuple(roll for roll in full.rolls if roll.index < count) == window.rolls


@pytest.mark.parametrize("contracts", [("",), ("ESH24",), ("777", "118")])
@pytest.mark.parametrize("seed", range(10))
def test_a_series_has_a_window_more_than_holes_whatever_its_contracts_are_called(
    seed: int, contracts: tuple[str, ...]
) -> None:
    dice = random.Random(seed)
    days = [day for day in DAYS if dice.random() < 0.6] or [DAYS[0]]
    times = [ns(f"{day}T15:00") + minute * MINUTE_NS for day in days for minute in range(MINUTES)]
    bars = bars_at(np.array(times, np.int64))
    later = np.arange(len(bars)) >= dice.randrange(len(bars) + 1)
    bars = replace(bars, contract=later.astype(np.int32) % len(contracts), contracts=contracts)
    found = windows(bars, ES)
    assert len(found) == 1 + len(holes_of(bars, ES))
    assert sum(map(len, found)) == len(bars)
    assert not any(holes_after(ES, np.unique(window.session)).any() for window in found)
