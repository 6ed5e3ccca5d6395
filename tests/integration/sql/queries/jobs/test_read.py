"""A bot has one active job."""

from concurrent.futures import ThreadPoolExecutor

from core.errors import GantryError
from fleet.closed_sets import JobStatus, JobType
from sql.engine import Transactions
from sql.queries.jobs import claim as claim_queries
from sql.queries.jobs import read as job_queries
from tests.factories.bots import make_bot
from tests.factories.databases import OwnerSql
from tests.factories.jobs import make_job


def test_of_eight_enqueuers_one_wins(tx: Transactions, owner_sql: OwnerSql) -> None:
    with tx() as session:
        bot = make_bot(session)

    def enqueue(_number: int) -> bool:
        try:
            with tx() as session:
                make_job(session, bot)
        except GantryError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(enqueue, range(8)))
    assert sorted(won) == [False] * 7 + [True]
    assert owner_sql("SELECT count(*) FROM bot_jobs") == [(1,)]
    assert owner_sql("SELECT count(*) FROM job_run_events") == [(1,)]


def test_the_active_job_is_the_one_not_ended(tx: Transactions) -> None:
    with tx() as session:
        bot = make_bot(session)
        for status in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TIMEOUT, JobStatus.CANCELED):
            make_job(session, bot, status)
        assert job_queries.active_job(session, bot.id) is None
        queued = make_job(session, bot)
        active = job_queries.active_job(session, bot.id)
        assert active is not None
        assert active.id == queued.id
        waiting = claim_queries.oldest_queued(session, [JobType.BACKTEST], limit=10, symbol=None, bot_ids=None)
        assert [one.job_id for one in waiting] == [queued.id]
