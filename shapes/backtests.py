"""Sessions, trades, equity, improvements and lineage."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import computed_field

from fleet.closed_sets import (
    CandidateSource,
    DataLabel,
    ImprovementVerdict,
    JobType,
    QualityVerdict,
    SessionStatus,
    Tier,
    TradeSource,
)
from shapes.base import Instant, Model, Money
from trading.backtest.findings import Check


class BacktestBody(Model):
    """One run of one version over one window of bars. A FAILED one has an error and no figures."""

    id: UUID
    bot_id: UUID
    version_id: UUID
    job_id: UUID
    status: SessionStatus
    epoch: int
    data_label: DataLabel | None
    bars_hash: str | None
    bars_count: int | None
    window_start: Instant | None
    window_end: Instant | None
    engine: str
    engine_version: str
    code_version: str
    costs: dict[str, Any]
    total_trades: int | None
    net_pnl: Money | None
    open_pnl: Money | None
    gross_pnl: Money | None
    commission: Money | None
    max_drawdown_usd: Money | None
    metrics: dict[str, Any] | None
    open_position: dict[str, Any] | None
    analysis: dict[str, Any]
    run_id: str | None
    error_code: str | None
    error_message: str | None
    suggested_fix: str | None
    trace_id: str
    started_at: Instant
    completed_at: Instant
    created_at: Instant

    @computed_field  # type: ignore[prop-decorator] # as pydantic asks for it
    @property
    def warnings(self) -> list[str]:
        """What to know of the bars before these figures are believed: sentences."""
        found = self.analysis.get(Check.ROLLS_SEEN.value, {})
        return [str(found["message"])] if found.get("passed") is False else []


class FiguresBody(Model):
    """What a parameter set did on all bars of an improvement, and on those that chose nothing; Sharpe a year.

    Each P&L is that of the equity curve: what an open position is worth counts. net_usd: over all sessions.
    out_net_usd: out-of-sample, as LOSES_OUT_OF_SAMPLE has it: for `new` what each fold's own winner made there.
    unseen_net_usd: over the last fold's out-of-sample sessions.
    """

    net_usd: Money
    out_net_usd: Money
    unseen_net_usd: Money
    sharpe: float | None
    trades: int


class ImprovementBody(Model):
    """One improvement: old is what was in use, new the candidate. version_id: made of it, when it was adopted."""

    id: UUID
    bot_id: UUID
    job_id: UUID
    job_type: JobType
    base_version_id: UUID
    version_id: UUID | None
    verdict: ImprovementVerdict
    reason_code: str
    source: CandidateSource
    candidate: dict[str, Any] | None
    old: FiguresBody
    new: FiguresBody
    sets_tried: int
    epoch: int
    bars_hash: str
    data_label: DataLabel
    evidence: dict[str, Any]
    actor: str
    trace_id: str
    created_at: Instant


class TradeBody(Model):
    """One round trip. `id` is `<session_id>:<seq>`; prices are decimal texts on the instrument's tick grid."""

    id: str
    session_id: UUID
    bot_id: UUID
    source: TradeSource
    side: Literal["LONG", "SHORT"]
    qty: int
    contract: str
    entry_at: Instant
    entry_price: str
    exit_at: Instant
    exit_price: str
    gross_pnl: Money
    commission: Money
    net_pnl: Money
    exit_reason: str


class EquityBody(Model):
    """One trading day: profit since the session's start, and the deepest fall from the peak within the day."""

    trading_day: date
    at: Instant
    equity_usd: Money
    drawdown_usd: Money


class BarsLinkBody(Model):
    """One month of bars a session read, also when it was superseded since."""

    id: UUID
    symbol: str
    month: str
    provider: str
    data_label: DataLabel
    content_hash: str
    quality: QualityVerdict
    source_name: str
    source_sha256: str | None
    path: str
    superseded_at: Instant | None


class LineageBody(Model):
    """The chain behind a bot's score."""

    bot_id: UUID
    bot_name: str
    score: float | None
    tier: Tier | None
    scored_at: Instant | None
    session_id: UUID
    session_completed_at: Instant
    net_pnl: Money | None
    total_trades: int | None
    epoch: int
    version_id: UUID
    version_number: int
    strategy: str
    params: dict[str, Any]
    costs: dict[str, Any]
    window: dict[str, Any]
    code_version: str
    engine: str
    engine_version: str
    job_id: UUID
    run_id: str | None
    trace_id: str
    bars_hash: str | None
    bars: list[BarsLinkBody]
