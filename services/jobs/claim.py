"""Claims: a worker takes the oldest queued jobs, never more than the caps leave, and all that follows from it."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from core.ids import new_id
from fleet.caps import BACKTESTS, Caps
from fleet.closed_sets import ActivityEvent, BacktestKind, JobStatus, JobType
from fleet.job_feed import event_of, label_of_type
from fleet.jobs import JobReason
from services import events
from services.events import JobRef
from services.jobs import ledger
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Claim, plan_of
from sql.queries.jobs import claim as queries


def claim_chunk(  # noqa: PLR0913 - all but the session by keyword
    session: Session,
    *,
    caps: Caps,
    most: int,
    terms: LeaseTerms,
    run_id: str | None,
    job_types: frozenset[JobType] = BACKTESTS,
    worker_id: UUID | None = None,
    symbol: str | None = None,
    bot_ids: Sequence[UUID] | None = None,
) -> tuple[Claim, ...]:
    """Take up to `most` of the oldest due jobs under leases, as far as the caps leave room (a unit).

    job_types: of one cap: BACKTESTS or IMPROVING. symbol, bot_ids: only jobs of that symbol, of those bots.
    Epoch and version are copied under the bots' locks.
    The number of statements is the same whatever the number of jobs.
    """
    queries.lock_caps(session)
    room = min(most, caps.free(min(job_types), queries.running_by_type(session)))
    if room <= 0:
        return ()
    candidates = queries.oldest_queued(session, job_types, limit=room, symbol=symbol, bot_ids=bot_ids)
    candidates = _within_symbol_cap(session, caps, candidates)
    if not candidates:
        return ()
    bots = {row[0].id: row for row in queries.lock_bots(session, [one.bot_id for one in candidates])}
    jobs = [job for job in queries.lock_queued(session, [one.job_id for one in candidates]) if job.bot_id in bots]
    taken = [queries.Taken(job.id, new_id(), bots[job.bot_id][2], bots[job.bot_id][1].id) for job in jobs]
    if not taken:
        return ()
    started = queries.take(session, taken, lease_s=terms.lease_s, run_id=run_id, worker_id=worker_id)
    won = [(job, one) for job, one in zip(jobs, taken, strict=True) if job.id in started]
    claims = tuple(
        Claim(
            job_id=job.id,
            bot_id=job.bot_id,
            version_id=one.version_id,
            token=one.token,
            epoch=one.epoch,
            attempt=job.attempt,
            max_attempts=job.max_attempts,
            root_job_id=job.root_job_id,
            started_at=started[job.id],
            trace_id=job.trace_id,
            actor=job.actor,
            plan=plan_of(bots[job.bot_id][0], bots[job.bot_id][1]),
            job_type=JobType(job.job_type),
            kind=BacktestKind(job.kind) if job.kind else None,
        )
        for job, one in sorted(won, key=lambda pair: (pair[0].created_at, pair[0].id))
    )
    reported = [(claim, {"run_id": run_id, "epoch": claim.epoch}) for claim in claims]
    ledger.record_all(session, JobStatus.QUEUED, JobStatus.RUNNING, JobReason.CLAIMED, reported)
    begun: list[tuple[ActivityEvent, JobRef, str, dict[str, object]]] = [
        (
            event_of(claim.job_type, "STARTED"),
            claim,
            f"{label_of_type(claim.job_type)} started, attempt {claim.attempt}.",
            {},
        )
        for claim in claims
    ]
    events.publish_each(session, begun)
    return claims


def _within_symbol_cap(
    session: Session, caps: Caps, candidates: Sequence[queries.Candidate]
) -> Sequence[queries.Candidate]:
    """Return those that the cap of their symbol leaves room for; counted under the caps' lock, as all of them."""
    if caps.per_symbol is None or not candidates:
        return candidates
    running = Counter(queries.running_by_symbol(session))
    kept = []
    for one in candidates:
        if running[one.symbol] < caps.per_symbol:
            running[one.symbol] += 1
            kept.append(one)
    return kept
