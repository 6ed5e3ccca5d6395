"""Reads of jobs over the whole fleet, and of their ledger."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from sql.tables.bots import Bot
from sql.tables.jobs import BotJob, JobRunEvent


def newest(session: Session, *, bot_id: UUID | None, status: str | None, limit: int) -> Sequence[tuple[BotJob, str]]:
    """Return the newest jobs, each with its bot's name."""
    query = select(BotJob, Bot.name).join(Bot, Bot.id == BotJob.bot_id)
    if bot_id is not None:
        query = query.where(BotJob.bot_id == bot_id)
    if status is not None:
        query = query.where(BotJob.status == status)
    rows = session.execute(query.order_by(BotJob.created_at.desc(), BotJob.id.desc()).limit(limit))
    return [(job, name) for job, name in rows]


def one(session: Session, job_id: UUID) -> tuple[BotJob, str] | None:
    """Return a job with its bot's name."""
    row = session.execute(select(BotJob, Bot.name).join(Bot, Bot.id == BotJob.bot_id).where(BotJob.id == job_id))
    return next(((job, name) for job, name in row), None)


def ledger_of(session: Session, job_id: UUID) -> Sequence[JobRunEvent]:
    """Return a job's transitions, oldest first."""
    return session.scalars(select(JobRunEvent).where(JobRunEvent.job_id == job_id).order_by(JobRunEvent.id)).all()
