"""Keeps the partitions `bots` equal to the bots there are: new ones are added, archived ones removed.

The keys are written here and not requested in the sensor's result: the daemon looks each one up on a connection of its
own, which took 39 s for a thousand new bots.
"""

from dataclasses import dataclass

from dagster import (
    DagsterInstance,
    DefaultSensorStatus,
    ResourceParam,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)

from assets.domain import Domain
from assets.partitions import BOTS
from orchestration.dagster_private import BulkActionsFilter, BulkActionStatus
from orchestration.sensors.loops import noted
from services.bots.keys import active_bots


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """Keys to add, in the order of the bots' creation, and keys to remove."""

    added: tuple[str, ...]
    removed: tuple[str, ...]


def key_changes(present: tuple[str, ...], wanted: tuple[str, ...]) -> KeyChanges:
    """Return what makes the present keys the wanted ones."""
    had, wants = set(present), set(wanted)
    return KeyChanges(
        tuple(key for key in wanted if key not in had),
        tuple(key for key in present if key not in wants),
    )


def _followed(instance: DagsterInstance) -> bool:
    """Whether a backfill is under way: one whose partitions are removed meanwhile fails whole, so that they wait."""
    under_way = [BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING]
    return bool(instance.get_backfills(filters=BulkActionsFilter(statuses=under_way), limit=1))


@sensor(
    description="Adds a partition for each new bot, removes those of archived bots.",
    minimum_interval_seconds=2,
    default_status=DefaultSensorStatus.RUNNING,
)
def bot_partitions(context: SensorEvaluationContext, domain: ResourceParam[Domain]) -> SkipReason:
    """Compare bots with keys, and write the difference."""
    name, instance = BOTS.name or "", context.instance
    with noted(domain, "bot_partitions") as this:
        with domain.tx() as session:
            wanted = tuple(str(bot_id) for bot_id in active_bots(session))
        changes = key_changes(tuple(instance.get_dynamic_partitions(name)), wanted)
        if changes.added:
            instance.add_dynamic_partitions(name, list(changes.added))
        removed = changes.removed if changes.removed and not _followed(instance) else ()
        for key in removed:
            instance.delete_dynamic_partition(name, key)
        this.message = f"{len(wanted)} bots: {len(changes.added)} partitions added, {len(removed)} removed."
    return SkipReason(this.message)
