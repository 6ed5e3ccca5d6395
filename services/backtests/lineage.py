"""Lineage: from a bot's score back to the session, version, code, run and bars that made it, in one call."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import not_found
from services.finding import unknown_bot
from sql.queries.backtests import sessions
from sql.queries.bars import catalogue
from sql.tables.bars import BarsMonth
from sql.tables.bots import Bot, BotVersion


@dataclass(frozen=True, slots=True)
class BarsLink:
    """One month of bars a session read, also when it was superseded since."""

    id: UUID
    symbol: str
    month: str
    provider: str
    data_label: str
    content_hash: str
    quality: str
    source_name: str
    source_sha256: str | None
    path: str
    superseded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The chain behind one score."""

    bot_id: UUID
    bot_name: str
    score: float | None
    tier: str | None
    scored_at: datetime | None
    session_id: UUID
    session_completed_at: datetime
    net_pnl: Decimal | None
    total_trades: int | None
    epoch: int
    version_id: UUID
    version_number: int
    strategy: str
    params: dict[str, Any]
    costs: dict[str, Any]
    window: dict[str, Any]
    code_version: str
    engine: str
    engine_version: str
    job_id: UUID
    run_id: str | None
    trace_id: str
    bars_hash: str | None
    bars: tuple[BarsLink, ...]


def lineage_of_score(session: Session, bot_id: UUID) -> Lineage:
    """Return the chain behind a bot's present score.

    Raises:
        GantryError: NOT_FOUND for an unknown bot, or one without a completed session since the boundary.

    """
    bot = session.get(Bot, bot_id)
    if bot is None:
        raise unknown_bot(bot_id)
    score = sessions.score_of(session, bot_id)
    scored = score.session_id if score else None
    graded = sessions.session_of_bot(session, bot_id, scored) if scored else sessions.newest_completed(session, bot_id)
    if graded is None:
        raise not_found("completed backtest of bot", bot_id, fix="POST /api/bots/{id}/run-backtest, then try again.")
    version = session.get_one(BotVersion, graded.version_id)
    return Lineage(
        bot_id=bot.id,
        bot_name=bot.name,
        score=score.autonomy_score if score else None,
        tier=score.autonomy_tier if score else None,
        scored_at=score.last_updated_at if score else None,
        session_id=graded.id,
        session_completed_at=graded.completed_at,
        net_pnl=graded.net_pnl,
        total_trades=graded.total_trades,
        epoch=graded.epoch,
        version_id=version.id,
        version_number=version.number,
        strategy=version.strategy,
        params=version.params,
        costs=graded.costs,
        window=version.window,
        code_version=graded.code_version,
        engine=graded.engine,
        engine_version=graded.engine_version,
        job_id=graded.job_id,
        run_id=graded.run_id,
        trace_id=graded.trace_id,
        bars_hash=graded.bars_hash,
        bars=tuple(_link(month) for month in catalogue.bars_months(session, [UUID(str(i)) for i in graded.bars_ids])),
    )


def _link(month: BarsMonth) -> BarsLink:
    return BarsLink(**{name: getattr(month, name) for name in BarsLink.__slots__})
