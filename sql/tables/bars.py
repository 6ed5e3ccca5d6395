"""Catalogue of bars: one row per provider, symbol, month and content; the newest active one is in use."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, PrimaryKeyConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.closed_sets import DataLabel, QualityVerdict
from sql.tables.base import Base, one_of


class BarsMonth(Base):
    """One symbol-month of one-minute bars in one Parquet file; superseded rows stay for lineage."""

    __tablename__ = "bars_catalogue"
    __table_args__ = (
        one_of("data_label", DataLabel),
        one_of("quality", QualityVerdict),
        CheckConstraint("month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name="month_format"),
        CheckConstraint("bars_count > 0", name="not_empty"),
        Index(
            "uq_bars_catalogue_active",
            "symbol",
            "month",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider: Mapped[str]
    symbol: Mapped[str]
    month: Mapped[str]
    data_label: Mapped[str]
    path: Mapped[str]  # relative to the bars folder
    content_hash: Mapped[str]  # sha-256 of ts, OHLC in ticks, volume
    contracts_hash: Mapped[str]  # sha-256 of the contract segments
    source_name: Mapped[str]
    source_sha256: Mapped[str | None]  # of the imported file or payload; null for the simulator
    source_details: Mapped[dict[str, Any]]  # format, time zone, stamp, seed, schema, dataset
    bars_count: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    contracts: Mapped[list[Any]]
    quality: Mapped[str]
    quality_report: Mapped[dict[str, Any]]  # QualityReport.as_json
    trace_id: Mapped[str]
    superseded_at: Mapped[datetime | None]
    superseded_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AcceptedSession(Base):
    """A session that fails its quality checks and is used all the same, as a person decided. Insert-only."""

    __tablename__ = "bars_accepted_sessions"
    __table_args__ = (
        PrimaryKeyConstraint("symbol", "session_on"),
        CheckConstraint("reason <> ''", name="reason_given"),
    )

    symbol: Mapped[str]
    session_on: Mapped[date]
    reason: Mapped[str]
    actor: Mapped[str]
    trace_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
