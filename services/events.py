"""Events: record what happened to bots and to the system, and page through the feed."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.ids import new_id
from core.trace import current_trace_id
from fleet.closed_sets import ActivityEvent, SystemEvent
from sql.queries import events as event_queries
from sql.queries.paging import After, Page
from sql.tables.events import Activity, SystemEventRow


def publish(
    session: Session,
    event_type: ActivityEvent,
    message: str,
    *,
    actor: str,
    bot_id: UUID | None = None,
    job_id: UUID | None = None,
    payload: dict[str, Any] | None = None,
) -> None:
    """Write one line of the feed, in the transaction of what it describes."""
    session.add(
        Activity(
            id=new_id(),
            event_type=event_type,
            bot_id=bot_id,
            job_id=job_id,
            actor=actor,
            message=message,
            payload=payload or {},
            trace_id=current_trace_id(),
        )
    )
    session.flush()


class JobRef(Protocol):
    """What an event says of a job."""

    @property
    def job_id(self) -> UUID: ...  # noqa: D102
    @property
    def bot_id(self) -> UUID: ...  # noqa: D102
    @property
    def actor(self) -> str: ...  # noqa: D102
    @property
    def trace_id(self) -> str: ...  # noqa: D102


def publish_all(
    session: Session, event_type: ActivityEvent, reported: Sequence[tuple[JobRef, str, dict[str, Any]]]
) -> None:
    """Write a line of the feed for each of several jobs, under its own trace: job, message, payload."""
    publish_each(session, [(event_type, *one) for one in reported])


def publish_each(session: Session, reported: Sequence[tuple[ActivityEvent, JobRef, str, dict[str, Any]]]) -> None:
    """Do the same where each job has an event of its own; one statement."""
    if reported:
        rows = [
            {
                "id": new_id(),
                "event_type": event_type,
                "bot_id": job.bot_id,
                "job_id": job.job_id,
                "actor": job.actor,
                "message": message,
                "payload": payload,
                "trace_id": job.trace_id,
            }
            for event_type, job, message, payload in reported
        ]
        session.execute(insert(Activity), rows)


def note(
    session: Session, event_type: SystemEvent, message: str, *, actor: str, payload: dict[str, Any] | None = None
) -> None:
    """Write one event of the system itself."""
    session.add(
        SystemEventRow(
            id=new_id(),
            event_type=event_type,
            actor=actor,
            message=message,
            payload=payload or {},
            trace_id=current_trace_id(),
        )
    )
    session.flush()


def page_activity(session: Session, *, bot_id: UUID | None, after: After | None, limit: int) -> Page[Activity, After]:
    """Return a page of the feed, newest first."""
    return event_queries.page_activity(session, bot_id=bot_id, after=after, limit=limit)
