"""What a job is to run is read from stored rows; one that can't be read says so in its own plan."""

from decimal import Decimal
from typing import Any

import pytest

from core.errors import ErrorCode
from core.ids import new_id
from services.jobs.plan import BarsKey, plan_of
from sql.tables.bots import Bot
from tests.factories.bots import a_version
from trading.backtest.types import Costs

ES = Bot(id=new_id(), name="one", symbol="ES", timeframe="5m")


def test_a_version_is_read_whole() -> None:
    version = a_version(
        ES,
        params={"fast": 3},
        costs={"slippage_ticks": 2, "commission_usd": "1.25", "contracts": 4},
        window={"start": "2024-01", "end": None},
    )
    plan = plan_of(ES, version)
    assert plan.bars == BarsKey("ES", "5m", "2024-01", None)
    assert (plan.strategy, dict(plan.params)) == ("sma_cross", {"fast": 3})
    assert (plan.costs, plan.fault) == (Costs(2, Decimal("1.25"), 4), None)


@pytest.mark.parametrize(
    "unreadable",
    [
        {"costs": {}},
        {"costs": None},
        {"costs": {"slippage_ticks": 1, "commission_usd": "much", "contracts": 1}},
        {"params": 7},
    ],
)
def test_a_version_that_can_not_be_read_has_a_fault_and_still_names_its_bars(unreadable: dict[str, Any]) -> None:
    plan = plan_of(ES, a_version(ES, window={"start": "2024-01", "end": "2024-02"}, **unreadable))
    assert plan.fault is not None
    assert plan.fault.code is ErrorCode.VALIDATION_FAILED
    assert "Version 1" in plan.fault.message
    assert plan.bars == BarsKey("ES", "5m", "2024-01", "2024-02")


@pytest.mark.parametrize("window", [None, [], {}, {"start": 1, "end": []}])
def test_a_window_that_can_not_be_read_means_all_bars(window: object) -> None:
    plan = plan_of(ES, a_version(ES, window=window, costs={}))
    assert plan.bars == BarsKey("ES", "5m", None, None)
