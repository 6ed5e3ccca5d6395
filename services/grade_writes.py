"""What grading writes, in the caller's transaction: job, session, trades, equity, activity, rollup and score."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.errors import GantryError
from core.ids import new_id
from core.trace import current_trace_id
from fleet.closed_sets import ActivityEvent, SessionStatus, TradeSource
from services import events, jobs
from services.backtests import Computed, Material, Plan, label_of
from services.bots import stored_costs
from services.code_version import code_version
from services.jobs import Claim
from services.rollups import refresh_rollup
from services.scores import refresh_score
from sql.copy import copy_trades
from sql.tables.results import BacktestSession, EquityPoint
from trading.backtest.run import engine_version
from trading.backtest.types import BacktestResult
from trading.bars.schema import NS_PER_SECOND
from trading.instruments import Instrument, get_instrument
from trading.metrics import DayPoint, usd


def write_completed(
    session: Session,
    claim: Claim,
    plan: Plan,
    material: Material,
    computed: Computed,
    *,
    run_id: str | None,
    now: datetime,
) -> UUID:
    """Write a completed backtest whole; return the session's id.

    Raises:
        GantryError: HEARTBEAT_TIMEOUT when the lease is no longer held: the transaction must be rolled back.

    """
    session_id = new_id()
    # First the guarded update: a reset, a reap or this worker wins, and each of them whole.
    ended = jobs.complete(session, claim, session_id)
    result, figures = computed.result, computed.metrics
    session.add(
        BacktestSession(
            **_common(claim, plan, material, run_id=run_id, session_id=session_id, ended=ended),
            status=SessionStatus.COMPLETED,
            engine=result.engine,
            total_trades=figures.total_trades,
            net_pnl=figures.net_pnl,
            gross_pnl=usd(int(result.trades.gross_e4.sum())),
            commission=usd(int(result.trades.commission_e4.sum())),
            max_drawdown_usd=figures.max_drawdown_usd,
            metrics=figures.as_json(),
            open_position=_open_position(result, get_instrument(plan.bars.symbol)),
            analysis=computed.analysis,
        )
    )
    session.flush()
    copy_trades(
        session,
        session_id=session_id,
        bot_id=claim.bot_id,
        source=TradeSource.BACKTEST,
        epoch=claim.epoch,
        trades=result.trades,
        contracts=material.loaded.bars.contracts,
    )
    _write_equity(session, session_id, claim, computed.days)
    events.tell(
        session,
        ActivityEvent.BACKTEST_COMPLETED,
        f"Backtest completed: {figures.total_trades} trades, net {figures.net_pnl:.2f} USD.",
        actor=claim.actor,
        bot_id=claim.bot_id,
        job_id=claim.job_id,
        payload={"session_id": str(session_id), "total_trades": figures.total_trades, "net_pnl": str(figures.net_pnl)},
    )
    refresh_rollup(session, claim.bot_id, now=now)
    refresh_score(session, claim.bot_id, now=now)
    return session_id


def write_failed(
    session: Session,
    claim: Claim,
    plan: Plan,
    material: Material | None,
    error: GantryError,
    *,
    run_id: str | None,
    now: datetime,
) -> UUID:
    """Write a failed backtest with its error and fix; return the session's id.

    Raises:
        GantryError: HEARTBEAT_TIMEOUT when the lease is no longer held: the transaction must be rolled back.

    """
    session_id = new_id()
    ended = jobs.fail(session, claim, error, session_id=session_id)
    session.add(
        BacktestSession(
            **_common(claim, plan, material, run_id=run_id, session_id=session_id, ended=ended),
            status=SessionStatus.FAILED,
            engine="none",
            analysis={},
            error_code=error.code.value,
            error_message=error.message,
            suggested_fix=error.fix,
        )
    )
    session.flush()
    refresh_score(session, claim.bot_id, now=now)
    return session_id


def _common(
    claim: Claim, plan: Plan, material: Material | None, *, run_id: str | None, session_id: UUID, ended: datetime
) -> dict[str, Any]:
    loaded = material.loaded if material else None
    ts = loaded.bars.ts if loaded else np.zeros(0, np.int64)
    return {
        "id": session_id,
        "bot_id": claim.bot_id,
        "version_id": claim.version_id,
        "job_id": claim.job_id,
        "epoch": claim.epoch,
        "data_label": label_of(material),
        "bars_hash": loaded.bars_hash if loaded else None,
        "bars_ids": [str(month.id) for month in loaded.catalogue] if loaded else [],
        "bars_count": len(ts) if loaded else None,
        "window_start": _instant(int(ts[0])) if len(ts) else None,
        "window_end": _instant(int(ts[-1])) if len(ts) else None,
        "engine_version": engine_version(),
        "code_version": code_version(),
        "costs": stored_costs(plan.costs),
        "run_id": run_id,
        "trace_id": current_trace_id(),
        "started_at": claim.started_at,
        "completed_at": ended,
    }


def _write_equity(session: Session, session_id: UUID, claim: Claim, days: tuple[DayPoint, ...]) -> None:
    rows = [
        {
            "session_id": session_id,
            "seq": seq,
            "bot_id": claim.bot_id,
            "source": TradeSource.BACKTEST,
            "epoch": claim.epoch,
            "trading_day": day.trading_day,
            "at": _instant(day.last_bar_ns),
            "equity_usd": usd(day.equity_e4),
            "drawdown_usd": usd(day.drawdown_e4),
        }
        for seq, day in enumerate(days)
    ]
    if rows:
        session.execute(insert(EquityPoint), rows)


def _open_position(result: BacktestResult, instrument: Instrument) -> dict[str, Any] | None:
    position = result.open_position
    if position is None:
        return None
    return {
        **asdict(position),
        "entry_at": _instant(position.entry_ns).isoformat(),
        "entry_price": format(position.entry_ticks * instrument.tick_size, "f"),
        "unrealized_pnl": str(usd(position.unrealized_e4)),
    }


def _instant(ns: int) -> datetime:
    return datetime.fromtimestamp(ns // NS_PER_SECOND, UTC)
