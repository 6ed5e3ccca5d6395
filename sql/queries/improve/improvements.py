"""Statements of improvements: what was tried before, the state between two steps, and what came of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus
from sql.queries import current
from sql.queries.paging import After, Page, newest_page
from sql.tables.bots import BotBoundary
from sql.tables.improvements import BotImprovement, ImprovementProgress
from sql.tables.jobs import BotJob


def sets_tried(session: Session, bot_id: UUID, bars_hash: str) -> int:
    """Return how many parameter sets improvements of a bot tried on these very bars."""
    query = select(func.coalesce(func.sum(BotImprovement.sets_tried), 0)).where(
        BotImprovement.bot_id == bot_id, BotImprovement.bars_hash == bars_hash
    )
    return int(session.execute(query).scalar_one())


def state_of(session: Session, root_job_id: UUID) -> dict[str, Any] | None:
    """Return the state that an attempt of this root left; None where none did."""
    return session.scalar(select(ImprovementProgress.state).where(ImprovementProgress.root_job_id == root_job_id))


def note_progress(session: Session, job_id: UUID, token: UUID, share: float) -> bool:
    """Note the share done of a RUNNING job held under this lease; False when it is no longer held."""
    query = (
        update(BotJob)
        .where(BotJob.id == job_id, BotJob.status == JobStatus.RUNNING, BotJob.lease_token == token)
        .values(progress=share, progress_at=func.clock_timestamp())
        .returning(BotJob.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(query) is not None


def save_state(
    session: Session, root_job_id: UUID, bot_id: UUID, *, state: dict[str, Any], steps_done: int, steps_total: int
) -> None:
    """Keep a root's state; what other roots of the bot left can't be of use any more, and goes."""
    session.execute(
        delete(ImprovementProgress).where(
            ImprovementProgress.bot_id == bot_id, ImprovementProgress.root_job_id != root_job_id
        )
    )
    changing = {
        "state": state,
        "steps_done": steps_done,
        "steps_total": steps_total,
        "updated_at": func.clock_timestamp(),
    }
    query = insert(ImprovementProgress).values(root_job_id=root_job_id, bot_id=bot_id, **changing)
    session.execute(query.on_conflict_do_update(index_elements=["root_job_id"], set_=changing))


def drop_state(session: Session, root_job_id: UUID) -> None:
    """Forget a root's state."""
    session.execute(delete(ImprovementProgress).where(ImprovementProgress.root_job_id == root_job_id))


def backtest_epoch(session: Session, bot_id: UUID) -> int:
    """Return a bot's BACKTEST epoch."""
    query = select(BotBoundary.epoch).where(current.boundary_of(bot_id))
    return session.execute(query).scalar_one()


def of_jobs(session: Session, job_ids: Sequence[UUID]) -> Sequence[BotImprovement]:
    """Return the improvements that these jobs came to."""
    return session.scalars(select(BotImprovement).where(BotImprovement.job_id.in_(job_ids))).all()


def page(session: Session, bot_id: UUID, *, after: After | None, limit: int) -> Page[BotImprovement, After]:
    """Return a page of a bot's improvements, newest first."""
    query = select(BotImprovement).where(BotImprovement.bot_id == bot_id)
    return newest_page(session, query, (BotImprovement.created_at, BotImprovement.id), after=after, limit=limit)
