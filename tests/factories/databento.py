"""What the tests of Databento's client have in common: made bars, and a client that gives up soon."""

from datetime import UTC, datetime
from typing import Final

import numpy as np

from integrations.databento.client import DatabentoBars
from integrations.http.gate import ProviderGate
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from tests.factories.bars import made_bars
from tests.fakes.usage import KeptUsage
from tests.standins.databento import DatabentoStandIn
from trading.bars.schema import Bars

NOW: Final = datetime(2024, 6, 1, tzinfo=UTC)
DEADLINE_S: Final = 1.0
HURRIED: Final = CallPolicy(deadline_s=DEADLINE_S, connect_s=0.3, attempts=2, backoff_s=0.01, calls_per_minute=60_000)
JANUARY: Final = made_bars("2024-01-08T23:00", "2024-01-11T22:00")


def source(vendor: DatabentoStandIn, usage: KeptUsage | None = None, *, key: str | None = None) -> DatabentoBars:
    """Return a client of the stand-in that gives up within a second."""
    ca_file = str(vendor.ca_file) if vendor.ca_file else None
    gate = ProviderGate("databento", HURRIED, usage or KeptUsage(), Limiter(None), ca_file=ca_file)
    return DatabentoBars(key or vendor.key, gate, base_url=vendor.url)


def same(found: Bars, given: Bars) -> bool:
    """Whether the bars are the same but for the contracts' names."""
    columns = ("ts", "open", "high", "low", "close", "volume")
    return all(np.array_equal(getattr(found, name), getattr(given, name)) for name in columns)
