"""One bot's backtest, computed: figures, days and findings that belong together."""

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError, invalid
from core.ids import new_id
from fleet.closed_sets import DataLabel
from services.backtests.compute import Material, compute, label_of
from services.bars.load import LoadedBars
from services.jobs.plan import BarsKey, Plan
from tests.factories.bars import made_bars
from trading import metrics
from trading.backtest.findings import LOOK_AHEAD
from trading.backtest.types import Costs
from trading.bars.front import windows
from trading.instruments import get_instrument

ES = get_instrument("ES")
BARS = made_bars()
MATERIAL = Material(LoadedBars(BARS, DataLabel.VENDOR, (), "b" * 64), windows(BARS, ES))


def plan(strategy: str = "sma_cross", *, fault: GantryError | None = None, **params: object) -> Plan:
    return Plan(new_id(), BarsKey("ES", "1m", None, None), strategy, params, Costs.default(ES), fault)


def test_figures_and_days_are_those_of_the_result_and_every_guard_was_run() -> None:
    made = compute(plan(fast=3, slow=8), MATERIAL)
    assert made.metrics == metrics.from_result(made.result)
    assert made.metrics.total_trades > 0
    assert made.days == metrics.daily_points(made.result)
    assert all(made.analysis[guard]["passed"] for guard in LOOK_AHEAD)


def test_the_same_plan_on_the_same_bars_comes_to_the_same() -> None:
    one, other = (compute(plan(fast=3, slow=8), MATERIAL) for _ in range(2))
    np.testing.assert_array_equal(one.result.equity_e4, other.result.equity_e4)
    assert (one.metrics, one.analysis) == (other.metrics, other.analysis)


def test_a_version_that_could_not_be_read_fails_with_its_own_fault() -> None:
    fault = invalid("unreadable", fix="change it")
    with pytest.raises(GantryError) as refused:
        compute(plan(fault=fault), MATERIAL)
    assert refused.value is fault


def test_parameters_that_can_not_be_are_refused_before_anything_runs() -> None:
    with pytest.raises(GantryError) as refused:
        compute(plan(fast=9, slow=8), MATERIAL)
    assert refused.value.code is ErrorCode.VALIDATION_FAILED


def test_without_bars_there_is_no_label() -> None:
    assert (label_of(MATERIAL), label_of(None)) == (DataLabel.VENDOR, None)
