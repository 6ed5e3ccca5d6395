"""Lineage: from a bot's score back to the session, version, code, run and bars that made it, in one call."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session


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


def of_score(session: Session, bot_id: UUID) -> Lineage:
    """Return the chain behind a bot's present score.

    Raises:
        GantryError: NOT_FOUND for an unknown bot, or one without a completed session since the boundary.

    """
    raise NotImplementedError
