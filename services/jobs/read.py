"""Read jobs: one, a bot's active one, a page of a bot's."""

from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import not_found
from services.finding import require_bot
from sql.queries.jobs import read as job_queries
from sql.queries.paging import After, Page
from sql.tables.jobs import BotJob


def get_job(session: Session, job_id: UUID) -> BotJob:
    """Return one job as the database has it now.

    Raises:
        GantryError: NOT_FOUND.

    """
    job = session.get(BotJob, job_id, populate_existing=True)
    if job is None:
        raise not_found("job", job_id, fix="List a bot's jobs: GET /api/bots/{id}/jobs.")
    return job


def active_job(session: Session, bot_id: UUID) -> BotJob | None:
    """Return the bot's QUEUED or RUNNING job."""
    return job_queries.active_job(session, bot_id)


def page_jobs(session: Session, bot_id: UUID, *, after: After | None, limit: int) -> Page[BotJob, After]:
    """Return a page of a bot's jobs, newest first.

    Raises:
        GantryError: NOT_FOUND for an unknown bot.

    """
    require_bot(session, bot_id)
    return job_queries.page_jobs(session, bot_id, after=after, limit=limit)
