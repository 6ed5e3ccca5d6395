"""Partitions of bots in Dagster."""

from collections.abc import Sequence
from uuid import UUID

from assets.partitions import keys_of
from sql.engine import Transactions


def keys_in_order(tx: Transactions, bot_ids: Sequence[UUID]) -> list[str]:
    """Return the bots' partition keys, in the order of the bots."""
    keys = keys_of(tx, bot_ids)
    return [keys[bot_id] for bot_id in bot_ids]
