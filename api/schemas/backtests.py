"""Lists of one session, and lineage, as they are answered."""

from uuid import UUID

from api.envelope import Envelope, ListOf
from shapes.backtests import EquityBody, LineageBody, TradeBody


class TradeList(ListOf[TradeBody]):
    """Trades of one session; null when the bot has none since the last reset."""

    session_id: UUID | None


class EquityList(ListOf[EquityBody]):
    """Equity of one session; null when the bot has none since the last reset."""

    session_id: UUID | None


class LineageReply(Envelope):
    """Lineage of one score."""

    data: LineageBody
