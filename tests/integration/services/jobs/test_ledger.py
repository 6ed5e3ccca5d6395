"""Every change of a job has its row in the ledger."""

from itertools import pairwise

from sqlalchemy import select

from fleet.closed_sets import JobStatus
from fleet.jobs import TRANSITIONS
from services.jobs.finish import fail_job
from sql.engine import Transactions
from sql.tables.jobs import BotJob, JobRunEvent
from tests.factories.bots import MakeBot
from tests.factories.claims import attempts, claim_one, enqueue, lost


def test_the_ledger_of_every_job_is_legal_contiguous_and_ends_in_its_state(tx: Transactions, make_bot: MakeBot) -> None:
    job_id = enqueue(tx, make_bot())
    held = claim_one(tx, job_id)
    with tx() as session:
        fail_job(session, held, lost(), session_id=None)
    with tx() as session:
        for job in session.scalars(select(BotJob)).all():
            rows = session.scalars(
                select(JobRunEvent).where(JobRunEvent.job_id == job.id).order_by(JobRunEvent.id)
            ).all()
            assert rows[0].from_status is None
            assert rows[-1].to_status == job.status
            for row, following in pairwise(rows):
                assert row.to_status == following.from_status
                assert JobStatus(following.to_status) in TRANSITIONS[JobStatus(row.to_status)]
    assert attempts(tx) == [(1, "FAILED"), (2, "QUEUED")]  # RUN_FAILED is tried again
