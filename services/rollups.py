"""Rollups: metrics of the current epoch, derived from raw rows; running it again changes nothing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from sql.tables.standing import MetricsRollup


def refresh_rollup(session: Session, bot_id: UUID, *, now: datetime) -> MetricsRollup | None:
    """Derive a bot's BACKTEST rollup anew from its newest COMPLETED session of version and epoch; None without one."""
    raise NotImplementedError
