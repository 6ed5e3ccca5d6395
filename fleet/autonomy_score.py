"""The first autonomy score: five subscores of equal weight, 0 to 100, a tier, and what holds the bot back.

A subscore without a signal is None, counts 0 and names a blocker: nothing defaults to good.

data_reliability  mean over the graded months of 100 x verdict (OK 1, WARN 0.75, BLOCKED 0) x coverage; simulated
                  bars halve it, for they prove the path and not the market.
decision_quality  100 x min(1, trades / 50) x mean of four parts, each held to 0..1: win rate / 0.35,
                  (profit factor - 1) / 0.2, expectancy / 10 USD, Sharpe / 0.5. A part without a value is 0. The
                  limits are those of the PAPER gate. 0 when a look-ahead guard failed.
risk_discipline   100 x (1 - drawdown fraction / 0.4), held to 0..100: 50 at the PAPER limit of 20 %, 0 at twice it.
execution_health  100 x the runner's health, 0..1.
supervisor_trust  100 x the supervisor's, 0..1.

Tier: LOCKED below 40, SUPERVISED below 60, LIMITED_AUTONOMY below 80, else FULL_AUTONOMY; any blocker keeps a bot
out of FULL_AUTONOMY.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Final

from fleet.closed_sets import DataLabel, QualityVerdict, Tier
from fleet.promotion.gates import PAPER_LIMITS
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
    the session's look-ahead guards passed. runner_health, supervisor_health: 0..1.
    """

    metrics: Metrics | None
    data_label: DataLabel | None
    months: tuple[MonthQuality, ...]
    look_ahead_passed: bool | None
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
    """A bot's score 0 to 100, its tier, the five subscores by name, and the blockers in a fixed order."""

    total: float
    tier: Tier
    subscores: dict[str, Subscore]
    blockers: tuple[Blocker, ...]

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
    judged = {name: rule(signals) for name, rule in rules.items()}
    subscores = {name: Subscore(part.score, WEIGHT, part.reason) for name, part in judged.items()}
    # Several subscores may miss the same thing; it is one blocker.
    blockers = tuple({item.code: item for part in judged.values() for item in part.blockers}.values())
    total = round(WEIGHT * sum(part.score or 0.0 for part in judged.values()), 2)
    return Score(total, tier_of(total, blocked=bool(blockers)), subscores, blockers)


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


def _data_reliability(signals: ScoreSignals) -> _Judged:
    if not signals.months:
        missing = Blocker(BlockerCode.NO_BARS, "The score has no bars behind it.", "Import bars, then grade.")
        return _Judged(None, "No bars.", (missing,))
    months = signals.months
    value = 100 * sum(VERDICT_FACTOR[month.verdict] * _held(month.coverage) for month in months) / len(months)
    reason = f"{len(months)} months: " + ", ".join(
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
    if not signals.look_ahead_passed:
        failed = signals.look_ahead_passed is False
        code = BlockerCode.LOOK_AHEAD if failed else BlockerCode.GUARDS_NOT_RUN
        message = "The strategy reads the future." if failed else "The look-ahead guards have not been run."
        fix = "Fix the strategy and grade again." if failed else "Grade the bot again."
        return _Judged(0.0 if failed else None, message, (Blocker(code, message, fix),))
    limits = PAPER_LIMITS
    parts = (
        _held((metrics.win_rate or 0.0) / limits.win_rate),
        _held(((metrics.profit_factor or 0.0) - 1) / (limits.profit_factor - 1)),
        _held(float(metrics.expectancy or 0) / float(limits.expectancy_usd)),
        _held((metrics.sharpe or 0.0) / limits.sharpe),
    )
    evidence = _held(metrics.total_trades / limits.trades)
    reason = (
        f"{metrics.total_trades} trades, win rate {_text(metrics.win_rate)}, "
        f"profit factor {_text(metrics.profit_factor)}, "
        f"expectancy {_text(None if metrics.expectancy is None else float(metrics.expectancy))} USD, "
        f"Sharpe {_text(metrics.sharpe)}."
    )
    return _Judged(_rounded(100 * evidence * sum(parts) / len(parts)), reason)


def _risk_discipline(signals: ScoreSignals) -> _Judged:
    metrics = signals.metrics
    if metrics is None:
        return _NEEDS_BACKTEST
    if not metrics.total_trades:
        # Without a trade there is no drawdown, but also nothing to judge.
        idle = Blocker(BlockerCode.NO_TRADES, "The backtest made no trade.", "Widen the window or change parameters.")
        return _Judged(None, "No trades.", (idle,))
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
