"""Months of bars."""

from typing import Any
from uuid import UUID

from pydantic import Field

from fleet.closed_sets import DataLabel, QualityVerdict
from shapes.base import Instant, Model


class BarsMonthBody(Model):
    """One symbol-month of one-minute bars in use."""

    id: UUID
    provider: str
    symbol: str
    month: str
    data_label: DataLabel
    content_hash: str
    source_name: str
    source_sha256: str | None
    bars_count: int
    first_at: Instant
    last_at: Instant
    contracts: list[str]
    quality: QualityVerdict
    quality_report: dict[str, Any] = Field(
        description="Problems, gaps, coverage, and sessions missing, put aside or accepted, each with its reason."
    )
    created_at: Instant
