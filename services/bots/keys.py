"""Which bots there are, as keys: ids, and partitions of Dagster, which follow the fleet."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import not_found
from fleet.partition_keys import former_id, free_key
from sql.queries.bots import keys as key_queries
from sql.tables.bots import Bot


def active_bots(session: Session) -> tuple[UUID, ...]:
    """Return the ids of all bots that aren't archived, oldest first."""
    return tuple(key_queries.active_bot_ids(session))


def active_partition_keys(session: Session) -> tuple[str, ...]:
    """Return the partition keys of all bots that aren't archived, oldest bot first."""
    return tuple(key_queries.active_partition_keys(session))


def partition_keys(session: Session, bot_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the partition keys of bots, archived or not, by id; unknown ids are left out."""
    return dict(key_queries.partition_keys(session, ids=bot_ids))


def bots_of_keys(session: Session, keys: Collection[str]) -> Mapping[str, UUID]:
    """Return the bots of partition keys, archived or not; unknown keys are left out.

    A bot's id is its former key, and names it too: a run that was queued before the keys had names still finds it.
    """
    former = {bot_id for key in keys if (bot_id := former_id(key)) is not None}
    found = key_queries.partition_keys(session, ids=former, keys=keys)
    named = {key: bot_id for bot_id, key in found} | {str(bot_id): bot_id for bot_id, _key in found}
    return {key: named[key] for key in keys if key in named}


def require_active_bots(session: Session, bot_ids: Sequence[UUID]) -> None:
    """See that each id is an active bot's.

    Raises:
        GantryError: NOT_FOUND, naming the first that isn't.

    """
    known = set(key_queries.active_bot_ids(session))
    for bot_id in bot_ids:
        if bot_id not in known:
            raise not_found("active bot", bot_id, fix="List them: gantry bots list.")


def free_keys(session: Session, bots: Sequence[Bot]) -> None:
    """Give new bots longer partition keys where theirs are taken, by stored bots or by each other."""
    taken = {key for _bot_id, key in key_queries.partition_keys(session, keys=[bot.partition_key for bot in bots])}
    for bot in bots:
        if bot.partition_key in taken:
            bot.partition_key = free_key(bot.name, bot.id, taken)
        taken.add(bot.partition_key)
