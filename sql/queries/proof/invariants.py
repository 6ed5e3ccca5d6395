"""What must always hold, as queries: each returns rows that break a rule, with their ids, and changes nothing.

Each rule is one statement, so that it sees one snapshot: on a fleet at work it never reports a change half seen.
Results' rules are in `sql.queries.proof.invariants_results`.

What counts now (current epoch, current version, newest completed session) is written out in SQL here, not taken from
`sql.queries.current`: a checker that shared that code would share its faults.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from fleet.closed_sets import JobStatus
from fleet.jobs import ACTIVE, RETRYABLE, TERMINAL, TRANSITIONS
from fleet.stages import STAGE_TRANSITIONS

TIMEOUT_MS: Final = 600_000  # sums over all trades of a large fleet take longer than a request may
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: which invariant it belongs to, what a row found says (named by its columns), and the query."""

    invariant: str
    message: str
    query: str


_KNOWN: Final[Mapping[str, list[str]]] = {
    "moves": [f"{old}>{new}" for old, following in TRANSITIONS.items() for new in following],
    "active": [status.value for status in ACTIVE],
    "terminal": [status.value for status in TERMINAL],
    "retryable": [reason.value for reason in RETRYABLE],
    "lost": [JobStatus.FAILED.value, JobStatus.TIMEOUT.value],
    "stage_moves": [
        f"{change}:{old or ''}>{new}" for change, ways in STAGE_TRANSITIONS.items() for old, new in ways.items()
    ],
}

# Ledger ids of one job grow with its transitions: each is drawn under the job's row lock.
_LEDGER: Final = """
    SELECT id AS event_id, job_id, from_status, to_status, lag(to_status) OVER w AS status_before,
           row_number() OVER w AS place
    FROM job_run_events WINDOW w AS (PARTITION BY job_id ORDER BY id)
"""
_STAGES: Final = """
    SELECT id AS event_id, bot_id, event_type, from_stage, to_stage, lag(to_stage) OVER w AS stage_before
    FROM bot_stage_events WINDOW w AS (PARTITION BY bot_id ORDER BY created_at, id)
"""

