"""Windows and rolls: which contract is traded when, at what prices it changes, and that nothing is bridged."""

from dataclasses import replace

import numpy as np
import pytest

from tests.factories.bars import bars_at, made_bars, ns, with_volume, without
from trading.bars.front import windows
from trading.bars.months import concatenate
from trading.bars.resample import resample
from trading.bars.schema import Bars, Timeframe
from trading.bars.series import Window
from trading.bars.ticks import to_ticks
from trading.instruments import get_instrument
from trading.sessions import session_of

ES = get_instrument("ES")
START, END = "2024-03-10T22:00", "2024-03-15T21:00"
ROLL_DAY = "2024-03-13T21:00"


def near() -> Bars:
    return with_volume(made_bars(START, END, contract="ESH24"), "2024-03-12T22:00", END, 10)


def far() -> Bars:
    return with_volume(made_bars(START, END, contract="ESM24", first_tick=20_200), START, "2024-03-12T22:00", 5)


def names(window: Window) -> list[str]:
    return [window.bars.contracts[number] for number in dict.fromkeys(window.bars.contract.tolist())]


def test_one_contract_is_one_window_without_rolls() -> None:
    bars = made_bars()
    (window,) = windows(bars, ES)
    assert len(window) == len(bars)
    assert window.rolls == ()
    assert not window.adjustment_ticks.any()
    assert np.array_equal(window.close_ticks, to_ticks(bars.close, ES))
    assert np.array_equal(window.session, session_of(ES, bars.ts).session)
    assert set((window.session_last - ns("2024-01-09T21:59")).tolist()) == {0, 86_400 * 10**9, 2 * 86_400 * 10**9}


def test_no_bars_are_no_windows() -> None:
    assert windows(made_bars().take(slice(0, 0)), ES) == ()


def test_expiries_roll_in_the_first_session_after_the_next_one_traded_more() -> None:
    (window,) = windows(concatenate([near(), far()]), ES)
    (roll,) = window.rolls
    assert window.bars.ts[roll.index] == ns("2024-03-13T22:00")
    assert (roll.old_contract, roll.new_contract) == ("ESH24", "ESM24")
    assert (np.diff(window.bars.ts) > 0).all()
    assert names(window) == ["ESH24", "ESM24"]


def test_both_contracts_are_priced_at_their_opens_of_the_roll_bar() -> None:
    (window,) = windows(concatenate([near(), far()]), ES)
    (roll,) = window.rolls
    row = int(np.flatnonzero(near().ts == window.bars.ts[roll.index])[0])
    assert roll.old_exit_ticks == to_ticks(near().open, ES)[row]
    assert window.open_ticks[roll.index] == to_ticks(far().open, ES)[row]
    assert roll.difference_ticks == window.open_ticks[roll.index] - roll.old_exit_ticks
    assert roll.difference_ticks == 200
    assert not window.adjustment_ticks[: roll.index].any()
    assert set(window.adjustment_ticks[roll.index :].tolist()) == {200}


def test_the_roll_waits_for_the_first_bar_that_both_contracts_have() -> None:
    late = without(far(), "2024-03-13T22:00", "2024-03-13T22:07")
    (window,) = windows(concatenate([near(), late]), ES)
    assert window.bars.ts[window.rolls[0].index] == ns("2024-03-13T22:07")
    assert (np.diff(window.bars.ts) > 0).all()


def test_a_window_ends_where_the_old_contract_has_no_bar_left_and_nothing_is_bridged() -> None:
    dead = without(near(), "2024-03-13T22:00", END)
    first, second = windows(concatenate([dead, far()]), ES)
    assert first.bars.ts[-1] == ns("2024-03-13T20:59")
    assert second.bars.ts[0] == ns("2024-03-13T22:00")
    assert (names(first), names(second)) == (["ESH24"], ["ESM24"])
    assert first.rolls == second.rolls == ()
    assert not second.adjustment_ticks.any()


def test_the_front_at_the_start_is_the_most_traded_and_it_never_rolls_back() -> None:
    back = with_volume(far(), START, END, 100)
    front_again = with_volume(with_volume(near(), START, END, 10), "2024-03-13T22:00", END, 999)
    (window,) = windows(concatenate([front_again, back]), ES)
    assert names(window) == ["ESM24"]
    assert window.rolls == ()


def test_it_rolls_to_the_most_traded_of_several_later_expiries() -> None:
    third = with_volume(made_bars(START, END, contract="ESU24", first_tick=20_500), START, END, 1_000)
    third = with_volume(third, START, "2024-03-12T22:00", 1)
    (window,) = windows(concatenate([near(), far(), third]), ES)
    assert [roll.new_contract for roll in window.rolls] == ["ESU24"]


@pytest.mark.parametrize("cut", [800, 1500, 2760, 4000, 4200, 5000, 5600])
def test_cutting_later_sessions_changes_nothing_before(cut: int) -> None:
    bars = concatenate([near(), far()])
    session = session_of(ES, bars.ts).session
    days = session[bars.ts >= bars.ts[cut]]
    (whole,), (part,) = windows(bars, ES), windows(bars.take(session <= days[0]), ES)
    count = len(part)
    assert np.array_equal(whole.open_ticks[:count], part.open_ticks)
    assert np.array_equal(whole.adjustment_ticks[:count], part.adjustment_ticks)
    assert np.array_equal(whole.bars.ts[:count], part.bars.ts)
    assert part.rolls == tuple(roll for roll in whole.rolls if roll.index < count)


