"""A vendor of bars that names its price, and sells nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from core.errors import GantryError
from integrations.ports import FetchedMonth, Quote


@dataclass(slots=True)
class PricedSource:
    """usd_a_month: None for a subscription. refuses: raised in place of a quote. asked: the quotes, in order."""

    provider_id: str = "priced"
    usd_a_month: Decimal | None = Decimal(2)
    records_a_month: int | None = 10
    refuses: GantryError | None = None
    parallel: int = 1
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def quote(self, symbol: str, months: Sequence[str]) -> Quote:
        """Return the price of these months."""
        self.asked.append((symbol, tuple(months)))
        if self.refuses is not None:
            raise self.refuses
        cost = None if self.usd_a_month is None else self.usd_a_month * len(months)
        records = None if self.records_a_month is None else self.records_a_month * len(months)
        return Quote(self.provider_id, cost, records)

    def fetch_month(self, symbol: str, month: str, *, now: datetime) -> FetchedMonth:
        """Fail: nothing may be bought of this vendor."""
        raise AssertionError(f"{symbol} {month} was bought at {now}")
