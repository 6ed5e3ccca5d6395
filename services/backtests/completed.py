"""A bot's standing after a completed backtest: what its rollup and its score are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fleet.closed_sets import DataLabel
from sql.tables.bars import BarsMonth
from trading.metrics import Metrics


@dataclass(frozen=True, slots=True)
class CompletedBacktest:
    """The newest session of a bot's current version and epoch, its figures, and the months it read."""

    bot_id: UUID
    epoch: int
    session_id: UUID
    updated_at: datetime
    trace_id: str
    metrics: Metrics
    data_label: DataLabel | None
    months: tuple[BarsMonth, ...]
    analysis: Mapping[str, Any]
