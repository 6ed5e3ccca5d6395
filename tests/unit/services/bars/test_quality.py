"""Great Expectations on bars: sound ones pass every expectation, each kind of damage fails its own."""

from dataclasses import replace

import numpy as np
import pytest

from integrations.simulator.months import simulate_month
from services.bars.quality import ExpectationResult, validate_bars
from tests.factories.bars import made_bars
from trading.bars.schema import Bars, FloatArray
from trading.instruments import INSTRUMENTS, get_instrument

ES = get_instrument("ES")


def failed(found: tuple[ExpectationResult, ...]) -> list[str]:
    return [one.name for one in found if not one.passed]


def with_one(prices: FloatArray, value: float) -> FloatArray:
    changed = prices.copy()
    changed[100] = value
    return changed


def damaged(bars: Bars) -> list[tuple[str, Bars]]:
    twice = bars.ts.copy()
    twice[101] = twice[100]
    late = bars.ts.copy()
    late[100] += 1_000_000_000
    return [
        ("Each contract has at most one bar a minute", replace(bars, ts=twice)),
        ("Bars are in order of time", replace(bars, ts=bars.ts[::-1].copy())),
        ("Times are whole minutes", replace(bars, ts=late)),
        ("Every bar has its close", replace(bars, close=with_one(bars.close, np.nan))),
        ("No high is below its open or close", replace(bars, high=with_one(bars.high, bars.low[100] - 1))),
        ("No low is above its open or close", replace(bars, low=with_one(bars.low, bars.high[100] + 1))),
        ("Every price is on the tick grid", replace(bars, open=with_one(bars.open, bars.open[100] + 0.1))),
        ("Every price is above zero", replace(bars, low=with_one(bars.low, 0.0))),
        ("No volume is negative", replace(bars, volume=bars.volume - 101)),
    ]


@pytest.mark.parametrize("symbol", ["ES", "CL"])
def test_sound_bars_pass_every_expectation(symbol: str) -> None:
    instrument = INSTRUMENTS[symbol]
    found = validate_bars(simulate_month(instrument, "2024-03", 1), instrument)
    assert failed(found) == []
    assert len(found) == (13 if instrument.may_be_negative else 14)


@pytest.mark.parametrize(
    ("name", "bars"), damaged(made_bars()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_damage_fails_the_expectation_that_is_about_it(name: str, bars: Bars) -> None:
    found = validate_bars(bars, ES)
    assert name in failed(found)
    (result,) = [one for one in found if one.name == name]
    assert result.unexpected_count >= 1


def test_bars_of_two_months_are_not_one_month() -> None:
    assert failed(validate_bars(made_bars("2024-01-31T12:00", "2024-02-01T12:00"), ES)) == [
        "All bars are of one calendar month"
    ]


def test_a_negative_price_is_legal_for_crude_oil_alone() -> None:
    bars = made_bars(symbol="CL", contract="CLK20", first_tick=-3_000)
    assert failed(validate_bars(bars, get_instrument("CL"))) == []
    assert "Every price is above zero" in failed(validate_bars(replace(bars, symbol="ES"), ES))
