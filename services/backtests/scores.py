"""Autonomy scores, derived from the newest session's raw rows and its bars; running it again changes nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.ids import new_id
from core.trace import current_trace_id
from fleet.autonomy_score import MonthQuality, Score, ScoreSignals, score
from fleet.closed_sets import DataLabel, QualityVerdict
from services.backtests.completed import CompletedBacktest
from services.backtests.rollups import from_raw_rows
from services.finding import require_bot
from sql.queries.backtests import sessions
from sql.queries.bars import catalogue
from sql.tables.bars import BarsMonth
from sql.tables.results import BacktestSession
from sql.tables.standing import AutonomyScore
from trading.backtest.findings import disqualifying, from_json, look_ahead_passed

SUBSCORES = ("data_reliability", "decision_quality", "risk_discipline", "execution_health", "supervisor_trust")


def refresh_score(session: Session, bot_id: UUID, *, now: datetime) -> AutonomyScore:
    """Derive a bot's score anew. A bot without a backtest is scored too: what is missing counts 0, with a blocker.

    Raises:
        GantryError: NOT_FOUND for an unknown bot.

    """
    require_bot(session, bot_id)
    newest = sessions.newest_completed(session, bot_id)
    result = score(signals_of(session, newest))
    values = _columns(result, newest, now)
    statement = (
        insert(AutonomyScore)
        .values(id=new_id(), bot_id=bot_id, **values)
        .on_conflict_do_update(index_elements=["bot_id"], set_=values)
        .returning(AutonomyScore)
    )
    return session.scalars(statement, execution_options={"populate_existing": True}).one()


def write_scores(session: Session, standings: Sequence[CompletedBacktest]) -> None:
    """Write the scores of bots whose backtest just completed, in one statement."""
    if not standings:
        return
    rows = [
        {
            "id": new_id(),
            "bot_id": one.bot_id,
            **_figures(score(_signals(one))),
            "session_id": one.session_id,
            "trace_id": one.trace_id,
            "last_updated_at": one.updated_at,
        }
        for one in standings
    ]
    statement = insert(AutonomyScore)
    columns = {name: statement.excluded[name] for name in rows[0] if name not in {"id", "bot_id"}}
    session.execute(statement.on_conflict_do_update(index_elements=["bot_id"], set_=columns), rows)


def _signals(one: CompletedBacktest) -> ScoreSignals:
    found = from_json(one.analysis)
    return ScoreSignals(
        metrics=one.metrics,
        data_label=one.data_label,
        months=_qualities(one.months),
        look_ahead_passed=look_ahead_passed(found),
        failed_guard=disqualifying(found),
    )


def _qualities(months: Sequence[BarsMonth]) -> tuple[MonthQuality, ...]:
    return tuple(MonthQuality(m.month, QualityVerdict(m.quality), _coverage(m)) for m in months)


def signals_of(session: Session, newest: BacktestSession | None) -> ScoreSignals:
    """Gather what a score is made from; None where there is no signal."""
    if newest is None:
        return ScoreSignals(metrics=None, data_label=None, months=(), look_ahead_passed=None)
    months = catalogue.bars_months(session, [UUID(str(month_id)) for month_id in newest.bars_ids])
    found = from_json(newest.analysis)
    return ScoreSignals(
        metrics=from_raw_rows(session, newest.id),
        data_label=DataLabel(newest.data_label) if newest.data_label else None,
        months=_qualities(months),
        look_ahead_passed=look_ahead_passed(found),
        failed_guard=disqualifying(found),
    )


def _coverage(month: BarsMonth) -> float:
    """A report without coverage doesn't prove any."""
    value = month.quality_report.get("coverage")
    return float(value) if isinstance(value, int | float) else 0.0


def _columns(result: Score, newest: BacktestSession | None, now: datetime) -> dict[str, Any]:
    return {
        **_figures(result),
        "session_id": newest.id if newest else None,
        "trace_id": newest.trace_id if newest else current_trace_id(),
        "last_updated_at": max(now, newest.completed_at) if newest else now,
    }


def _figures(result: Score) -> dict[str, Any]:
    return {
        "autonomy_score": result.total,
        **{f"{name}_score": result.subscores[name].score for name in SUBSCORES},
        "autonomy_tier": result.tier,
        "autonomy_score_max": result.attainable,
        "locked_by": result.locked_by.code if result.locked_by else None,
        "locked_reason": result.locked_by.message if result.locked_by else None,
        "breakdown": result.breakdown(),
    }
