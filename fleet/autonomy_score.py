"""The first autonomy score: five subscores of equal weight, 0 to 100, a tier, and what holds the bot back.

A subscore without a signal is None, counts 0 and names a blocker: nothing defaults to good. Points are earned by
trades alone: without any, every subscore is None. A bot that a guard disqualified (it reads the future, decides
differently each time, or before its warm-up) earns none either: every subscore counts 0, the tier is LOCKED, and the
guard is the first blocker.

data_reliability  mean over the graded months of 100 x verdict (OK 1, WARN 0.75, BLOCKED 0) x coverage; simulated
                  bars halve it, for they prove the path and not the market.
decision_quality  100 x min(1, trades / 50) x mean of four parts, each held to 0..1: win rate / 0.35,
                  (profit factor - 1) / 0.2, expectancy / 10 USD, Sharpe / 0.5. A part without a value is 0. The
                  limits are those of the PAPER gate. None until the look-ahead guards were run.
risk_discipline   100 x (1 - drawdown fraction / 0.4), held to 0..100: 50 at the PAPER limit of 20 %, 0 at twice it.
execution_health  100 x the runner's health, 0..1.
supervisor_trust  100 x the supervisor's, 0..1.

Tier: LOCKED below 40, SUPERVISED below 60, LIMITED_AUTONOMY below 80, else FULL_AUTONOMY; any blocker keeps a bot
out of FULL_AUTONOMY.

Attainable: what the best results could score now. A subscore that nothing can earn yet (no runner, no supervisor) adds
nothing, and simulated bars halve data_reliability: 60 in LAB on real bars, 50 on simulated ones, 0 when disqualified.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Final

from core.words import counted
from fleet.closed_sets import DataLabel, QualityVerdict, Tier
from fleet.promotion.gates import PAPER_LIMITS
from trading.backtest.findings import Finding
from trading.metrics import Metrics


class BlockerCode(StrEnum):
    """What holds a score back."""

    NEEDS_BACKTEST = "NEEDS_BACKTEST"
    NO_BARS = "NO_BARS"
    BARS_BLOCKED = "BARS_BLOCKED"
    SIMULATED_DATA = "SIMULATED_DATA"
    NO_TRADES = "NO_TRADES"
    GUARDS_NOT_RUN = "GUARDS_NOT_RUN"
    LOOK_AHEAD = "LOOK_AHEAD"
    GUARD_FAILED = "GUARD_FAILED"
    NO_RUNNER = "NO_RUNNER"
    NO_SUPERVISOR = "NO_SUPERVISOR"


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing that holds a score back, and what to do about it."""

    code: BlockerCode
    message: str
    suggested_fix: str


@dataclass(frozen=True, slots=True)
class MonthQuality:
    """A graded month of bars: "YYYY-MM", its verdict, and the share 0..1 of the expected minutes it has."""

    month: str
    verdict: QualityVerdict
    coverage: float


@dataclass(frozen=True, slots=True)
class ScoreSignals:
    """What a score is made from; None where the signal is missing.

    metrics: of the newest backtest of the epoch. months: those it was graded on. look_ahead_passed: whether all of
    the session's look-ahead guards passed; None where they were not run or had too few bars. failed_guard: the one that
    disqualifies the bot. runner_health, supervisor_health: 0..1.
    """

    metrics: Metrics | None
    data_label: DataLabel | None
    months: tuple[MonthQuality, ...]
    look_ahead_passed: bool | None
    failed_guard: Finding | None = None
    runner_health: float | None = None
    supervisor_health: float | None = None


@dataclass(frozen=True, slots=True)
class Subscore:
    """One of the five: 0 to 100 or None, its weight, and a sentence with the figures it was made from."""

    score: float | None
    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class Score:
    """A bot's score 0 to 100, its tier, the five subscores by name, and the blockers in a fixed order.

    attainable: the highest score that the best results could have now, 0 to 100. locked_by: what disqualifies the bot,
    also its first blocker; None for a bot whose figures count.
    """

    total: float
    tier: Tier
    subscores: dict[str, Subscore]
    blockers: tuple[Blocker, ...]
    attainable: float
    locked_by: Blocker | None

    def breakdown(self) -> dict[str, object]:
        """Return subscores and blockers ready for JSON."""
        return {
            "subscores": {
                name: {"score": part.score, "weight": part.weight, "reason": part.reason}
                for name, part in self.subscores.items()
            },
            "blockers": [
                {"code": item.code.value, "message": item.message, "suggested_fix": item.suggested_fix}
                for item in self.blockers
            ],
        }


