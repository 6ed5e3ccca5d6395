"""What a lost job leads to: another attempt in its time, or none until something changes.

A lost job counts only on the version, in the epoch and in the stay in LAB that are present: a reset, a new version
or a return to LAB begins anew. CANCELED is not a loss: such a job counts as never requested.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.backoff import backoff
from fleet.closed_sets import BacktestKind, DueReason, JobStatus, NotEnqueued
from fleet.jobs import RETRYABLE, JobReason, retry_of
from fleet.planner.due import Due
from fleet.planner.types import BotSnapshot, EndedWork

LOST: Final = frozenset({JobStatus.FAILED, JobStatus.TIMEOUT})
# Permanent until the bars or their supplier change; other permanent failures are the bot's own.
OF_DATA: Final = frozenset(
    {
        JobReason.DATA_UNAVAILABLE,
        JobReason.DATA_QUALITY_FAILED,
        JobReason.PROVIDER_ENTITLEMENT,
        JobReason.INTEGRATION_VERIFY_FAILED,
    }
)


def after_backtest(bot: BotSnapshot, now: datetime) -> Due | NotEnqueued | None:
    """Return what the bot's last backtest leads to when it was lost: a retry or why there is none; else None."""
    return _after(bot, bot.ended_backtest, now)


def after_improvement(bot: BotSnapshot, now: datetime) -> Due | NotEnqueued | None:
    """Return the same of its last improvement; a backtest that a person requested since then clears the losses."""
    run, lost = bot.ended_backtest, bot.ended_improvement
    if run is not None and lost is not None and run.kind is BacktestKind.MANUAL and run.ended_at > lost.ended_at:
        return None
    return _after(bot, lost, now)


def jitter(bot_id: UUID) -> float:
    """Return a bot's own share of the backoff's spread, -1 to 1: always the same one, so that a plan is repeatable."""
    return (bot_id.int % 2001 - 1000) / 1000


def _after(bot: BotSnapshot, ended: EndedWork | None, now: datetime) -> Due | NotEnqueued | None:
    if ended is None or ended.status not in LOST or not _counts(bot, ended):
        return None
    if ended.reason not in RETRYABLE:
        if ended.bars_generation != bot.bars_generation:
            return None
        return NotEnqueued.DATA_UNAVAILABLE if ended.reason in OF_DATA else NotEnqueued.RETRIES_EXHAUSTED
    retry = retry_of(
        ended.status,
        ended.reason,
        root_job_id=ended.root_job_id,
        attempt=ended.attempt,
        max_attempts=ended.max_attempts,
    )
    if retry is None:
        return NotEnqueued.RETRIES_EXHAUSTED
    due_at = ended.ended_at + backoff(ended.attempt, jitter(bot.id))
    return NotEnqueued.BACKOFF if due_at > now else Due(ended.job_type, ended.kind, DueReason.RETRY, due_at, retry)


def _counts(bot: BotSnapshot, ended: EndedWork) -> bool:
    return ended.version_id == bot.version_id and ended.epoch == bot.epoch and ended.ended_at >= bot.lab_since
