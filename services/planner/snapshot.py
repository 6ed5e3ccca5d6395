"""The fleet as the planner sees it: read in a fixed number of statements, put together without another."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from core.errors import ErrorCode
from core.log import get_logger
from fleet.closed_sets import (
    BacktestKind,
    ImprovementVerdict,
    JobStatus,
    JobType,
    PromotionMode,
    Stage,
)
from fleet.grading_bars import MIN_SESSIONS
from fleet.jobs import JobReason, reason_of
from fleet.planner.bars_outlook import BarsOutlook, Suppliers, outlook
from fleet.planner.types import ActiveWork, Baseline, BotSnapshot, EndedWork, FleetSnapshot, LastImprovement
from services.promotion.read import due_for_promotion
from sql.queries.bars import catalogue
from sql.queries.planner import snapshot as queries

_IMPROVING: Final = (JobType.IMPROVE, JobType.EVOLVE)


def read_fleet(
    session: Session,
    suppliers: Suppliers,
    now: datetime,
    *,
    evolve_after: int,
    development: bool,
    min_sessions: int = MIN_SESSIONS,
) -> FleetSnapshot:
    """Return the whole fleet, archived bots included, in a fixed number of statements (a unit).

    now: the database's. development: imported bars are evidence for a promotion too. min_sessions: of real bars, from
    which on bots are graded on them.
    """
    promoted = due_for_promotion(session, now=now, development=development)
    active = {row.bot_id: row for row in queries.active_jobs(session)}
    backtests = {row.bot_id: row for row in queries.ended_jobs(session, JobType.BACKTEST)}
    improving = _newest((kind, row) for kind in _IMPROVING for row in queries.ended_jobs(session, kind))
    baselines = {row.bot_id: row for row in queries.baselines(session)}
    rounds = _rounds(queries.improvements(session, most=max(1, evolve_after)))
    months = catalogue.months_in_use(session)
    fetching = queries.fetching(session)

    @cache
    def bars(symbol: str, start: str | None, end: str | None) -> BarsOutlook:
        window, known = {"start": start, "end": end}, months.get(symbol, ())
        return outlook(symbol, window, known, suppliers, min_sessions, fetching, now)

    def snapshot(row: Any) -> BotSnapshot | None:
        """Return one bot; None for one whose rows can't be read: it alone waits, and the log says why."""
        try:
            return of_row(row)
        except (LookupError, TypeError, ValueError, AttributeError):
            get_logger("planner").exception("bot_not_read", bot_id=str(row.id))
            return None

    def of_row(row: Any) -> BotSnapshot:
        return _bot(
            row,
            bars(row.symbol, row.window_start, row.window_end),
            active.get(row.id),
            backtests.get(row.id),
            improving.get(row.id),
            baselines.get(row.id),
            rounds.get(row.id),
            promotion_due=row.id in promoted,
        )

    found = tuple(bot for row in queries.bots(session) if (bot := snapshot(row)) is not None)
    running = [row for row in active.values() if row.status == JobStatus.RUNNING]
    return FleetSnapshot(
        found,
        {JobType(kind): count for kind, count in Counter(row.job_type for row in running).items()},
        dict(Counter(row.symbol for row in running)),
    )


def _bot(
    row: Row[Any],
    bars: BarsOutlook,
    active: Row[Any] | None,
    backtest: Row[Any] | None,
    improving: tuple[JobType, Row[Any]] | None,
    baseline: Row[Any] | None,
    rounds: LastImprovement | None,
    *,
    promotion_due: bool,
) -> BotSnapshot:
    lab_since: datetime = row.lab_since or row.created_at
    asked = [lab_since, row.version_at, *([row.boundary_at] if row.epoch else [])]
    return BotSnapshot(
        id=row.id,
        symbol=row.symbol,
        stage=Stage(row.stage),
        lab_since=lab_since,
        asked_at=max(asked),
        version_id=row.version_id,
        epoch=row.epoch,
        bars=bars.state,
        bars_generation=bars.generation,
        bars_last_at=bars.last_at,
        bars_sessions=bars.sessions,
        archived=row.archived_at is not None,
        stage_locked_until=row.stage_locked_until,
        promotion_mode=PromotionMode(row.promotion_mode),
        promotion_due=promotion_due,
        active=_active(active) if active is not None else None,
        baseline=_baseline(row, baseline, backtest) if baseline is not None else None,
        ended_backtest=_ended(JobType.BACKTEST, backtest) if backtest is not None else None,
        ended_improvement=_ended(*improving) if improving is not None else None,
        improvement=rounds,
    )


def _active(row: Row[Any]) -> ActiveWork:
    return ActiveWork(JobType(row.job_type), JobStatus(row.status), row.created_at, row.not_before)


def _baseline(bot: Row[Any], row: Row[Any], job: Row[Any] | None) -> Baseline | None:
    """Return the baseline of the version at hand; a refresh that found nothing new makes it as fresh as itself."""
    if row.version_id != bot.version_id:
        return None
    completed_at, made_on = row.completed_at, row.bars_generation
    if job is not None and job.status == JobStatus.COMPLETED and job.session_id == row.session_id:
        completed_at, made_on = max(completed_at, job.completed_at), job.bars_generation
    return Baseline(row.session_id, completed_at, row.total_trades, row.window_end, made_on or "")


def _ended(job_type: JobType, row: Row[Any]) -> EndedWork:
    return EndedWork(
        root_job_id=row.root_job_id,
        job_type=job_type,
        kind=BacktestKind(row.kind) if row.kind else None,
        status=JobStatus(row.status),
        reason=_reason(row.error_code) if row.error_code is not None else None,
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        ended_at=row.completed_at,
        version_id=row.version_id,
        epoch=row.epoch,
        bars_generation=row.bars_generation or "",
    )


def _reason(code: str) -> JobReason:
    """Return the reason a stored code stands for; one of another version of Gantry counts as a run that broke."""
    known = code in ErrorCode.__members__
    return reason_of(ErrorCode(code)) if known else JobReason.RUN_FAILED


def _newest(rows: Iterable[tuple[JobType, Row[Any]]]) -> Mapping[UUID, tuple[JobType, Row[Any]]]:
    return {row.bot_id: (kind, row) for kind, row in sorted(rows, key=lambda one: one[1].completed_at)}


def _rounds(rows: Sequence[Row[Any]]) -> Mapping[UUID, LastImprovement]:
    """Return, by bot, when its last improvement ended and how many rounds of IMPROVE since brought nothing."""
    found: dict[UUID, LastImprovement] = {}
    for bot_id, group in groupby(rows, key=lambda row: row.bot_id):
        newest = list(group)
        vain = 0
        for row in newest:
            if row.job_type != JobType.IMPROVE or row.verdict == ImprovementVerdict.ADOPTED:
                break
            vain += 1
        found[bot_id] = LastImprovement(newest[0].created_at, vain)
    return found
