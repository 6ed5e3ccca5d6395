"""Autonomy scores, derived from the rollup, the session and its bars; running it again changes nothing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from sql.tables.standing import AutonomyScore


def refresh_score(session: Session, bot_id: UUID, *, now: datetime) -> AutonomyScore:
    """Derive a bot's score anew. A bot without a backtest is scored too: what is missing counts 0, with a blocker."""
    raise NotImplementedError
