"""Reads and bulk writes of the starter pack: a fixed number of statements, whatever the pack's size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, insert, or_, select
from sqlalchemy.orm import Session

from fleet.closed_sets import BacktestKind, JobStatus
from fleet.jobs import ACTIVE
from sql.queries import current
from sql.tables.bars import BarsMonth
from sql.tables.base import Base
from sql.tables.bots import Bot, BotBoundary
from sql.tables.jobs import BotJob

STARTER_LOCK = 0x7374_6172  # "star"


@dataclass(frozen=True, slots=True)
class PackBot:
    """A bot of the pack that is there already."""

    bot_id: UUID
    key: str


def lock_pack(session: Session) -> None:
    """Wait for the right to add to the pack, until the transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(STARTER_LOCK)))


def symbols_with_bars(session: Session) -> frozenset[str]:
    """Return the symbols that have months in use."""
    query = select(BarsMonth.symbol).where(BarsMonth.superseded_at.is_(None)).distinct()
    return frozenset(session.scalars(query))


def kept_bots(session: Session, symbols: Sequence[str] | None) -> Sequence[PackBot]:
    """Return the pack's active bots, of some symbols only where asked, in the order they were made."""
    query = select(Bot.id, Bot.starter_key).where(Bot.starter_key.is_not(None), Bot.archived_at.is_(None))
    if symbols is not None:
        query = query.where(Bot.symbol.in_(symbols))
    return [PackBot(bot_id, key) for bot_id, key in session.execute(query.order_by(Bot.created_at, Bot.id)) if key]


def hold_bots(session: Session, bot_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Hold active bots by id: nobody changes them or queues a job for them until the transaction ends."""
    query = select(Bot.id).where(Bot.id.in_(bot_ids), Bot.archived_at.is_(None)).order_by(Bot.id)
    return frozenset(session.scalars(query.with_for_update(key_share=True)))


def names_in_use(session: Session, names: Sequence[str]) -> frozenset[str]:
    """Return those names that active bots have, and those that begin with one of them and a number in brackets."""
    numbered = func.regexp_replace(Bot.name, r" \([0-9]+\)$", "")
    query = select(Bot.name).where(or_(Bot.name.in_(names), numbered.in_(names)), Bot.archived_at.is_(None))
    return frozenset(session.scalars(query))


def baselines(session: Session, bot_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """Return, by bot, its active job, else its newest completed baseline of the current version and epoch."""
    done = and_(
        BotJob.kind == BacktestKind.BASELINE,
        BotJob.status == JobStatus.COMPLETED,
        current.of_current_version(BotJob),
        current.of_current_epoch(BotJob),
    )
    query = (
        select(BotJob.bot_id, BotJob.id)
        .join(Bot, Bot.id == BotJob.bot_id)
        .join(BotBoundary, current.boundary_of(Bot.id))
        .where(BotJob.bot_id.in_(bot_ids), or_(BotJob.status.in_(ACTIVE), done))
        .order_by(BotJob.bot_id, BotJob.status.in_(ACTIVE), BotJob.created_at, BotJob.id)
    )
    return {bot_id: job_id for bot_id, job_id in session.execute(query)}  # noqa: C416 - mypy doesn't take rows for pairs


def insert_all(session: Session, rows: Sequence[Base]) -> None:
    """Insert rows of one table, all made alike, in one statement run for each of them."""
    if rows:
        session.execute(insert(type(rows[0])), [_values(row) for row in rows])


def _values(row: Base) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if not name.startswith("_")}