WEIGHT: Final = 0.2
TIERS: Final = ((80.0, Tier.FULL_AUTONOMY), (60.0, Tier.LIMITED_AUTONOMY), (40.0, Tier.SUPERVISED))
VERDICT_FACTOR: Final = {QualityVerdict.OK: 1.0, QualityVerdict.WARN: 0.75, QualityVerdict.BLOCKED: 0.0}
SIMULATED_FACTOR: Final = 0.5


def score(signals: ScoreSignals) -> Score:
    """Return a bot's score; the same signals always give the same one."""
    rules: dict[str, Callable[[ScoreSignals], _Judged]] = {
        "data_reliability": _data_reliability,
        "decision_quality": _decision_quality,
        "risk_discipline": _risk_discipline,
        "execution_health": _execution_health,
        "supervisor_trust": _supervisor_trust,
    }
    judged = {name: _earned(rule(signals), signals) for name, rule in rules.items()}
    lock = _lock_of(signals)
    if lock is not None:
        judged = {name: _forfeited(part, lock) for name, part in judged.items()}
    subscores = {name: Subscore(part.score, WEIGHT, part.reason) for name, part in judged.items()}
    # Several subscores may miss the same thing; it is one blocker.
    named = [*((lock,) if lock else ()), *(item for part in judged.values() for item in part.blockers)]
    blockers = tuple({item.code: item for item in named}.values())
    total = round(WEIGHT * sum(part.score or 0.0 for part in judged.values()), 2)
    tier = tier_of(total, blocked=bool(blockers))
    return Score(total, tier, subscores, blockers, 0.0 if lock else _attainable(signals), lock)


def _attainable(signals: ScoreSignals) -> float:
    """Return the score of the best results with the signals that exist now."""
    data = 100 * (SIMULATED_FACTOR if signals.data_label is DataLabel.SIMULATED else 1.0)
    health = [100.0 for signal in (signals.runner_health, signals.supervisor_health) if signal is not None]
    return _rounded(WEIGHT * (data + 100 + 100 + sum(health)))


def tier_of(total: float, *, blocked: bool) -> Tier:
    """Return the tier of a score 0 to 100; with a blocker it is at most LIMITED_AUTONOMY."""
    tier = next((tier for floor, tier in TIERS if total >= floor), Tier.LOCKED)
    return Tier.LIMITED_AUTONOMY if blocked and tier is Tier.FULL_AUTONOMY else tier


@dataclass(frozen=True, slots=True)
class _Judged:
    score: float | None
    reason: str
    blockers: tuple[Blocker, ...] = ()


_NEEDS_BACKTEST: Final = _Judged(
    None,
    "Not graded since the last reset.",
    (
        Blocker(
            BlockerCode.NEEDS_BACKTEST,
            "The bot has no backtest in the current epoch.",
            "Materialize its baseline backtest, or POST /api/bots/{id}/run-backtest.",
        ),
    ),
)


_NO_TRADES: Final = Blocker(
    BlockerCode.NO_TRADES, "The backtest made no trade.", "Widen the window or change parameters."
)


def _earned(part: _Judged, signals: ScoreSignals) -> _Judged:
    """A subscore counts where trades earned it; its own blockers stay."""
    if signals.metrics is None:
        return part if part.score is None else _Judged(None, _NEEDS_BACKTEST.reason, part.blockers)
    if not signals.metrics.total_trades:
        return _Judged(None, "No trades.", (*part.blockers, _NO_TRADES))
    return part


def _lock_of(signals: ScoreSignals) -> Blocker | None:
    """Return what disqualifies the bot: the figures of a strategy that fails a guard prove nothing."""
    guard = signals.failed_guard
    fix = "Fix the strategy and grade again."
    if signals.look_ahead_passed is False:
        why = f": {guard.message}" if guard else "."
        return Blocker(BlockerCode.LOOK_AHEAD, f"The strategy reads the future{why}", fix)
    return Blocker(BlockerCode.GUARD_FAILED, f"Guard {guard.name} failed: {guard.message}", fix) if guard else None


