"""A refused promotion says all that was missing."""

from datetime import timedelta
from uuid import UUID

import pytest

from core.errors import ErrorCode
from fleet.closed_sets import DataLabel
from services.promotion.refusals import GatesNotMet
from sql.engine import Transactions
from tests.factories.bots import NOW
from tests.factories.databases import OwnerSql
from tests.factories.promotions import a_good_backtest
from tests.factories.stage_changes import promote


def test_a_refusal_lists_every_gate_with_what_was_observed_and_its_limit_and_changes_nothing(
    tx: Transactions, bot_id: UUID, owner_sql: OwnerSql
) -> None:
    a_good_backtest(tx, bot_id, now=NOW, trades=49, label=DataLabel.IMPORTED, analysis={})
    with pytest.raises(GatesNotMet) as refused:
        promote(tx, bot_id, now=NOW + timedelta(hours=12))
    assert refused.value.code is ErrorCode.GATE_NOT_MET
    assert [problem.field for problem in refused.value.details] == [
        *("TRADES", "AGE_DAYS", "DATA_LABEL", "LOOK_AHEAD_GUARD"),
    ]
    assert refused.value.details[0].message == "49 observed, at least 50 required."
    assert refused.value.details[3].message.startswith("Observed nothing, limit passed.")
    assert len(refused.value.gates) == 10
    assert owner_sql("SELECT stage, revision FROM bots") == [("LAB", 1)]
    assert owner_sql("SELECT count(*) FROM bot_stage_events WHERE event_type <> 'CREATED'") == [(0,)]
