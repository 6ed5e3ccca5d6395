"""How assets are partitioned: bars by symbol and month, everything after them by bot. Keys of bots are read here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from dagster import (
    DagsterInstance,
    DynamicPartitionsDefinition,
    MonthlyPartitionsDefinition,
    MultiPartitionKey,
    MultiPartitionsDefinition,
    StaticPartitionsDefinition,
)

from services.bots.keys import bots_of_keys, partition_keys
from sql.engine import Transactions
from trading.instruments import INSTRUMENTS

MONTH: Final = "month"
SYMBOL: Final = "symbol"
FIRST_MONTH: Final = "2010-01"

BOTS: Final = DynamicPartitionsDefinition(name="bots")
SYMBOL_MONTHS: Final = MultiPartitionsDefinition(
    {
        # The month at hand is a partition too: it grows until it ends.
        MONTH: MonthlyPartitionsDefinition(start_date=FIRST_MONTH, fmt="%Y-%m", end_offset=1),
        SYMBOL: StaticPartitionsDefinition(list(INSTRUMENTS)),
    }
)


@dataclass(frozen=True, slots=True)
class SymbolMonth:
    """One partition of bars; month "YYYY-MM"."""

    symbol: str
    month: str

    @property
    def key(self) -> MultiPartitionKey:
        """Its key in Dagster: "month|symbol"."""
        return MultiPartitionKey({MONTH: self.month, SYMBOL: self.symbol})


def symbol_month(key: str) -> SymbolMonth:
    """Return what a partition key "month|symbol" names."""
    month, symbol = key.split("|")
    return SymbolMonth(symbol, month)


def keys_of(tx: Transactions, bot_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the partition keys of bots, archived or not, by id."""
    with tx() as session:
        return partition_keys(session, bot_ids)


def bots_of(tx: Transactions, keys: Collection[str]) -> Mapping[str, UUID]:
    """Return the bots of partition keys, archived or not; keys of no bot are left out."""
    with tx() as session:
        return bots_of_keys(session, keys)


def add_keys(instance: DagsterInstance, partitions: DynamicPartitionsDefinition, keys: Collection[str]) -> None:
    """Add partitions, in this order; those that are there stay where they are."""
    instance.add_dynamic_partitions(_name(partitions), list(keys))


def present_keys(instance: DagsterInstance, partitions: DynamicPartitionsDefinition) -> tuple[str, ...]:
    """Return the partitions there are, in the order in which they were added."""
    return tuple(instance.get_dynamic_partitions(_name(partitions)))


def remove_keys(instance: DagsterInstance, partitions: DynamicPartitionsDefinition, keys: Collection[str]) -> None:
    """Remove partitions; what was materialized under them stays in the event log."""
    for key in keys:
        instance.delete_dynamic_partition(_name(partitions), key)


def _name(partitions: DynamicPartitionsDefinition) -> str:
    assert partitions.name is not None  # noqa: S101 - it has one
    return partitions.name
