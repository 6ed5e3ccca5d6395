"""Jobs and the leases on them: every change is guarded, and answers whether it changed anything."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus, JobType
from fleet.jobs import ACTIVE, TERMINAL
from sql.queries import current
from sql.queries.paging import After, Page, newest_page
from sql.tables.bots import Bot, BotBoundary
from sql.tables.jobs import BotJob


def page_jobs(session: Session, bot_id: UUID, *, after: After | None, limit: int) -> Page[BotJob, After]:
    """Return a page of a bot's jobs, newest first."""
    return newest_page(
        session, select(BotJob).where(BotJob.bot_id == bot_id), (BotJob.created_at, BotJob.id), after=after, limit=limit
    )


def active_job(session: Session, bot_id: UUID) -> BotJob | None:
    """Return the bot's QUEUED or RUNNING job, as the database has it now."""
    query = select(BotJob).where(BotJob.bot_id == bot_id, BotJob.status.in_(ACTIVE))
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def jobs_of(session: Session, ids: Sequence[UUID]) -> Sequence[BotJob]:
    """Return jobs by id, as the database has them now."""
    return session.scalars(
        select(BotJob).where(BotJob.id.in_(ids)).order_by(BotJob.id).execution_options(populate_existing=True)
    ).all()


def ended_now(session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, BotJob]:
    """Return, by bot, the newest backtest that ended in its present epoch and version and was not canceled."""
    query = (
        select(BotJob)
        .join(Bot, current.of_current_version(BotJob))
        .join(BotBoundary, current.of_current_epoch(BotJob))
        .where(
            BotJob.bot_id.in_(bot_ids),
            BotJob.job_type == JobType.BACKTEST,
            BotJob.status.in_(TERMINAL - {JobStatus.CANCELED}),
        )
        .order_by(BotJob.created_at, BotJob.id)
    )
    return {job.bot_id: job for job in session.scalars(query)}