AT_REST: Final = Rule(
    "I1",
    "job {job_id} hasn't ended: it is {status}",
    "SELECT id AS job_id, bot_id, status, attempt, created_at FROM bot_jobs WHERE status = ANY(:active)",
)
RULES: Final = (
    Rule(
        "I1",
        "job {job_id} doesn't begin with a ledger row from nothing to QUEUED",
        """
        SELECT j.id AS job_id, j.bot_id, e.from_status, e.to_status FROM bot_jobs j LEFT JOIN LATERAL
          (SELECT * FROM job_run_events WHERE job_id = j.id ORDER BY id LIMIT 1) e ON true
        WHERE e.from_status IS NOT NULL OR e.to_status IS DISTINCT FROM 'QUEUED'
        """,
    ),
    Rule(
        "I1",
        "job {job_id} was lost ({reason_code}) with attempts left, and no other was queued",
        """
        SELECT j.id AS job_id, j.bot_id, j.attempt, j.max_attempts, e.reason_code
        FROM bot_jobs j JOIN bots b ON b.id = j.bot_id JOIN LATERAL
          (SELECT * FROM job_run_events WHERE job_id = j.id ORDER BY id DESC LIMIT 1) e ON true
        WHERE j.status = ANY(:lost) AND e.reason_code = ANY(:retryable) AND j.attempt < j.max_attempts
          AND b.archived_at IS NULL AND NOT EXISTS
          (SELECT FROM bot_jobs n WHERE n.root_job_id = j.root_job_id AND n.attempt = j.attempt + 1)
        """,
    ),
    Rule(
        "I2",
        "bot {bot_id} has several active jobs",
        """
        SELECT bot_id, array_agg(id ORDER BY id) AS job_ids FROM bot_jobs WHERE status = ANY(:active)
        GROUP BY bot_id HAVING count(*) > 1
        """,
    ),
    Rule(
        "I2",
        "job {job_id} was claimed while another job of its bot was held",
        """
        WITH held AS (
          SELECT job_id, min(created_at) FILTER (WHERE to_status = 'RUNNING') AS since,
                 coalesce(min(created_at) FILTER (WHERE from_status = 'RUNNING'), 'infinity') AS until
          FROM job_run_events GROUP BY job_id HAVING bool_or(to_status = 'RUNNING')
        ), ordered AS (
          SELECT job_id, bot_id, since, max(until) OVER
            (PARTITION BY bot_id ORDER BY since, job_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS taken
          FROM held JOIN bot_jobs j ON j.id = job_id
        )
        SELECT job_id, bot_id, since::text AS claimed_at, taken::text AS other_held_until
        FROM ordered WHERE taken > since
        """,
    ),
    Rule(
        "I3",
        "ledger row {event_id} takes job {job_id} from {from_status} to {to_status} after {status_before}",
        f"""
        SELECT event_id, job_id, from_status, to_status, status_before FROM ({_LEDGER}) ledger
        WHERE CASE WHEN place = 1 THEN from_status IS NOT NULL OR to_status <> 'QUEUED'
              ELSE from_status IS DISTINCT FROM status_before OR from_status || '>' || to_status <> ALL(:moves) END
        """,  # noqa: S608 - constants alone
    ),
    Rule(
        "I3",
        "job {job_id} is {status}, its ledger ends in {to_status}",
        """
        SELECT j.id AS job_id, j.bot_id, j.status, e.to_status FROM bot_jobs j LEFT JOIN LATERAL
          (SELECT * FROM job_run_events WHERE job_id = j.id ORDER BY id DESC LIMIT 1) e ON true
        WHERE e.to_status IS DISTINCT FROM j.status
        """,
    ),
    Rule(
        "I4",
        "job {job_id} is attempt {attempt} of at most {max_attempts}",
        "SELECT id AS job_id, bot_id, attempt, max_attempts FROM bot_jobs WHERE attempt NOT BETWEEN 1 AND max_attempts",
    ),
    Rule(
        "I4",
        "the attempts of root {root_job_id} aren't 1, 2, ... of one bot: {attempts}",
        """
        SELECT root_job_id, array_agg(attempt ORDER BY attempt) AS attempts, array_agg(id ORDER BY attempt) AS job_ids
        FROM bot_jobs GROUP BY root_job_id
        HAVING count(DISTINCT attempt) <> count(*) OR max(attempt) <> count(*) OR min(attempt) <> 1
            OR count(DISTINCT bot_id) > 1 OR NOT bool_or(id = root_job_id AND attempt = 1)
        """,
    ),
    Rule(
        "I4",
        "ledger row {event_id} moves job {job_id} on from {status_before}, which is final",
        f"""
        SELECT event_id, job_id, status_before, to_status FROM ({_LEDGER}) ledger
        WHERE status_before = ANY(:terminal)
        """,  # noqa: S608 - the same
    ),
    Rule(
        "I4",
        "job {job_id} is a further attempt after one that is {status_before}",
        """
        SELECT * FROM (
          SELECT id AS job_id, root_job_id, attempt, lag(status) OVER
            (PARTITION BY root_job_id ORDER BY attempt, id) AS status_before
          FROM bot_jobs
        ) attempts WHERE status_before <> ALL(:lost)
        """,
    ),
    Rule(
        "I7",
        "bot {bot_id} is in {stage}, its stage events end in {to_stage}",
        """
        SELECT b.id AS bot_id, b.stage, e.to_stage FROM bots b LEFT JOIN LATERAL
          (SELECT * FROM bot_stage_events WHERE bot_id = b.id ORDER BY created_at DESC, id DESC LIMIT 1) e ON true
        WHERE e.to_stage IS DISTINCT FROM b.stage
        """,
    ),
    Rule(
        "I7",
        "stage event {event_id} ({event_type}) takes bot {bot_id} from {from_stage} to {to_stage} after {stage_before}",
        f"""
        SELECT event_id, bot_id, event_type, from_stage, to_stage, stage_before FROM ({_STAGES}) stages
        WHERE from_stage IS DISTINCT FROM stage_before
           OR event_type || ':' || coalesce(from_stage, '') || '>' || to_stage <> ALL(:stage_moves)
        """,  # noqa: S608 - the same
    ),
    Rule(
        "I7",
        "bot {bot_id} was created {times} times by its stage events",
        """
        SELECT b.id AS bot_id, count(e.id) AS times FROM bots b
        LEFT JOIN bot_stage_events e ON e.bot_id = b.id AND e.event_type = 'CREATED'
        GROUP BY b.id HAVING count(e.id) <> 1
        """,
    ),
    Rule(
        "I7",
        "bot {bot_id} has {resets} resets that cover {source}, its epoch says {epoch}",
        """
        SELECT o.bot_id, o.source, o.epoch, count(e.id) AS resets FROM bot_boundaries o
        LEFT JOIN bot_metrics_events e ON e.bot_id = o.bot_id AND (e.scope = 'ALL'
          OR (e.scope = 'BACKTEST_ONLY' AND o.source = 'BACKTEST')
          OR (e.scope = 'PAPER_ONLY' AND o.source IN ('PAPER', 'SHADOW'))
          OR (e.scope = 'LIVE_ONLY' AND o.source IN ('CANARY', 'LIVE')))
        GROUP BY o.bot_id, o.source, o.epoch HAVING count(e.id) <> o.epoch
        """,
    ),
    Rule(
        "I7",
        "bot {bot_id} was last reset by {reset_by}, its audit rows say {actor}",
        """
        SELECT b.id AS bot_id, b.metrics_reset_by AS reset_by, e.actor FROM bots b LEFT JOIN LATERAL
          (SELECT * FROM bot_metrics_events WHERE bot_id = b.id ORDER BY created_at DESC, id DESC LIMIT 1) e ON true
        WHERE (b.metrics_reset_by, b.metrics_reset_scope, b.metrics_reset_reason_code)
          IS DISTINCT FROM (e.actor, coalesce(e.scope, 'ALL'), e.reason_code)
        """,
    ),
)


def allow_long_statements(session: Session) -> None:
    """Let statements of this transaction take longer than a request's."""
    session.execute(text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(TIMEOUT_MS)})


def offenders(session: Session, rule: Rule, *, limit: int) -> list[dict[str, Any]]:
    """Return up to `limit` rows that break a rule."""
    query = text(f"SELECT * FROM ({rule.query}) found LIMIT :limit")  # noqa: S608 - the same
    return [dict(row) for row in session.execute(query, {"limit": limit, **_KNOWN}).mappings()]


def stream(session: Session, query: str) -> Iterator[dict[str, Any]]:
    """Return rows of a query, a few hundred in memory at a time."""
    for row in session.execute(text(query), execution_options={"yield_per": _AT_ONCE}).mappings():
        yield dict(row)
