"""What another attempt at an improvement goes on from."""

import json
from decimal import Decimal

from fleet.closed_sets import JobType
from services.improve.outcome import Looking
from tests.factories.edge_windows import noise
from trading.backtest.types import Costs
from trading.improve.improvement import improve
from trading.improve.limits import Budget
from trading.instruments import get_instrument
from trading.strategies.registry import get_strategy


def test_the_state_holds_the_search_what_was_proposed_and_where_it_came_from_ready_for_json() -> None:
    strategy = get_strategy("sma_cross")
    search = improve(
        noise(1, sessions=30), strategy, strategy.parse({}), get_instrument("ES"), Costs(1, Decimal("2.25")),
        seed=1, budget=Budget(sets=6, folds=3), state=None,
    )  # fmt: skip
    proposed = [{"strategy": "sma_cross", "params": {"fast": 3}, "why": "shorter"}]
    looking = Looking(search, JobType.IMPROVE, 7, proposed, {"adviser": "asked"})
    before = json.dumps(looking.state)
    assert json.loads(before) == {"search": search.state, "proposed": proposed, "sources": {"adviser": "asked"}}
    search.step()
    assert json.dumps(looking.state) != before, "it follows the search"
