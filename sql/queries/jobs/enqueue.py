"""Inserts of queued jobs, with their ledger rows and lines of the feed: one statement each, whatever the number."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from fleet.closed_sets import BacktestKind, DueReason, JobType
from fleet.job_feed import event_of, label_of_type
from fleet.jobs import JobReason
from sql.arrays import text_array, uuid_array

# iteration: 1 + the bot's earlier root jobs of that type; a retry keeps its root's. The newest job of a type has the
# iteration of the newest root, which is how many roots there are: no history is counted.
# created_at grows along the given order: workers take the oldest first, and a statement has one clock only.
_JOBS: Final = text(
    """
    INSERT INTO bot_jobs (id, root_job_id, bot_id, job_type, kind, status, attempt, max_attempts, not_before, iteration,
                          actor, trace_id, created_at)
    SELECT p.id, coalesce(p.root_job_id, p.id), p.bot_id, p.job_type, p.kind, 'QUEUED', p.attempt, :max_attempts,
           clock_timestamp() + CAST(:wait AS interval),
           coalesce((SELECT r.iteration FROM bot_jobs r WHERE r.id = p.root_job_id),
                    1 + coalesce((SELECT j.iteration FROM bot_jobs j
                                  WHERE j.bot_id = p.bot_id AND j.job_type = p.job_type
                                  ORDER BY j.created_at DESC, j.id DESC LIMIT 1), 0)),
           :actor, :trace_id, clock_timestamp() + (p.place - 1) * interval '1 microsecond'
    FROM unnest(CAST(:ids AS uuid[]), CAST(:roots AS uuid[]), CAST(:bot_ids AS uuid[]), CAST(:types AS text[]),
                CAST(:kinds AS text[]), CAST(:attempts AS int[]))
         WITH ORDINALITY p (id, root_job_id, bot_id, job_type, kind, attempt, place)
    ON CONFLICT (bot_id) WHERE status IN ('QUEUED', 'RUNNING') DO NOTHING
    RETURNING id
    """
)
_LEDGER: Final = text(
    """
    INSERT INTO job_run_events (job_id, from_status, to_status, reason_code, trace_id, metadata)
    SELECT id, NULL, 'QUEUED', CASE WHEN attempt > 1 THEN 'RETRY' ELSE :reason END, trace_id,
           jsonb_build_object('attempt', attempt)
    FROM unnest(CAST(:ids AS uuid[])) t (id) JOIN bot_jobs USING (id)
    """
)
_FEED: Final = text(
    """
    INSERT INTO activity_events (id, event_type, bot_id, job_id, actor, message, payload, trace_id)
    SELECT t.id, CAST(:events AS jsonb) ->> j.job_type, j.bot_id, j.id, j.actor,
           (CAST(:words AS jsonb) ->> j.job_type) || ' queued, attempt ' || j.attempt || coalesce(': ' || t.due, '')
             || '.',
           CASE WHEN t.due IS NULL THEN '{}' ELSE jsonb_build_object('reason_code', t.due, 'kind', j.kind) END,
           :trace_id
    FROM unnest(CAST(:event_ids AS uuid[]), CAST(:ids AS uuid[]), CAST(:due AS text[])) t (id, job_id, due)
    JOIN bot_jobs j ON j.id = t.job_id
    """
)
_EVENTS: Final = json.dumps({kind.value: event_of(kind, "QUEUED").value for kind in JobType})
_WORDS: Final = json.dumps({kind.value: label_of_type(kind) for kind in JobType})


class NewJob(NamedTuple):
    """A job to queue. kind: of a backtest, else None. root_job_id, attempt: of a retry; None and 1 for a new root.

    due: why the planner wants it; None where somebody asked.
    """

    id: UUID
    bot_id: UUID
    job_type: JobType
    kind: BacktestKind | None
    root_job_id: UUID | None = None
    attempt: int = 1
    due: DueReason | None = None


def insert_jobs(
    session: Session, jobs: Sequence[NewJob], *, max_attempts: int, wait: timedelta | None, actor: str, trace_id: str
) -> frozenset[UUID]:
    """Insert QUEUED jobs in this order; return those that were: a bot with an active job gets none."""
    values: dict[str, Any] = {
        "ids": uuid_array(job.id for job in jobs),
        "roots": uuid_array(job.root_job_id for job in jobs),
        "bot_ids": uuid_array(job.bot_id for job in jobs),
        "types": text_array(job.job_type for job in jobs),
        "kinds": text_array(job.kind for job in jobs),
        "attempts": [job.attempt for job in jobs],
        "max_attempts": max_attempts,
        "wait": wait,
        "actor": actor,
        "trace_id": trace_id,
    }
    return frozenset(session.scalars(_JOBS, values))


def insert_ledger_rows(session: Session, job_ids: Sequence[UUID], *, reason: JobReason) -> None:
    """Write the first ledger row of these jobs; a further attempt's reason is RETRY, whatever is given."""
    session.execute(_LEDGER, {"ids": uuid_array(job_ids), "reason": reason.value})


def insert_feed_lines(session: Session, lines: Sequence[tuple[UUID, NewJob]], *, trace_id: str) -> None:
    """Write a line of the feed for each of these jobs, under an id of its own."""
    values = {
        "event_ids": uuid_array(line_id for line_id, _ in lines),
        "ids": uuid_array(job.id for _, job in lines),
        "due": text_array(job.due for _, job in lines),
    }
    session.execute(_FEED, {"events": _EVENTS, "words": _WORDS, "trace_id": trace_id, **values})
