"""How assets are partitioned: bars by symbol and month, everything after them by bot. Keys are made and read here."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from dagster import DagsterInstance, DynamicPartitionsDefinition

from core.errors import invalid
from services.bots.keys import bots_of_keys, partition_keys
from sql.engine import Transactions
from trading.instruments import get_instrument

BOTS: Final = DynamicPartitionsDefinition(name="bots")
# Those there are and those that bots want: of all symbols and months since 2010, nearly all would be missing for ever.
SYMBOL_MONTHS: Final = DynamicPartitionsDefinition(name="symbol_months")
_SYMBOL_MONTH: Final = re.compile(r"([0-9]{4}-(?:0[1-9]|1[0-2]))\|([A-Z0-9]+)")


@dataclass(frozen=True, slots=True, order=True)
class SymbolMonth:
    """One partition of bars; month "YYYY-MM"."""

    symbol: str
    month: str

    @property
    def key(self) -> str:
        """Its key in Dagster: "month|symbol"."""
        return f"{self.month}|{self.symbol}"


def symbol_month(key: str) -> SymbolMonth:
    """Return what a partition key "month|symbol" names; a person may have typed it.

    Raises:
        GantryError: VALIDATION_FAILED for another form, or an unknown symbol.

    """
    found = _SYMBOL_MONTH.fullmatch(key)
    if found is None:
        raise invalid(f"{key!r} is not a month of bars.", fix='Name it as in "2024-01|ES".', field="partition")
    return SymbolMonth(get_instrument(found[2]).symbol, found[1])


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
    assert partitions.name is not None  # noqa: S101 - both have one
    return partitions.name
