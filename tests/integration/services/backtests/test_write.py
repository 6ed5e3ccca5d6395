"""What a graded chunk leaves in the database: one session a job, and figures that equal its raw rows."""

import pytest
from sqlalchemy import func, select, text, update

from core.errors import GantryError
from core.ids import new_id
from fleet.closed_sets import JobStatus
from integrations.store import BarsStore
from services.backtests.chunk import ChunkGrader
from services.backtests.grade import grade_bots
from services.backtests.rollups import refresh_rollup
from services.backtests.scores import refresh_score
from services.bars.simulate import simulate_months
from services.jobs.lease import LeaseTerms
from sql.engine import Transactions
from sql.tables.bots import Bot, BotVersion
from sql.tables.results import BacktestSession
from sql.tables.standing import AutonomyScore, MetricsRollup
from tests.factories.bars_months import MONTH
from tests.factories.bots import NOW, MakeBot
from tests.factories.claims import claim, queue


@pytest.mark.usefixtures("es_bars")
def test_what_a_chunk_writes_of_a_bot_is_what_the_raw_rows_give(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    strategies = ("sma_cross", "rsi_reversion", "donchian_breakout")
    bot_ids = [make_bot(strategy, strategy=strategy) for strategy in strategies]
    assert not grade_bots(tx, store, bot_ids, run_id=None, actor="test", now=NOW).failed

    def standing() -> list[tuple[object, ...]]:
        with tx() as session:
            figures = session.execute(select(MetricsRollup.__table__).order_by(MetricsRollup.bot_id)).all()
            kept = [column for column in AutonomyScore.__table__.columns if column.name != "id"]
            found = session.execute(select(*kept).order_by(AutonomyScore.bot_id)).all()
            return [tuple(row) for row in (*figures, *found)]

    written = standing()
    with tx() as session:
        for bot_id in bot_ids:
            refresh_rollup(session, bot_id, now=NOW)
            refresh_score(session, bot_id, now=NOW)
    assert standing() == written


@pytest.mark.usefixtures("es_bars")
def test_a_backtest_of_a_version_that_was_replaced_meanwhile_is_kept_and_doesnt_stand_for_the_new_one(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    queue(tx, bot_id)
    held = claim(tx)
    with tx() as session:
        old = session.get_one(BotVersion, held[0].version_id)
        new = BotVersion(
            id=new_id(), bot_id=bot_id, number=2, parent_id=old.id, strategy=old.strategy, params=old.params,
            costs=old.costs, window=old.window, reason_code="TEST", trace_id=old.trace_id,
        )  # fmt: skip
        session.add(new)
        session.flush()
        session.execute(update(Bot).values(current_version_id=new.id))
    (graded,) = ChunkGrader(tx, store, None, LeaseTerms()).grade(held, NOW)
    assert graded.status is JobStatus.COMPLETED
    with tx() as session:
        assert session.scalar(select(func.count()).select_from(BacktestSession)) == 1
        assert session.scalar(select(func.count()).select_from(MetricsRollup)) == 0


def test_two_sessions_of_one_job_are_refused(tx: Transactions, store: BarsStore, make_bot: MakeBot) -> None:
    simulate_months(tx, store, ["ES"], [MONTH], actor="test", now=NOW)
    grade_bots(tx, store, [make_bot()], run_id=None, actor="test", now=NOW)
    copy = (
        "INSERT INTO backtest_sessions "
        "SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).* FROM backtest_sessions s"
    )
    with pytest.raises(GantryError, match="already has a session"), tx() as session:
        session.execute(text(copy))
