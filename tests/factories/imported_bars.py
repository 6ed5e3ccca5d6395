"""Imports of bars into a store of a test's own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from integrations.store import BarsStore
from services.bars.files.import_file import ImportReport
from services.bars.load import load_bars
from sql.engine import Transactions
from trading.bars.schema import Bars, Timeframe
from trading.instruments import get_instrument

NOW = datetime(2024, 3, 15, 12, tzinfo=UTC)
ES = get_instrument("ES")
JANUARY = ("2024-01-08T23:00", "2024-01-11T22:00")
TWO_MONTHS = ("2024-01-28T23:00", "2024-02-02T22:00")
Import = Callable[..., ImportReport]


def files_below(root: Path) -> list[str]:
    """Every file below a folder, by relative path."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def cheaper(bars: Bars) -> Bars:
    """The same bars, one point lower in the last ten minutes."""
    lower = np.where(np.arange(len(bars)) >= len(bars) - 10, 1.0, 0.0)
    return replace(bars, open=bars.open - lower, high=bars.high - lower, low=bars.low - lower, close=bars.close - lower)


def read_all(tx: Transactions, store: BarsStore) -> Bars:
    """Every bar of ES that is in use."""
    return load_bars(tx, store, "ES", timeframe=Timeframe.M1, start=None, end=None).bars
