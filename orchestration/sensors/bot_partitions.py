"""Keeps the partitions `bots` equal to the bots there are: new ones are added, archived ones removed.

A partition that still goes by its bot's id is renamed first, see `orchestration.carry_over`.

The keys are written here and not requested in the sensor's result: the daemon looks each one up on a connection of its
own, which took 39 s for a thousand new bots.
"""

from dataclasses import dataclass

from dagster import DefaultSensorStatus, ResourceParam, SensorEvaluationContext, SkipReason, sensor

from assets.domain import Domain
from assets.partitions import BOTS, add_keys, present_keys, remove_keys
from orchestration.backfills import is_backfilling
from orchestration.carry_over import carry_over, former_keys
from orchestration.sensors.loops import noted
from services.bots.keys import active_partition_keys


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


@sensor(
    description="Adds a partition for each new bot, removes those of archived bots.",
    minimum_interval_seconds=2,
    default_status=DefaultSensorStatus.RUNNING,
)
def bot_partitions(context: SensorEvaluationContext, domain: ResourceParam[Domain]) -> SkipReason:
    """Compare bots with keys, and write the difference."""
    instance = context.instance
    with noted(domain, "bot_partitions") as this:
        present = present_keys(instance, BOTS)
        former, renamed = former_keys(domain.tx, present), 0
        if former and not is_backfilling(instance):
            renamed = carry_over(instance, former)
        with domain.tx() as session:
            wanted = active_partition_keys(session)
        # One that waits to be renamed is there already, and is not to go before it is.
        changes = key_changes(tuple(former.get(key, key) for key in present), wanted)
        if changes.added:
            add_keys(instance, BOTS, changes.added)
        removed = changes.removed if changes.removed and not is_backfilling(instance) else ()
        remove_keys(instance, BOTS, removed)
        this.message = f"{len(wanted)} bots: {len(changes.added)} partitions added, {len(removed)} removed."
        if former:
            this.message += f" {renamed} of {len(former)} were given their bot's name."
    return SkipReason(this.message)
