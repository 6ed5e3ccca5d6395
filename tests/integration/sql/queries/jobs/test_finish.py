"""Only who holds a job's lease ends it."""

from core.ids import new_id
from fleet.closed_sets import JobStatus
from sql.engine import Transactions
from sql.queries.jobs import finish as finish_queries
from sql.queries.jobs.finish import Ending
from sql.tables.jobs import BotJob
from tests.factories.jobs import new_job


def test_only_the_token_of_the_lease_ends_a_job(tx: Transactions) -> None:
    job = new_job(tx, JobStatus.RUNNING)
    assert job.lease_token is not None
    with tx() as session:
        assert finish_queries.finish(session, job.id, new_id(), Ending(JobStatus.COMPLETED)) is None
        ended = finish_queries.finish(
            session, job.id, job.lease_token, Ending(JobStatus.FAILED, None, "STRATEGY_ERROR", "m", "f")
        )
        assert ended is not None
        assert finish_queries.finish(session, job.id, job.lease_token, Ending(JobStatus.COMPLETED)) is None, (
            "terminal is final"
        )
        stored = session.get_one(BotJob, job.id, populate_existing=True)
        assert (stored.status, stored.error_code, stored.lease_token) == ("FAILED", "STRATEGY_ERROR", None)
        assert stored.completed_at == ended
