"""Every change of a stage has one audit row, in the order of the changes."""

from uuid import UUID

from sqlalchemy import text

from services.promotion import decide
from services.resets.revert import revert_to_lab
from sql.engine import Transactions
from tests.factories.stage_changes import HERE, LATER, promote, sound


def test_a_change_that_waited_for_another_comes_after_it_in_the_audit(tx: Transactions, ready: UUID) -> None:
    """Its transaction began before the other's, its change came after."""
    with tx() as first, tx() as second:
        second.execute(text("SELECT now()"))
        decide.promote(first, ready, by=HERE, now=LATER, development=False)
        first.commit()
        decide.demote(second, ready, by=HERE, now=LATER)
    promote(tx, ready)
    with tx() as third, tx() as fourth:
        fourth.execute(text("SELECT now()"))
        decide.demote(third, ready, by=HERE, now=LATER)
        third.commit()
        revert_to_lab(fourth, [ready], lock_hours=1, reason_code="TEST", dry_run=False, actor="admin", now=LATER)
    assert sound(tx)
