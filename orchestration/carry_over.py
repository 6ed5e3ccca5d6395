"""Partitions of bots that still go by their bot's id get the bot's partition key, and keep their whole history.

Everything Dagster wrote of such a partition is renamed where it stands: partition, materializations, planned ones and
observations, with their runs, times and metadata. Dagster has no call for it. Events reported again under another key
would have new times and no runs, and each partition's history would be there twice.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from dagster import DagsterEventType, DagsterInstance
from sqlalchemy import text

from assets.event_speed import event_storage
from assets.partitions import BOTS, bots_of, keys_of
from fleet.partition_keys import former_id
from sql.engine import Transactions

MOST_AT_ONCE: Final = 200  # partitions a round: each may have hundreds of events
OF_A_PARTITION: Final = (
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.ASSET_OBSERVATION,
    DagsterEventType.ASSET_FAILED_TO_MATERIALIZE,
)
_RENAMED: Final = "unnest(CAST(:former AS text[]), CAST(:keys AS text[])) AS renamed (former, key)"
# An event is JSON in a text: the partition is a whole string of it, and no other string is the id alone.
# Asset and type are named for the index's sake: without them each round reads every event there is.
_EVENTS: Final = text(
    f"""
    UPDATE event_logs SET partition = renamed.key,
      event = replace(event, '"' || renamed.former || '"', '"' || renamed.key || '"')
    FROM asset_keys, unnest(CAST(:types AS text[])) AS of_type (type), {_RENAMED}
    WHERE event_logs.asset_key = asset_keys.asset_key AND event_logs.dagster_event_type = of_type.type
      AND event_logs.partition = renamed.former
    """  # noqa: S608 - constants alone
)
_LAST_OF_ASSETS: Final = text(
    f"""
    UPDATE asset_keys SET last_materialization = replace(last_materialization, '"' || renamed.former || '"',
      '"' || renamed.key || '"')
    FROM {_RENAMED} WHERE last_materialization LIKE '%"' || renamed.former || '"%'
    """  # noqa: S608 - constants alone
)
# In place, so that ranges of neighbours stay ranges. Where the key is a partition already, that one stays.
_PARTITIONS: Final = text(
    f"""
    UPDATE dynamic_partitions p SET partition = renamed.key
    FROM {_RENAMED} WHERE p.partitions_def_name = :name AND p.partition = renamed.former
      AND NOT EXISTS
        (SELECT FROM dynamic_partitions q WHERE q.partitions_def_name = :name AND q.partition = renamed.key)
    """  # noqa: S608 - constants alone
)
_LEFT: Final = text(
    "DELETE FROM dynamic_partitions WHERE partitions_def_name = :name AND partition = ANY(CAST(:former AS text[]))"
)


def former_keys(tx: Transactions, present: Sequence[str]) -> Mapping[str, str]:
    """Return, of these partitions, those that go by their bot's id, each with the bot's key."""
    former = [key for key in present if former_id(key) is not None]
    if not former:
        return {}
    bots = bots_of(tx, former)
    keys = keys_of(tx, bots.values())
    return {key: keys[bot_id] for key, bot_id in bots.items()}


def carry_over(instance: DagsterInstance, renamed: Mapping[str, str]) -> int:
    """Rename up to 200 of these partitions, keys by former keys, in one transaction; return how many."""
    some = dict(islice(renamed.items(), MOST_AT_ONCE))
    named = {"name": BOTS.name, "former": list(some), "keys": list(some.values())}
    named["types"] = [kind.value for kind in OF_A_PARTITION]
    with event_storage(instance).index_transaction() as connection:
        for statement in (_EVENTS, _LAST_OF_ASSETS, _PARTITIONS, _LEFT):
            connection.execute(statement, named)
    return len(some)
