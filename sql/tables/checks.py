"""What checks found in the session behind a bot's metrics. Derived; found again from stored rows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from sql.tables.base import Base


class BotChecks(Base):
    """The verdict on the session of a bot's BACKTEST rollup; one of another version or epoch counts no more.

    failed: checks of `trading.backtest.findings` that did not pass or did not run, and of `fleet.closed_sets.RawCheck`
    those that failed. raw_compared: whether the session's raw rows were summed for it.
    """

    __tablename__ = "bot_checks"
    __table_args__ = (Index("ix_bot_checks_not_compared", "bot_id", postgresql_where=text("NOT raw_compared")),)

    bot_id: Mapped[UUID] = mapped_column(ForeignKey("bots.id"), primary_key=True)
    session_id: Mapped[UUID]
    version_id: Mapped[UUID]
    epoch: Mapped[int]
    failed: Mapped[list[str]] = mapped_column(ARRAY(Text))
    raw_compared: Mapped[bool]
    judged_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
