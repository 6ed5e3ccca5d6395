"""Metrics are derived from raw rows; derived again, they are the same."""

import pytest
from sqlalchemy import select

from integrations.store import BarsStore
from services.backtests.rollups import from_raw_rows, refresh_rollup
from services.backtests.scores import refresh_score
from sql.engine import Transactions
from sql.tables.standing import AutonomyScore, MetricsRollup
from tests.factories.bots import NOW, MakeBot
from tests.factories.graded import grade


@pytest.mark.usefixtures("es_bars")
def test_metrics_derived_from_raw_rows_are_those_grading_computed(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    (graded,) = grade(tx, store, make_bot(strategy="rsi_reversion")).bots
    assert graded.session_id is not None
    with tx() as session:
        assert from_raw_rows(session, graded.session_id) == graded.metrics


@pytest.mark.usefixtures("es_bars")
def test_deriving_rollup_and_score_again_changes_nothing(tx: Transactions, store: BarsStore, make_bot: MakeBot) -> None:
    bot_id = make_bot()
    grade(tx, store, bot_id)

    def standing() -> list[dict[str, object]]:
        with tx() as session:
            rows = [session.scalars(select(MetricsRollup)).one(), session.scalars(select(AutonomyScore)).one()]
            return [{k: v for k, v in row.__dict__.items() if not k.startswith("_")} for row in rows]

    before = standing()
    with tx() as session:
        refresh_rollup(session, bot_id, now=NOW)
        refresh_score(session, bot_id, now=NOW)
    assert standing() == before
