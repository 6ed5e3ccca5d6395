"""A revert moves bots back to LAB, with manual promotion."""

from datetime import timedelta
from uuid import UUID

from fleet.closed_sets import BacktestKind, Stage
from services.bots.read import get_bot
from services.proof.invariants import check_invariants
from sql.engine import Transactions
from tests.factories.claims import enqueue
from tests.factories.databases import OwnerSql
from tests.factories.resets import LATER, revert


def test_after_a_revert_every_bot_is_in_lab_manual_and_locked_with_one_audit_row(
    tx: Transactions, graded: list[UUID], owner_sql: OwnerSql
) -> None:
    enqueue(tx, graded[2], kind=BacktestKind.MANUAL)
    report = revert(tx)
    bots = owner_sql("SELECT DISTINCT stage, promotion_mode, stage_locked_until, stage_reason_code FROM bots")
    assert bots == [("LAB", "MANUAL", LATER + timedelta(hours=24), "TEST")]
    audit = owner_sql("SELECT bot_id FROM bot_stage_events WHERE event_type = 'REVERTED_TO_LAB' ORDER BY bot_id")
    assert [row[0] for row in audit] == sorted(graded)
    assert report.stage_counts_after[Stage.LAB] == 3
    assert owner_sql("SELECT reason_code FROM job_run_events WHERE to_status = 'CANCELED'") == [("BULK_REVERT",)]
    with tx() as session:
        assert get_bot(session, graded[0], now=LATER).metrics.total_trades is not None
        assert check_invariants(session, quiet=True) == ()
