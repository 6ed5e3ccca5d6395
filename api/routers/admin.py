"""Bulk changes: reset of metrics, revert to LAB. Both in one transaction, with a dry run that is the same code."""

from fastapi import APIRouter, Response

from api.actor import Admin
from api.database import Db, Now
from api.envelope import responses
from api.idempotency import Once
from api.schemas.admin import ResetMetricsReply, ResetMetricsRequest, RevertToLabReply, RevertToLabRequest
from services.resets import reset, revert

router = APIRouter(prefix="/api/admin", tags=["admin"])


@router.post("/reset-metrics", responses=responses(400, 404, 409, 413, 422))
def reset_metrics(
    actor: Admin, session: Db, now: Now, response: Response, once: Once, body: ResetMetricsRequest | None = None
) -> ResetMetricsReply:
    """Reset metrics: they count from now on. Raw results are kept; active backtests in scope are canceled."""
    asked = body or ResetMetricsRequest()
    report = reset.reset_metrics(session, asked.to_request(), dry_run=asked.dry_run, actor=actor.id, now=now)
    return once.answer(ResetMetricsReply.of(report), response, status=200)


@router.post("/revert-to-lab", responses=responses(400, 404, 409, 413, 422))
def revert_to_lab(
    actor: Admin, session: Db, now: Now, response: Response, once: Once, body: RevertToLabRequest
) -> RevertToLabReply:
    """Move bots back to LAB with manual promotion and a locked stage; active jobs are canceled."""
    report = revert.revert_to_lab(
        session,
        body.bot_ids,
        lock_hours=body.lock_hours,
        reason_code=body.reason_code,
        dry_run=body.dry_run,
        actor=actor.id,
        now=now,
    )
    return once.answer(RevertToLabReply.of(report, named=body.bot_ids is not None), response, status=200)