def _forfeited(part: _Judged, lock: Blocker) -> _Judged:
    """What a disqualified bot has counts nothing."""
    return part if part.score is None else replace(part, score=0.0, reason=f"Not counted: {lock.code}. {part.reason}")


def _data_reliability(signals: ScoreSignals) -> _Judged:
    if not signals.months:
        missing = Blocker(BlockerCode.NO_BARS, "The score has no bars behind it.", "Import bars, then grade.")
        return _Judged(None, "No bars.", (missing,))
    months = signals.months
    value = 100 * sum(VERDICT_FACTOR[month.verdict] * _held(month.coverage) for month in months) / len(months)
    reason = f"{counted(len(months), 'month')}: " + ", ".join(
        f"{sum(month.verdict is verdict for month in months)} {verdict.value}" for verdict in QualityVerdict
    )
    blockers = []
    blocked = [month.month for month in months if month.verdict is QualityVerdict.BLOCKED]
    if blocked:
        names = ", ".join(blocked)
        blockers.append(
            Blocker(BlockerCode.BARS_BLOCKED, f"Bars of {names} failed their checks.", "Replace those bars and grade.")
        )
    if signals.data_label is DataLabel.SIMULATED:
        value *= SIMULATED_FACTOR
        reason += "; simulated, halved"
        blockers.append(
            Blocker(
                BlockerCode.SIMULATED_DATA, "Graded on simulated bars.", "Import real bars, or set a provider's key."
            )
        )
    return _Judged(_rounded(value), reason + ".", tuple(blockers))


def _decision_quality(signals: ScoreSignals) -> _Judged:
    metrics = signals.metrics
    if metrics is None:
        return _NEEDS_BACKTEST
    if signals.look_ahead_passed is None:
        message = "The look-ahead guards have not been run, or had too few bars to prove anything."
        unproven = Blocker(BlockerCode.GUARDS_NOT_RUN, message, "Grade the bot again, on more bars.")
        return _Judged(None, message, (unproven,))
    limits = PAPER_LIMITS
    parts = (
        _held((metrics.win_rate or 0.0) / limits.win_rate),
        _held(((metrics.profit_factor or 0.0) - 1) / (limits.profit_factor - 1)),
        _held(float(metrics.expectancy or 0) / float(limits.expectancy_usd)),
        _held((metrics.sharpe or 0.0) / limits.sharpe),
    )
    evidence = _held(metrics.total_trades / limits.trades)
    reason = (
        f"{counted(metrics.total_trades, 'trade')}, win rate {_text(metrics.win_rate)}, "
        f"profit factor {_text(metrics.profit_factor)}, "
        f"expectancy {_text(None if metrics.expectancy is None else float(metrics.expectancy))} USD, "
        f"Sharpe {_text(metrics.sharpe)}."
    )
    return _Judged(_rounded(100 * evidence * sum(parts) / len(parts)), reason)


def _risk_discipline(signals: ScoreSignals) -> _Judged:
    metrics = signals.metrics
    if metrics is None:
        return _NEEDS_BACKTEST
    fraction, limit = metrics.max_drawdown_fraction, PAPER_LIMITS.max_drawdown_fraction
    value = 100 * _held(1 - fraction / (2 * limit))
    return _Judged(_rounded(value), f"Deepest drawdown {fraction:.1%} of capital; PAPER allows {limit:.0%}.")


def _execution_health(signals: ScoreSignals) -> _Judged:
    if signals.runner_health is None:
        missing = Blocker(BlockerCode.NO_RUNNER, "The bot has no runner.", "Runners start at stage PAPER.")
        return _Judged(None, "No runner.", (missing,))
    return _Judged(_rounded(100 * _held(signals.runner_health)), "The runner's health.")


def _supervisor_trust(signals: ScoreSignals) -> _Judged:
    if signals.supervisor_health is None:
        missing = Blocker(BlockerCode.NO_SUPERVISOR, "The bot has no supervisor.", "Start a supervised runner.")
        return _Judged(None, "No supervisor.", (missing,))
    return _Judged(_rounded(100 * _held(signals.supervisor_health)), "The supervisor's record of the bot.")


def _held(value: float) -> float:
    """Hold to 0..1; what is not a number counts 0."""
    return min(1.0, max(0.0, value)) if isfinite(value) else 0.0


def _rounded(value: float) -> float:
    return round(value, 2)


def _text(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"
