"""Resets and reverts, each in a transaction of its own."""

from datetime import timedelta
from uuid import UUID

from fleet.closed_sets import MetricsScope
from services.resets.reset import ResetReport, ResetRequest, reset_metrics
from services.resets.revert import RevertReport, revert_to_lab
from sql.engine import Transactions
from tests.factories.bots import NOW

ALL = MetricsScope.ALL
LATER = NOW + timedelta(hours=1)


def reset(tx: Transactions, *bots: UUID, scope: MetricsScope = ALL, dry_run: bool = False) -> ResetReport:
    """Reset the metrics of those bots; none named means all."""
    with tx() as session:
        asked = ResetRequest(scope, bots or None, "TEST")
        return reset_metrics(session, asked, dry_run=dry_run, actor="admin", now=LATER)


def revert(tx: Transactions, *bots: UUID, dry_run: bool = False) -> RevertReport:
    """Move those bots back to LAB for a day at least; none named means all."""
    with tx() as session:
        return revert_to_lab(
            session, bots or None, lock_hours=24, reason_code="TEST", dry_run=dry_run, actor="admin", now=LATER
        )
