"""Autonomy scores, derived from the newest session's raw rows and its bars; running it again changes nothing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.ids import new_id
from core.trace import current_trace_id
from fleet.autonomy_score import MonthQuality, Score, ScoreSignals, score
from fleet.closed_sets import DataLabel, QualityVerdict
from services.events import require_bot
from services.rollups import from_raw_rows
from sql.queries import sessions
from sql.tables.bars import BarsMonth
from sql.tables.results import BacktestSession
from sql.tables.standing import AutonomyScore
from trading.backtest.findings import LOOK_AHEAD

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


def signals_of(session: Session, newest: BacktestSession | None) -> ScoreSignals:
    """Gather what a score is made from; None where there is no signal."""
    if newest is None:
        return ScoreSignals(metrics=None, data_label=None, months=(), look_ahead_passed=None)
    months = sessions.bars_months(session, [UUID(str(month_id)) for month_id in newest.bars_ids])
    return ScoreSignals(
        metrics=from_raw_rows(session, newest.id),
        data_label=DataLabel(newest.data_label) if newest.data_label else None,
        months=tuple(MonthQuality(m.month, QualityVerdict(m.quality), _coverage(m)) for m in months),
        look_ahead_passed=_look_ahead_passed(newest.analysis),
    )


def _coverage(month: BarsMonth) -> float:
    """A report without coverage is no proof of any."""
    value = month.quality_report.get("coverage")
    return float(value) if isinstance(value, int | float) else 0.0


def _look_ahead_passed(analysis: dict[str, Any]) -> bool | None:
    """Whether every look-ahead guard passed; None unless all of them were run."""
    verdicts = [bool(analysis[guard]["passed"]) for guard in LOOK_AHEAD if guard in analysis]
    return all(verdicts) if len(verdicts) == len(LOOK_AHEAD) else None


def _columns(result: Score, newest: BacktestSession | None, now: datetime) -> dict[str, Any]:
    parts = {f"{name}_score": result.subscores[name].score for name in SUBSCORES}
    return {
        "autonomy_score": result.total,
        **parts,
        "autonomy_tier": result.tier,
        "breakdown": result.breakdown(),
        "session_id": newest.id if newest else None,
        "trace_id": newest.trace_id if newest else current_trace_id(),
        "last_updated_at": max(now, newest.completed_at) if newest else now,
    }
