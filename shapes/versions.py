"""Versions of a bot."""

from typing import Any
from uuid import UUID

from pydantic import Field

from fleet.closed_sets import DataLabel
from shapes.base import Instant, Model
from shapes.metrics import MetricsFigures


class VersionBody(Model):
    """One version of a bot, and what it was made from."""

    id: UUID
    bot_id: UUID
    number: int
    is_current: bool
    parent_id: UUID | None
    parent_number: int | None
    strategy: str
    params: dict[str, Any]
    costs: dict[str, Any]
    window: dict[str, Any]
    reason_code: str
    improvement_id: UUID | None = Field(description="The improvement that was adopted; null where a person made it.")
    session_id: UUID | None = Field(description="The version's newest completed backtest since the last reset.")
    data_label: DataLabel | None
    metrics: MetricsFigures = Field(description="Of that backtest; null with the reason without one.")
    trace_id: str
    created_at: Instant
