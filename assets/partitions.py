"""How assets are partitioned: bars by symbol and month, everything after them by bot."""

from dataclasses import dataclass
from typing import Final

from dagster import (
    DynamicPartitionsDefinition,
    MonthlyPartitionsDefinition,
    MultiPartitionKey,
    MultiPartitionsDefinition,
    StaticPartitionsDefinition,
)

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