def continuous() -> Bars:
    return concatenate(
        [made_bars(START, ROLL_DAY, contract="777"), made_bars(ROLL_DAY, END, contract="118", first_tick=20_150)]
    )


def test_continuous_bars_roll_where_the_instrument_id_changes_at_the_old_ones_last_close() -> None:
    (window,) = windows(continuous(), ES)
    (roll,) = window.rolls
    old = made_bars(START, ROLL_DAY)
    assert window.bars.ts[roll.index] == ns("2024-03-13T22:00")
    assert roll.old_exit_ticks == to_ticks(old.close, ES)[-1]
    assert roll.difference_ticks == 20_150 - roll.old_exit_ticks
    assert (roll.old_contract, roll.new_contract) == ("777", "118")


def test_continuous_bars_with_whole_sessions_missing_at_the_change_are_two_windows() -> None:
    first, second = windows(without(continuous(), "2024-03-12T22:00", "2024-03-14T21:00"), ES)
    assert (names(first), names(second)) == (["777"], ["118"])


@pytest.mark.parametrize("contract", ["", "777", "ESH24"])
def test_a_session_without_bars_ends_the_window_whatever_the_contract_is_called(contract: str) -> None:
    bars = made_bars(START, END, contract=contract)
    first, second = windows(without(bars, "2024-03-12T22:00", "2024-03-13T21:00"), ES)
    assert (first.bars.ts[-1], second.bars.ts[0]) == (ns("2024-03-12T20:59"), ns("2024-03-13T22:00"))
    assert len(windows(without(bars, "2024-03-12T22:01", "2024-03-13T21:00"), ES)) == 1, "one bar makes a session"


def test_a_session_of_which_no_expiry_has_a_bar_ends_the_window_too() -> None:
    both = concatenate([near(), far()])
    holed = without(both, "2024-03-11T22:00", "2024-03-12T21:00")
    first, second = windows(holed, ES)
    assert (first.bars.ts[-1], second.bars.ts[0]) == (ns("2024-03-11T20:59"), ns("2024-03-12T22:00"))
    assert (names(first), names(second)) == (["ESH24"], ["ESM24"])


def test_weekends_and_holidays_are_no_holes() -> None:
    easter = made_bars("2024-03-27T22:00", "2024-04-02T21:00", contract="")
    assert len(np.unique(session_of(ES, easter.ts).session)) == 3, "Good Friday has no session"
    assert len(windows(easter, ES)) == 1


def test_days_of_bars_are_split_at_a_missing_day_as_minutes_are() -> None:
    holed = without(made_bars(START, END, contract=""), "2024-03-12T22:00", "2024-03-13T21:00")
    assert [len(window) for window in windows(resample(holed, Timeframe.D1, ES), ES)] == [2, 2]


def test_a_change_to_or_from_a_contract_without_a_name_is_no_roll() -> None:
    unnamed = replace(continuous(), contracts=("", "118"))
    assert len(windows(unnamed, ES)) == 2


def test_bars_in_which_nothing_traded_are_left_out() -> None:
    bars = with_volume(made_bars(), "2024-01-09T10:00", "2024-01-09T10:05", 0)
    (window,) = windows(bars, ES)
    assert len(window) == len(bars) - 5
    assert (window.bars.volume > 0).all()


def test_a_source_that_states_no_volume_keeps_all_its_bars() -> None:
    bars = made_bars(volume=0)
    assert len(windows(bars, ES)[0]) == len(bars)


def test_the_last_open_of_a_session_is_that_of_the_timeframe() -> None:
    bars = made_bars("2024-01-09T23:00", "2024-01-10T22:00")
    lasts = {
        timeframe: windows(resample(bars, timeframe, ES), ES)[0].session_last[0]
        for timeframe in (Timeframe.M5, Timeframe.H1, Timeframe.D1)
    }
    assert lasts[Timeframe.M5] == ns("2024-01-10T21:55")
    assert lasts[Timeframe.H1] == ns("2024-01-10T21:00")
    assert lasts[Timeframe.D1] == ns("2024-01-09T23:00")


def test_expiries_resampled_roll_on_their_common_longer_bars() -> None:
    (window,) = windows(resample(concatenate([near(), far()]), Timeframe.M15, ES), ES)
    assert window.bars.ts[window.rolls[0].index] == ns("2024-03-13T22:00")
    assert window.rolls[0].difference_ticks == 200


def test_expiries_that_overlap_in_a_few_bars_only_still_never_bridge() -> None:
    old = bars_at(np.array([ns("2024-03-11T14:00"), ns("2024-03-11T14:01")]), contract="ESH24", volume=9)
    new = bars_at(np.array([ns("2024-03-11T14:01"), ns("2024-03-13T14:00")]), contract="ESM24", volume=20)
    found = windows(concatenate([old, new]), ES)
    assert [names(window) for window in found] == [["ESM24"], ["ESM24"]]
    assert [len(window) for window in found] == [1, 1]
