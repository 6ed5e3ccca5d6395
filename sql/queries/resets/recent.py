"""Resets of late, and their bots."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fleet.closed_sets import SystemEvent
from sql.tables.bots import Bot
from sql.tables.events import SystemEventRow
from sql.tables.resets import BotMetricsEvent


def resets_since(session: Session, age: timedelta) -> Sequence[SystemEventRow]:
    """Return the events of resets that are no older, oldest first."""
    query = (
        select(SystemEventRow)
        .where(
            SystemEventRow.event_type == SystemEvent.METRICS_RESET,
            SystemEventRow.created_at > func.clock_timestamp() - age,
        )
        .order_by(SystemEventRow.created_at, SystemEventRow.id)
    )
    return session.scalars(query).all()


def bots_of(session: Session, request_id: UUID) -> Sequence[UUID]:
    """Return the active bots that a reset covered, in order of their creation."""
    query = (
        select(Bot.id)
        .join(BotMetricsEvent, BotMetricsEvent.bot_id == Bot.id)
        .where(BotMetricsEvent.payload_json["request_id"].astext == str(request_id), Bot.archived_at.is_(None))
        .order_by(Bot.created_at, Bot.id)
    )
    return session.scalars(query).all()
