"""Bots as the database holds them: with a version, boundaries of every source and a first stage event."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.ids import new_id
from fleet.closed_sets import Stage, TradeSource
from fleet.partition_keys import partition_key
from sql.queries.bots.create import insert_bot
from sql.tables.bots import Bot, BotBoundary, BotStageEvent, BotVersion

TRACE = "0" * 31 + "1"
NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
MakeBot = Callable[..., UUID]  # the fixture that makes one as a person would


def a_version(bot: Bot, *, number: int = 1, **changes: Any) -> BotVersion:
    """Return a version that isn't stored yet."""
    values: dict[str, Any] = {
        "id": new_id(),
        "bot_id": bot.id,
        "number": number,
        "strategy": "sma_cross",
        "params": {},
        "costs": {"slippage_ticks": 1, "commission_usd": "2.25", "contracts": 1},
        "window": {"start": None, "end": None},
        "reason_code": "CREATED",
        "trace_id": TRACE,
    }
    return BotVersion(**(values | changes))


def make_bot(session: Session, name: str = "one", **changes: Any) -> Bot:
    """Store a bot in LAB whose current version is number 1."""
    values: dict[str, Any] = {
        "id": new_id(),
        "symbol": "ES",
        "timeframe": "1m",
        "created_by": "test",
        "created_at": NOW,
    }
    values |= changes
    bot = Bot(name=name, trace_id=TRACE, partition_key=partition_key(name, values["id"]), **values)
    version = a_version(bot)
    bot.current_version_id = version.id
    boundaries = [BotBoundary(bot_id=bot.id, source=source) for source in TradeSource]
    created = BotStageEvent(
        id=new_id(),
        bot_id=bot.id,
        to_stage=Stage.LAB,
        event_type="CREATED",
        reason_code="CREATED",
        actor="test",
        trace_id=TRACE,
    )
    insert_bot(session, bot, version, boundaries, created)
    return bot
