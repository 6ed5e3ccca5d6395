"""Keys of the fleet's bots: their ids, and their partition keys in Dagster."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, or_, select
from sqlalchemy.orm import Session

from sql.tables.bots import Bot

# One parameter, so that the statement's text is the same however many there are.
_IDS = bindparam("ids", type_=ARRAY(Uuid()))
_KEYS = bindparam("keys", type_=ARRAY(Text()))


def active_bot_ids(session: Session) -> Sequence[UUID]:
    """Return the ids of all bots that aren't archived, oldest first."""
    return session.scalars(select(Bot.id).where(Bot.archived_at.is_(None)).order_by(Bot.created_at, Bot.id)).all()


def active_partition_keys(session: Session) -> Sequence[str]:
    """Return the partition keys of all bots that aren't archived, oldest bot first."""
    query = select(Bot.partition_key).where(Bot.archived_at.is_(None)).order_by(Bot.created_at, Bot.id)
    return session.scalars(query).all()


def partition_keys(
    session: Session, *, ids: Collection[UUID] = (), keys: Collection[str] = ()
) -> Sequence[tuple[UUID, str]]:
    """Return (id, partition key) of the bots, archived or not, with one of these ids or keys."""
    query = select(Bot.id, Bot.partition_key).where(or_(Bot.id == any_(_IDS), Bot.partition_key == any_(_KEYS)))
    rows = session.execute(query, {"ids": list(ids), "keys": list(keys)})
    return [(bot_id, key) for bot_id, key in rows]


def names(session: Session, bot_ids: Collection[UUID]) -> Sequence[tuple[UUID, str, str]]:
    """Return (id, name, partition key) of these bots, archived or not."""
    rows = session.execute(
        select(Bot.id, Bot.name, Bot.partition_key).where(Bot.id == any_(_IDS)), {"ids": list(bot_ids)}
    )
    return [(bot_id, name, key) for bot_id, name, key in rows]
