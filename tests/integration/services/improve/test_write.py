"""What an improvement writes: by who holds the job, for the bot as it was, and nothing else."""

from uuid import UUID

import pytest
from sqlalchemy import select

from fleet.closed_sets import JobStatus, MetricsScope
from integrations.store import BarsStore
from services.bots.change import BotChange, archive_bot, change_bot
from services.improve.run import Improver
from services.jobs.read import get_job
from services.jobs.reaper import reap_lost_leases
from services.resets.reset import ResetRequest, reset_metrics
from sql.engine import Transactions
from sql.tables.events import Activity
from tests.factories.bots import NOW
from tests.factories.databases import OwnerSql
from tests.factories.improvements import (
    STEPS,
    TERMS,
    assert_sound,
    interrupted,
    outcomes,
    queue_improvement,
    saved,
    take,
    version_of,
)


@pytest.mark.usefixtures("edge")
@pytest.mark.parametrize("what", ["lease lost", "reset", "archived"])
@pytest.mark.parametrize("after", [2, STEPS])
def test_a_worker_that_lost_the_job_between_two_steps_writes_nothing_more(
    tx: Transactions, store: BarsStore, far_off: UUID, owner_sql: OwnerSql, what: str, after: int
) -> None:
    def happens() -> None:
        if what == "lease lost":
            owner_sql("UPDATE bot_jobs SET lease_expires_at = clock_timestamp() - interval '1 s'")
            assert len(reap_lost_leases(tx, actor="test").retried) == 1
            return
        with tx() as session:
            if what == "archived":
                archive_bot(session, far_off, actor="test", now=NOW)
            else:
                asked = ResetRequest(MetricsScope.ALL, (far_off,), "TEST")
                reset_metrics(session, asked, dry_run=False, actor="test", now=NOW)

    job_id = queue_improvement(tx, far_off)
    before, base = version_of(tx, far_off)
    (claim,) = take(tx)
    improved = Improver(interrupted(tx, after, happens), store, TERMS).improve(claim)
    assert improved.status is JobStatus.TIMEOUT
    assert [done for _root, done, _state in saved(tx)] == [after]
    assert outcomes(tx) == []
    bot, version = version_of(tx, far_off)
    assert version.id == base.id
    assert bot.revision == before.revision + (what == "archived")
    with tx() as session:
        job = get_job(session, job_id)
        assert (job.status, job.progress) == ("TIMEOUT" if what == "lease lost" else "CANCELED", after / STEPS)
        ends = session.scalars(select(Activity.message).where(Activity.event_type == "IMPROVE_CANCELED")).all()
    assert [line.split(":")[0] for line in ends] == ([] if what == "lease lost" else ["Improvement canceled"])
    assert_sound(tx)


@pytest.mark.usefixtures("edge")
def test_a_candidate_isnt_adopted_for_a_bot_that_is_another_one_by_then(
    tx: Transactions, store: BarsStore, far_off: UUID
) -> None:
    def happens() -> None:
        with tx() as session:
            change_bot(session, far_off, BotChange(params={"width": 3.0}), revisions=None, actor="test", now=NOW)

    queue_improvement(tx, far_off)
    (claim,) = take(tx)
    improved = Improver(interrupted(tx, 2, happens), store, TERMS).improve(claim)
    assert (improved.status, improved.verdict) == (JobStatus.COMPLETED, "REJECTED")
    (row,) = outcomes(tx)
    assert (row.reason_code, row.evidence["found"]["adopt"]) == ("SUPERSEDED", True)
    _bot, version = version_of(tx, far_off)
    assert (version.number, version.reason_code, version.params["width"]) == (2, "CHANGED", 3.0)
    assert_sound(tx)
