"""What is shown of a bot: its standing since the last reset and what it is doing now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from fleet.bot_filter import NEWEST_FIRST, BotFilter, BotOrder
from fleet.bot_now import Alert, AlertCode, AlertLevel, BotNow, JobSnapshot, bot_now
from fleet.closed_sets import DataLabel, JobStatus, JobType, Stage, TradeSource
from fleet.jobs import RETRYABLE
from services.finding import unknown_bot
from sql.queries.bots import listing
from sql.queries.bots import read as bot_queries
from sql.queries.bots.read import CurrentBot
from sql.queries.bots.rows import JobRow, RollupRow, ScoreRow
from sql.queries.paging import AfterKey, Page

SOURCE_OF_STAGE = {Stage.LAB: TradeSource.BACKTEST} | {
    stage: TradeSource(stage.value) for stage in Stage if stage is not Stage.LAB
}
NEEDS_BACKTEST = "NEEDS_BACKTEST"
NO_TRADES = "NO_TRADES"
NO_OPEN_PNL = "NO_OPEN_PNL"  # the others are there: who wrote them didn't measure it


@dataclass(frozen=True, slots=True)
class BotMetrics:
    """Metrics of one source since the boundary, money in USD; all None with a reason when nothing was measured.

    win_rate and max_drawdown_fraction: 0-1; win_rate is None without trades. profit_factor: None without a loser.
    """

    net_pnl: Decimal | None = None
    open_pnl: Decimal | None = None
    win_rate: float | None = None
    total_trades: int | None = None
    max_drawdown_usd: Decimal | None = None
    max_drawdown_fraction: float | None = None
    sharpe: float | None = None
    profit_factor: float | None = None
    reason: str | None = None


_UNTRADED = BotMetrics(reason=NO_TRADES)  # one for all: most stages of most bots have no trades


@dataclass(frozen=True, slots=True)
class StageMetrics(BotMetrics):
    """The backtests' metrics, and those of each stage's own source by the stage's name."""

    by_stage: Mapping[str, BotMetrics] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BotSummary:
    """One bot as a list shows it."""

    id: UUID
    name: str
    symbol: str
    timeframe: str
    strategy: str
    version: int
    stage: Stage
    stage_reason_code: str | None
    stage_locked_until: datetime | None
    promotion_mode: str
    created_at: datetime
    metrics_reset_at: datetime | None
    metrics: StageMetrics
    autonomy_score: float | None
    autonomy_score_max: float | None
    autonomy_tier: str | None
    locked_by: str | None
    data_label: str | None
    session_id: UUID | None
    bot_now: BotNow
    revision: int
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class BotView(BotSummary):
    """One bot whole: with what its version is made of and why its score is what it is."""

    params: dict[str, Any]
    costs: dict[str, Any]
    window: dict[str, Any]
    autonomy_breakdown: dict[str, Any] | None


AnyBot = TypeVar("AnyBot", bound=BotSummary)


def page_bots(
    session: Session,
    which: BotFilter,
    order: BotOrder = NEWEST_FIRST,
    *,
    after: AfterKey | None = None,
    limit: int,
    now: datetime,
) -> Page[BotSummary, AfterKey]:
    """Return a page of bots, in three queries."""
    page = listing.page_bots(session, which, order, after=after, limit=limit)
    return page.with_rows(_summaries(session, page.rows, now))


def get_bot(session: Session, bot_id: UUID, *, now: datetime) -> BotView:
    """Return one bot.

    Raises:
        GantryError: NOT_FOUND.

    """
    row = bot_queries.one_bot(session, bot_id)
    if row is None:
        raise unknown_bot(bot_id)
    return _views(session, [row], now)[0]


def some_bots(session: Session, bot_ids: Sequence[UUID], *, now: datetime) -> tuple[BotView, ...]:
    """Return those of these bots that there are, in a fixed number of queries."""
    return _views(session, bot_queries.some_bots(session, bot_ids), now)


def best_first(bots: Iterable[AnyBot]) -> list[AnyBot]:
    """Order bots by score, then by net P&L; below those without a backtest are the ones that a guard disqualified."""
    return sorted(
        bots,
        key=lambda bot: (
            bot.locked_by is None,
            bot.session_id is not None,
            bot.autonomy_score or 0,
            bot.metrics.net_pnl or 0,
        ),
        reverse=True,
    )


def _figures(rollup: RollupRow | None, *, otherwise: str) -> dict[str, Any]:
    """Return a rollup as the fields of metrics; without one, the reason."""
    if rollup is None:
        return {"reason": otherwise}
    return {
        "net_pnl": rollup.net_pnl,
        "open_pnl": rollup.open_pnl,
        "win_rate": rollup.wins / rollup.total_trades if rollup.total_trades else None,
        "total_trades": rollup.total_trades,
        "max_drawdown_usd": rollup.max_drawdown_usd,
        "max_drawdown_fraction": rollup.max_drawdown_fraction,
        "sharpe": rollup.sharpe,
        "profit_factor": rollup.profit_factor,
        "reason": NO_OPEN_PNL if rollup.open_pnl is None else None,
    }


