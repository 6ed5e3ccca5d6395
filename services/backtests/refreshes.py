"""Refreshes: a backtest whose version, bars, costs and engine are as they were has its result already."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from fleet.closed_sets import ActivityEvent, BacktestKind, JobStatus
from fleet.jobs import JobReason
from fleet.planner.bars_outlook import Suppliers, generation
from services import events
from services.backtests.compute import Material
from services.bots.costs import stored_costs
from services.code_version import code_version
from services.jobs import ledger
from services.jobs.plan import BarsKey, Claim
from sql.engine import Transactions
from sql.queries import clock as clock_queries
from sql.queries.backtests import refreshes as queries
from sql.queries.bars import catalogue
from sql.queries.jobs import finish as finish_queries
from sql.tables.results import BacktestSession
from trading.backtest.run import engine_version


def begin(tx: Transactions, jobs: Sequence[Claim], key: BarsKey, suppliers: Suppliers, min_sessions: int) -> None:
    """Note on jobs that begin what bars and suppliers there are (a flow), before the bars are read.

    What came in between makes the planner try once more than it had to, never once too seldom.
    """
    with tx() as session:
        months = catalogue.months_in_use(session, symbol=key.symbol).get(key.symbol, ())
        window = {"start": key.start, "end": key.end}
        made_on = generation(window, months, suppliers, min_sessions, clock_queries.database_time(session))
        queries.note_generation(session, {job.job_id: job.token for job in jobs}, made_on)


def unchanged(session: Session, jobs: Sequence[Claim], material: Material) -> Mapping[UUID, UUID]:
    """Return, by job, the session that a refresh would write once more (a unit)."""
    asked = [job for job in jobs if job.kind is BacktestKind.REFRESH and job.plan.fault is None]
    if not asked:
        return {}
    standing = queries.standing_sessions(session, [job.bot_id for job in asked])
    return {
        job.job_id: found.id
        for job in asked
        if (found := standing.get(job.bot_id)) is not None and _same(found, job, material)
    }


def complete(session: Session, jobs: Sequence[Claim], sessions: Mapping[UUID, UUID]) -> frozenset[UUID]:
    """End refreshes COMPLETED, each at the session there is; return those whose lease was still held (a unit)."""
    ended = finish_queries.complete(session, {job.job_id: (job.token, sessions[job.job_id]) for job in jobs})
    won = [job for job in jobs if job.job_id in ended]
    ledger.record_all(
        session,
        JobStatus.RUNNING,
        JobStatus.COMPLETED,
        JobReason.FINISHED,
        [(job, {"session_id": str(sessions[job.job_id]), "unchanged": True}) for job in won],
    )
    events.publish_all(
        session,
        ActivityEvent.BACKTEST_COMPLETED,
        [
            (
                job,
                "Backtest refreshed: version, bars, costs and engine are unchanged, so its result stands.",
                {"session_id": str(sessions[job.job_id]), "unchanged": True},
            )
            for job in won
        ],
    )
    return frozenset(ended)


def _same(found: BacktestSession, job: Claim, material: Material) -> bool:
    now = (
        job.version_id,
        job.epoch,
        material.loaded.bars_hash,
        engine_version(),
        code_version(),
        stored_costs(job.plan.costs),
    )
    then = (
        found.version_id,
        found.epoch,
        found.bars_hash,
        found.engine_version,
        found.code_version,
        found.costs,
    )
    return now == then
