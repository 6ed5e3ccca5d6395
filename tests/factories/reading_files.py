"""A file's bytes as every command reads and judges them."""

from pathlib import Path
from typing import Any

import numpy as np

from integrations.files.reader import read_options
from integrations.files.types import FileBars
from services.bars.files.read_file import judged, read_file
from tests.factories.bots import NOW
from trading.bars.schema import Bars

UNSTATED: dict[str, Any] = {"symbol": None, "tz": None, "epoch_tz": None, "stamp": "open", "hours": "all"}


def taken(path: Path, content: bytes, **options: Any) -> FileBars:
    """Return the bars of a file of one symbol, read and judged as an import and `gantry backtest` do.

    Raises:
        GantryError: as they do.

    """
    path.write_bytes(content)
    (found,) = read_file(path, read_options(**{**UNSTATED, **options}))
    judged(found, NOW)
    return found


def same_bars(left: Bars, right: Bars) -> bool:
    """Whether two series are the same in every column and in each row's contract."""
    columns = ("ts", "open", "high", "low", "close", "volume")
    return (
        (left.symbol, len(left)) == (right.symbol, len(right))
        and all(np.array_equal(getattr(left, name), getattr(right, name)) for name in columns)
        and np.array_equal(np.array(left.contracts)[left.contract], np.array(right.contracts)[right.contract])
    )