def _traded(rollup: RollupRow | None) -> BotMetrics:
    return _UNTRADED if rollup is None else BotMetrics(**_figures(rollup, otherwise=NO_TRADES))


def _views(session: Session, rows: Sequence[CurrentBot], now: datetime) -> tuple[BotView, ...]:
    summaries = _summaries(session, rows, now)
    return tuple(_whole(summary, row) for summary, row in zip(summaries, rows, strict=True))


def _whole(summary: BotSummary, row: CurrentBot) -> BotView:
    return BotView(
        **{one.name: getattr(summary, one.name) for one in fields(BotSummary)},
        **(row.made_of._asdict() if row.made_of else {}),
        autonomy_breakdown=row.breakdown.breakdown if row.breakdown else None,
    )


def _summaries(session: Session, rows: Sequence[CurrentBot], now: datetime) -> Sequence[BotSummary]:
    ids = [row.bot.id for row in rows]
    jobs = {job.bot_id: job for job in bot_queries.newest_jobs(session, ids)} if ids else {}
    others = bot_queries.rollups_of(session, ids) if ids else ()
    by_source = {(rollup.bot_id, rollup.source): rollup for rollup in others}
    return [_summary(row, jobs.get(row.bot.id), by_source, now) for row in rows]


def _summary(
    row: CurrentBot, job: JobRow | None, others: Mapping[tuple[UUID, str], RollupRow], now: datetime
) -> BotSummary:
    bot, version, rollup, score = row.bot, row.version, row.rollup, row.score
    backtests = _figures(rollup, otherwise=NEEDS_BACKTEST)
    by_stage = {
        stage.value: BotMetrics(**backtests)
        if source is TradeSource.BACKTEST
        else _traded(others.get((bot.id, source.value)))
        for stage, source in SOURCE_OF_STAGE.items()
    }
    return BotSummary(
        id=bot.id,
        name=bot.name,
        symbol=bot.symbol,
        timeframe=bot.timeframe,
        strategy=version.strategy,
        version=version.number,
        stage=Stage(bot.stage),
        stage_reason_code=bot.stage_reason_code,
        stage_locked_until=bot.stage_locked_until,
        promotion_mode=bot.promotion_mode,
        created_at=bot.created_at,
        metrics_reset_at=bot.metrics_reset_at,
        metrics=StageMetrics(**backtests, by_stage=by_stage),
        autonomy_score=score.autonomy_score if score else None,
        autonomy_score_max=score.autonomy_score_max if score else None,
        autonomy_tier=score.autonomy_tier if score else None,
        locked_by=score.locked_by if score else None,
        data_label=row.data_label,
        session_id=rollup.session_id if rollup else None,
        bot_now=bot_now(
            [_snapshot(job)] if job else [],
            None,
            _alerts(job, row.data_label, score),
            now,
            created_at=bot.created_at,
            has_history=job is not None,
        ),
        revision=bot.revision,
        archived_at=bot.archived_at,
    )


def _snapshot(job: JobRow) -> JobSnapshot:
    return JobSnapshot(
        job.id, JobType(job.job_type), JobStatus(job.status), job.attempt, job.iteration, job.created_at, job.started_at
    )


def _of_failure(job: JobRow) -> Alert:
    code, message = job.error_code or job.status, job.error_message or "The job failed."
    if code in {reason.value for reason in RETRYABLE}:
        # The newest job ended, so there is no retry behind it: the attempts are used up.
        again = "Fix the cause, then request a backtest again."
        reported = f"All {job.attempt} attempts were lost; the last error: {message} {again}"
        return Alert(AlertLevel.BLOCKED, AlertCode.RETRIES_EXHAUSTED, reported)
    return Alert(AlertLevel.BLOCKED, code, message)


def _alerts(job: JobRow | None, label: str | None, score: ScoreRow | None) -> tuple[Alert, ...]:
    """What a person should know: a guard disqualified the bot, its newest job failed, its bars are simulated."""
    alerts = []
    if score is not None and score.locked_by and score.locked_reason:
        alerts.append(Alert(AlertLevel.BLOCKED, score.locked_by, score.locked_reason))
    if job is not None and job.status in {JobStatus.FAILED, JobStatus.TIMEOUT}:
        alerts.append(_of_failure(job))
    if label == DataLabel.SIMULATED:
        alerts.append(
            Alert(AlertLevel.WARN, AlertCode.SIMULATED_DATA, "These numbers rest on simulated bars, not on a market's.")
        )
    return tuple(alerts)
