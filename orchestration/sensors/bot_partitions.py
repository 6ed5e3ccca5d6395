"""Keeps the partitions `bots` equal to the bots there are: new ones are added, archived ones removed."""

from dataclasses import dataclass

from dagster import (
    AddDynamicPartitionsRequest,
    DefaultSensorStatus,
    DeleteDynamicPartitionsRequest,
    ResourceParam,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from assets.domain import Domain
from assets.partitions import BOTS
from orchestration.sensors.loops import noted
from services import bot_keys


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
def bot_partitions(context: SensorEvaluationContext, domain: ResourceParam[Domain]) -> SensorResult | SkipReason:
    """Compare bots with keys, and ask for the difference."""
    with noted(domain, "bot_partitions") as this:
        result = _compared(context, domain)
        this.said = result.skip_message or "" if isinstance(result, SkipReason) else "Partitions added or removed."
    return result


def _compared(context: SensorEvaluationContext, domain: Domain) -> SensorResult | SkipReason:
    with domain.tx() as session:
        wanted = tuple(str(bot_id) for bot_id in bot_keys.active(session))
    changes = key_changes(tuple(context.instance.get_dynamic_partitions(BOTS.name or "")), wanted)
    if not changes.added and not changes.removed:
        return SkipReason(f"{len(wanted)} bots, {len(wanted)} partitions.")
    requests: list[AddDynamicPartitionsRequest | DeleteDynamicPartitionsRequest] = []
    if changes.added:
        requests.append(BOTS.build_add_request(list(changes.added)))
    if changes.removed:
        requests.append(BOTS.build_delete_request(list(changes.removed)))
    return SensorResult(dynamic_partitions_requests=requests)
