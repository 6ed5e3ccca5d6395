"""What must hold of every graded bot, judged from stored rows: of the bots of a run, and of the fleet as it stands."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
)
from sqlalchemy.orm import Session

from assets.standing import BotRecord
from fleet.closed_sets import RawCheck
from services.proof.checks import FailingBot, RuleVerdict, fleet_verdicts
from trading.backtest.findings import ANALYZERS, GUARDS, Check

BASELINES: Final = AssetKey("baseline_backtests")
ROLLUPS: Final = AssetKey("metric_rollups")
SCORES: Final = AssetKey("autonomy_scores")
_FAILED: Final = TableSchema([TableColumn(name, "string") for name in ("bot", "checks", "partition", "bot_id")])


@dataclass(frozen=True, slots=True)
class CheckRule:
    """A check of one asset: `broken` says in a sentence what is wrong with a bot, "" when nothing is.

    checks: what fails it among a bot's stored verdicts.
    """

    asset: AssetKey
    name: str
    description: str
    severity: AssetCheckSeverity
    checks: frozenset[Check] | frozenset[RawCheck]
    broken: Callable[[BotRecord], str]

    @property
    def spec(self) -> AssetCheckSpec:
        """The rule as Dagster knows it."""
        return AssetCheckSpec(self.name, asset=self.asset, description=self.description)


def trades_sum(standing: BotRecord) -> str:
    """Compare the session's own figures with the sum of its trades, to the cent and the count."""
    session, raw = standing.session, standing.raw
    if session is None or raw is None:
        return "there is no completed session"
    if raw.net_pnl != session.net_pnl:
        return f"trades sum to {raw.net_pnl}, the session says {session.net_pnl}"
    if raw.total_trades != session.total_trades:
        return f"{raw.total_trades} trades are stored, the session says {session.total_trades}"
    return ""


def guards(standing: BotRecord) -> str:
    """Name the look-ahead guards that caught something."""
    return _not_passed(standing, GUARDS)


def analyzers(standing: BotRecord) -> str:
    """Name the analyzers that found something odd."""
    return _not_passed(standing, ANALYZERS)


def rollup_is_raw(standing: BotRecord) -> str:
    """Compare the shown metrics with figures added up from raw rows."""
    shown, raw = standing.bot.metrics, standing.raw
    if raw is None:
        return f"there is no completed session, and metrics say {shown.net_pnl}" if shown.net_pnl is not None else ""
    pairs = {
        "net_pnl": (shown.net_pnl, raw.net_pnl),
        "open_pnl": (shown.open_pnl, raw.open_pnl),
        "total_trades": (shown.total_trades, raw.total_trades),
        "max_drawdown_usd": (shown.max_drawdown_usd, raw.max_drawdown_usd),
        "win_rate": (shown.win_rate, raw.win_rate),
    }
    return "; ".join(f"{name} is {seen}, raw rows say {true}" for name, (seen, true) in pairs.items() if seen != true)


def score_in_range(standing: BotRecord) -> str:
    """A score is 0-100 and has a tier."""
    score, tier = standing.bot.autonomy_score, standing.bot.autonomy_tier
    if score is None or tier is None:
        return "there is no score"
    return "" if 0 <= score <= 100 else f"the score is {score}"


