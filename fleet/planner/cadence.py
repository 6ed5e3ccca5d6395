"""What one LAB bot is due for at this moment, or the one reason why for nothing.

The first that applies decides: archived; not in LAB; a job is active (BACKOFF while a retry waits for its time); the
last backtest was lost; no baseline; other bars than it was made on; a stale one; no room for improvements; too few
trades; too few sessions of bars; the last improvement was lost; its cadence. A stage lock and MANUAL promotion hold
nothing back here. Whatever is due, without bars that somebody could supply it is DATA_UNAVAILABLE; bars on their way
don't keep a job from its queue.
"""

from datetime import datetime

from fleet.closed_sets import BacktestKind, DueReason, JobType, NotEnqueued, PromotionMode, Stage
from fleet.planner.bars_outlook import other_bars
from fleet.planner.due import Due
from fleet.planner.losses import after_backtest, after_improvement
from fleet.planner.types import BarsState, Baseline, BotSnapshot, PlannerCaps
from trading.globex import trading_day
from trading.improve.folds import are_enough


def due(bot: BotSnapshot, caps: PlannerCaps, now: datetime) -> Due | NotEnqueued:
    """Return the one job that the bot is due for, or the one reason why it gets none. now: aware, UTC."""
    if bot.archived:
        return NotEnqueued.ARCHIVED
    if bot.stage is not Stage.LAB:
        return NotEnqueued.NOT_IN_LAB
    if bot.active is not None:
        waits = bot.active.not_before is not None and bot.active.not_before > now
        return NotEnqueued.BACKOFF if waits else NotEnqueued.ACTIVE_JOB_EXISTS
    found = after_backtest(bot, now) or _backtest(bot, caps, now) or _improvement(bot, caps, now)
    if isinstance(found, Due) and bot.bars is BarsState.UNAVAILABLE:
        return NotEnqueued.DATA_UNAVAILABLE
    return found


def is_promotion_due(bot: BotSnapshot) -> bool:
    """Whether a bot that is at rest in LAB meets all gates of the next stage."""
    return bot.promotion_due and bot.stage is Stage.LAB and not bot.archived and bot.active is None


def promotion_held(bot: BotSnapshot, now: datetime) -> NotEnqueued | None:
    """Return why nobody but a person, or nobody at all, may promote a bot whose promotion is due."""
    if bot.stage_locked_until is not None and bot.stage_locked_until > now:
        return NotEnqueued.STAGE_LOCKED
    return NotEnqueued.PROMOTION_MANUAL if bot.promotion_mode is PromotionMode.MANUAL else None


def _backtest(bot: BotSnapshot, caps: PlannerCaps, now: datetime) -> Due | None:
    baseline = bot.baseline
    if baseline is None or baseline.completed_at < bot.lab_since:
        return Due(JobType.BACKTEST, BacktestKind.BASELINE, DueReason.NO_BASELINE, bot.asked_at)
    old_at = baseline.completed_at + caps.baseline_max_age
    came_at = _new_session_at(bot, baseline)
    if came_at is not None:
        since = min(old_at, max(came_at, baseline.completed_at))
        return Due(JobType.BACKTEST, BacktestKind.REFRESH, DueReason.NEW_SESSION, since)
    if other_bars(baseline.bars_generation, bot.bars_generation):
        return Due(JobType.BACKTEST, BacktestKind.REFRESH, DueReason.NEW_BARS, min(old_at, now))
    if old_at <= now:
        return Due(JobType.BACKTEST, BacktestKind.REFRESH, DueReason.BASELINE_OLD, old_at)
    return None


def _new_session_at(bot: BotSnapshot, baseline: Baseline) -> datetime | None:
    """Return the newest bar's time when bars of a later trading day came in since the baseline was made."""
    if bot.bars_last_at is None or baseline.bars_generation == bot.bars_generation:
        return None  # a baseline that left out the newest bars would else be refreshed at every tick
    return bot.bars_last_at if trading_day(baseline.bars_last_at) < trading_day(bot.bars_last_at) else None


def _improvement(bot: BotSnapshot, caps: PlannerCaps, now: datetime) -> Due | NotEnqueued:
    if bot.baseline is None or not caps.improves:
        return NotEnqueued.BASELINE_FRESH
    if bot.baseline.total_trades < caps.min_trades_for_improve:
        return NotEnqueued.TOO_FEW_TRADES
    folds, purge_sessions = caps.improve.folds, caps.improve.purge_sessions
    if not are_enough(bot.bars_sessions, folds=folds, purge_sessions=purge_sessions):
        return NotEnqueued.NOT_ENOUGH_HISTORY
    return after_improvement(bot, now) or _next_round(bot, bot.baseline, caps, now)


def _next_round(bot: BotSnapshot, baseline: Baseline, caps: PlannerCaps, now: datetime) -> Due | NotEnqueued:
    last = bot.improvement
    if last is None:
        return Due(JobType.IMPROVE, None, DueReason.IMPROVE_DUE, baseline.completed_at)
    due_at = last.last_completed_at + caps.improve_cadence
    if due_at > now:
        return NotEnqueued.CADENCE_NOT_DUE
    if last.rounds_without_adoption >= caps.evolve_after:
        return Due(JobType.EVOLVE, None, DueReason.EVOLVE_DUE, due_at)
    return Due(JobType.IMPROVE, None, DueReason.IMPROVE_DUE, due_at)
