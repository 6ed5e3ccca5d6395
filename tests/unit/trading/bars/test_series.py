"""Ticks, hashes, contracts' names, months and resampling."""

import hashlib
import struct
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.bars import bars_at, equal, made_bars, ns
from trading.bars.contracts import in_order, long_name, parse_contract
from trading.bars.hashing import content_hash, contracts_hash
from trading.bars.months import concatenate, split_months
from trading.bars.resample import resample
from trading.bars.schema import Timeframe
from trading.bars.ticks import from_ticks, off_grid, to_ticks
from trading.instruments import INSTRUMENTS, get_instrument

ES = get_instrument("ES")


@given(symbol=st.sampled_from(sorted(INSTRUMENTS)), ticks=st.integers(-(10**7), 10**7))
def test_ticks_and_prices_translate_exactly_both_ways(symbol: str, ticks: int) -> None:
    instrument = INSTRUMENTS[symbol]
    price = from_ticks(np.array([ticks], np.int64), instrument)
    assert float(price[0]) == float(Fraction(instrument.tick_size) * ticks)
    assert to_ticks(price, instrument).tolist() == [ticks]
    assert not off_grid(price, instrument).any()


def test_a_price_between_ticks_is_off_the_grid_and_a_float32_one_is_not() -> None:
    euro = get_instrument("6E")
    assert off_grid(np.array([1.10771, np.nan, np.inf, 1e300]), euro).all()
    assert not off_grid(np.array([np.float32(1.10775), np.float32(1.1078)], np.float64), euro).any()


def test_the_content_hash_doesnt_depend_on_symbols_or_contracts_but_on_every_value() -> None:
    bars = made_bars()
    same = replace(bars, contracts=("",))
    assert content_hash(same, ES) == content_hash(bars, ES)
    assert contracts_hash(same) != contracts_hash(bars)
    seen = {content_hash(bars, ES)}
    for name in ("ts", "open", "high", "low", "close", "volume"):
        values = getattr(bars, name).copy()
        values[5] += 1
        seen.add(content_hash(replace(bars, **{name: values}), ES))
    assert len(seen) == 7


def test_the_content_hash_is_sha256_of_little_endian_columns_in_ticks() -> None:
    bars = bars_at(np.array([ns("2024-01-10T15:00")]), first_tick=8, volume=3)
    columns = struct.pack("<6q", ns("2024-01-10T15:00"), 8, 9, 5, 6, 3)
    assert content_hash(bars, ES) == hashlib.sha256(columns).hexdigest()


def test_names_of_contracts_are_read_as_exchanges_and_files_write_them() -> None:
    for name, root, year, month in [("ESZ13", "ES", 2013, 12), ("6EH24", "6E", 2024, 3), ("ES 201312", "ES", 2013, 12)]:
        parsed = parse_contract(name)
        assert parsed is not None
        assert (parsed.root, parsed.year, parsed.month) == (root, year, month)
    for name in ("", "ESH4-ESM4", "118", "ES", "ES 201313", "ES.c.0"):
        assert parse_contract(name) is None


@pytest.mark.parametrize(
    ("name", "year", "month", "expected"),
    [
        ("ESH4", 2024, 1, "ESH24"),
        ("ESH4", 2023, 12, "ESH24"),
        ("ESH4", 2014, 2, "ESH14"),
        ("ESZ9", 2020, 1, "ESZ29"),
        ("ESH4", 2024, 4, "ESH34"),
        ("ES 201312", 2013, 1, "ESZ13"),
        ("6E 202403", 2024, 1, "6EH24"),
        ("ES 199912", 1999, 1, "ES 199912"),
        ("118", 2024, 1, "118"),
    ],
)
def test_one_expiry_has_one_name_and_a_one_digit_year_means_the_next_such_expiry(
    name: str, year: int, month: int, expected: str
) -> None:
    assert long_name(name, traded_year=year, traded_month=month) == expected


def test_contracts_are_ordered_by_expiry_where_all_names_tell_it() -> None:
    assert in_order(["ESM24", "ESH24", "ESZ23", "ESH24"]) == ("ESZ23", "ESH24", "ESM24")
    assert in_order(["777", "118", "777"]) == ("777", "118")


def test_months_are_split_at_utc_midnight_and_put_together_again_unchanged() -> None:
    bars = made_bars("2023-12-28T00:00", "2024-02-02T22:00")
    months = split_months(bars)
    assert [one.month for one in months] == ["2023-12", "2024-01", "2024-02"]
    assert months[1].bars.ts[0] >= ns("2024-01-01") > months[0].bars.ts[-1]
    assert equal(concatenate([one.bars for one in months]), bars)


def test_joined_months_list_contracts_in_order_of_expiry() -> None:
    early, late = made_bars(contract="ESH24"), made_bars("2024-03-18T22:00", "2024-03-19T20:00", contract="ESM24")
    joined = concatenate([late, early])
    assert joined.contracts == ("ESH24", "ESM24")
    assert joined.contract[0] == 0
    assert (np.diff(joined.ts) > 0).all()


def test_resampled_bars_keep_open_high_low_close_and_volume() -> None:
    bars = made_bars()
    longer = resample(bars, Timeframe.M5, ES)
    assert len(longer) == len(bars) // 5
    assert longer.open[1] == bars.open[5]
    assert longer.high[1] == bars.high[5:10].max()
    assert longer.low[1] == bars.low[5:10].min()
    assert longer.close[1] == bars.close[9]
    assert longer.volume.sum() == bars.volume.sum()


def test_no_resampled_bar_reaches_over_a_sessions_end() -> None:
    bars = made_bars("2024-01-12T00:00", "2024-01-17T22:00")
    for timeframe in (Timeframe.M15, Timeframe.M30, Timeframe.H1):
        longer = resample(bars, timeframe, ES)
        assert ns("2024-01-15T23:00") in longer.ts.tolist()
        assert not ((longer.ts >= ns("2024-01-12T22:00")) & (longer.ts < ns("2024-01-14T23:00"))).any()


def test_a_daily_bar_is_a_session_stamped_at_its_open() -> None:
    daily = resample(made_bars(), Timeframe.D1, ES)
    assert daily.ts.tolist() == [ns("2024-01-08T23:00"), ns("2024-01-09T23:00"), ns("2024-01-10T23:00")]
    assert daily.volume.tolist() == [138_000] * 3


def test_contracts_are_resampled_apart() -> None:
    near, far = made_bars(), made_bars(contract="ESM24", first_tick=30_000)
    longer = resample(concatenate([near, far]), Timeframe.H1, ES)
    assert np.array_equal(longer.take(longer.contract == 1).high, resample(far, Timeframe.H1, ES).high)
    assert (np.diff(longer.ts) >= 0).all()


def test_resampling_a_prefix_gives_a_prefix() -> None:
    bars = made_bars()
    whole, part = resample(bars, Timeframe.M15, ES), resample(bars.take(slice(0, 1000)), Timeframe.M15, ES)
    complete = len(part) - 1
    assert np.array_equal(whole.close[:complete], part.close[:complete])
