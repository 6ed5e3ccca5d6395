"""What is read of bots to show them: plain tuples of the columns that are shown.

As mapped objects, a page took three times as long, nearly all of it making objects that nobody changes.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Bundle


class BotRow(NamedTuple):
    """Columns of Bot."""

    id: UUID
    name: str
    symbol: str
    timeframe: str
    stage: str
    stage_reason_code: str | None
    stage_locked_until: datetime | None
    promotion_mode: str
    created_at: datetime
    metrics_reset_at: datetime | None
    revision: int
    archived_at: datetime | None


class VersionRow(NamedTuple):
    """Columns of BotVersion."""

    number: int
    strategy: str


class MadeOf(NamedTuple):
    """More columns of BotVersion: too wide for a list."""

    params: dict[str, Any]
    costs: dict[str, Any]
    window: dict[str, Any]


class RollupRow(NamedTuple):
    """Columns of MetricsRollup."""

    bot_id: UUID
    source: str
    session_id: UUID | None
    total_trades: int
    wins: int
    net_pnl: Decimal
    open_pnl: Decimal | None
    max_drawdown_usd: Decimal
    max_drawdown_fraction: float
    sharpe: float | None
    profit_factor: float | None


class ScoreRow(NamedTuple):
    """Columns of AutonomyScore."""

    autonomy_score: float
    autonomy_score_max: float | None
    autonomy_tier: str
    locked_by: str | None
    locked_reason: str | None
    session_id: UUID | None


class Breakdown(NamedTuple):
    """Why the score is what it is: too wide for a list."""

    breakdown: dict[str, Any]


class JobRow(NamedTuple):
    """Columns of BotJob."""

    id: UUID
    bot_id: UUID
    job_type: str
    status: str
    attempt: int
    iteration: int
    created_at: datetime
    started_at: datetime | None
    error_code: str | None
    error_message: str | None


class Part(Bundle[Any]):
    """The columns of one of these tuples, taken from a mapped class or an alias; None where the join found no row."""

    def __init__(self, shape: Any, source: Any) -> None:
        self._make = shape._make
        super().__init__(shape.__name__, *(getattr(source, name) for name in shape._fields))

    def create_row_processor(  # noqa: D102 - SQLAlchemy's own
        self,
        query: Any,  # noqa: ARG002
        procs: Sequence[Callable[[Row[Any]], Any]],
        labels: Sequence[str],  # noqa: ARG002
    ) -> Callable[[Row[Any]], Any]:
        make, first = self._make, procs[0]

        def made(row: Row[Any]) -> Any:
            # A tuple's first column is never null where there is a row.
            return make([proc(row) for proc in procs]) if first(row) is not None else None

        return made