RULES: Final = (
    CheckRule(
        BASELINES,
        "trades_sum_to_net_pnl",
        "The sum of a session's stored trades is its net P&L to the cent, and their number its total.",
        AssetCheckSeverity.ERROR,
        frozenset({RawCheck.TRADES_DIFFER}),
        trades_sum,
    ),
    CheckRule(
        BASELINES,
        "look_ahead_guards_passed",
        "Truncation, shift, determinism, warm-up and session guards found no use of the future.",
        AssetCheckSeverity.ERROR,
        GUARDS,
        guards,
    ),
    CheckRule(
        BASELINES,
        "analyzers_found_nothing",
        "No flat equity, stale fill, fill outside its bar, too few trades, or bar that names no contract.",
        AssetCheckSeverity.WARN,
        ANALYZERS,
        analyzers,
    ),
    CheckRule(
        ROLLUPS,
        "rollup_equals_raw_rows",
        "The metrics shown are those of the stored trades and equity.",
        AssetCheckSeverity.ERROR,
        frozenset({RawCheck.METRICS_DIFFER}),
        rollup_is_raw,
    ),
    CheckRule(
        SCORES,
        "score_in_range",
        "The score is from 0 to 100 and has a tier.",
        AssetCheckSeverity.ERROR,
        frozenset({RawCheck.NO_SCORE}),  # the table itself refuses another score
        score_in_range,
    ),
)


@dataclass(frozen=True, slots=True)
class FleetEvaluations:
    """Evaluations over the fleet; empty: of rules that no bot was judged by."""

    judged: tuple[AssetCheckEvaluation, ...]
    empty: tuple[AssetCheckEvaluation, ...]


def judge(rule: CheckRule, standings: Iterable[BotRecord]) -> AssetCheckResult:
    """Return one result over all these bots; it names each bot that breaks the rule."""
    judged = tuple(standings)
    wrong = {standing.bot.name: message for standing in judged if (message := rule.broken(standing))}
    return AssetCheckResult(
        asset_key=rule.asset,
        check_name=rule.name,
        passed=not wrong,
        severity=rule.severity,
        description="; ".join(f"{name}: {message}" for name, message in wrong.items()) or None,
        metadata={"bots_checked": len(judged), "bots_failed": len(wrong), "failed": wrong},
    )


def judge_fleet(session: Session) -> FleetEvaluations:
    """Return each rule's evaluation over the active bots that are graded now."""
    verdicts = fleet_verdicts(session, {rule.name: rule.checks for rule in RULES})
    made = [(verdicts[rule.name].judged, _evaluation(rule, verdicts[rule.name])) for rule in RULES]
    return FleetEvaluations(
        tuple(evaluation for judged, evaluation in made if judged),
        tuple(evaluation for judged, evaluation in made if not judged),
    )


def _evaluation(rule: CheckRule, verdict: RuleVerdict) -> AssetCheckEvaluation:
    return AssetCheckEvaluation(
        rule.asset,
        rule.name,
        passed=not verdict.failing_count,
        severity=rule.severity,
        description=_sentence(verdict),
        metadata={
            "bots_checked": verdict.judged,
            "bots_failed": verdict.failing_count,
            "failed": MetadataValue.table([_record(bot) for bot in verdict.failing], _FAILED),
        },
    )


def _sentence(verdict: RuleVerdict) -> str:
    if not verdict.judged:
        return "No active bot was judged."
    if not verdict.failing_count:
        return f"0 of {verdict.judged:,} graded bots fail."
    named = ", ".join(f"{bot.name} ({', '.join(bot.checks)})" for bot in verdict.failing)
    more = verdict.failing_count - len(verdict.failing)
    rest = f" and {more:,} more" if more else ""
    return f"{verdict.failing_count:,} of {verdict.judged:,} graded bots fail: {named}{rest}."


def _record(bot: FailingBot) -> TableRecord:
    cells = {
        "bot": bot.name,
        "checks": ", ".join(bot.checks),
        "partition": bot.partition_key,
        "bot_id": str(bot.id),
    }
    return TableRecord(cells)


def _not_passed(standing: BotRecord, asked: frozenset[Check]) -> str:
    """A check that didn't run hasn't passed."""
    if standing.session is None:
        return "there is no completed session"
    found = standing.session.analysis
    missing = [f"{check}: didn't run" for check in sorted(asked) if check not in found]
    wrong = [
        f"{check}: {found[check]['message']}" for check in sorted(asked & set(found)) if not found[check]["passed"]
    ]
    return "; ".join((*missing, *wrong))
