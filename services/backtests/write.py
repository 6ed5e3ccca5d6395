"""What grading writes, in the caller's transaction: job, session, trades, equity, activity, rollup and score."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.errors import GantryError
from core.ids import new_id
from core.words import counted
from fleet.closed_sets import ActivityEvent, JobStatus, SessionStatus, TradeSource
from fleet.jobs import JobReason
from services import events
from services.backtests.completed import CompletedBacktest
from services.backtests.compute import Computed, Material, label_of
from services.backtests.rollups import write_rollups
from services.backtests.scores import refresh_score, write_scores
from services.bots.costs import stored_costs
from services.code_version import code_version
from services.jobs import ledger
from services.jobs.finish import fail_job
from services.jobs.plan import Claim, Plan
from sql.copy import EquityOf, TradesOf, copy_equity, copy_trades
from sql.queries.bars.catalogue import bars_months
from sql.queries.jobs import finish as finish_queries
from sql.tables.results import BacktestSession
from trading.backtest.run import engine_version
from trading.backtest.types import BacktestResult
from trading.bars.schema import NS_PER_SECOND
from trading.digits import usd_text
from trading.instruments import Instrument, get_instrument
from trading.metrics import usd


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """A claimed job with all that its backtest led to."""

    claim: Claim
    material: Material
    computed: Computed
    session_id: (
        UUID  # given before it is written, so that a lost reply to a commit is distinguishable from a lost lease
    )


def write_completed(
    session: Session, graded: Sequence[Graded], *, run_id: str | None, now: datetime
) -> frozenset[UUID]:
    """Write completed backtests whole, a fixed number of statements for any number; return the jobs that were.

    A job whose lease is no longer held is left out, with everything of it: someone else decided what becomes of it.
    """
    # Bots before jobs, as everywhere: a version changed meanwhile is a fact of the session, not of the bot's standing.
    versions = finish_queries.hold_versions(session, [one.claim.bot_id for one in graded])
    ids = {one.claim.job_id: one.session_id for one in graded}
    # First the guarded update: a reset, a reap or this worker wins, and each of them whole.
    ended = finish_queries.complete(
        session, {one.claim.job_id: (one.claim.token, ids[one.claim.job_id]) for one in graded}
    )
    won = [one for one in graded if one.claim.job_id in ended]
    if not won:
        return frozenset()
    rows = [_session_row(one, ids[one.claim.job_id], ended[one.claim.job_id], run_id) for one in won]
    session.execute(insert(BacktestSession), rows)
    source, texts = TradeSource.BACKTEST, {id(one): one.material.loaded.bars.contracts for one in won}
    keys = [(ids[one.claim.job_id], one.claim.bot_id, source, one.claim.epoch) for one in won]
    copy_trades(
        session,
        [TradesOf(*key, one.computed.result.trades, texts[id(one)]) for key, one in zip(keys, won, strict=True)],
    )
    copy_equity(session, [EquityOf(*key, one.computed.days) for key, one in zip(keys, won, strict=True)])
    _publish(session, won, ids)
    current = [one for one in won if versions.get(one.claim.bot_id) == one.claim.version_id]
    _write_standing(session, current, ids, ended, now)
    return frozenset(ended)


def write_failed(
    session: Session,
    claim: Claim,
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
    finish_queries.hold_versions(session, [claim.bot_id])
    ended = fail_job(session, claim, error, session_id=session_id)
    session.add(
        BacktestSession(
            **_common(claim, claim.plan, material, run_id=run_id, session_id=session_id, ended=ended),
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
        "trace_id": claim.trace_id,
        "started_at": claim.started_at,
        "completed_at": ended,
    }


def _session_row(one: Graded, session_id: UUID, ended: datetime, run_id: str | None) -> dict[str, Any]:
    plan, computed = one.claim.plan, one.computed
    result, figures = computed.result, computed.metrics
    return {
        **_common(one.claim, plan, one.material, run_id=run_id, session_id=session_id, ended=ended),
        "status": SessionStatus.COMPLETED,
        "engine": result.engine,
        "total_trades": figures.total_trades,
        "net_pnl": figures.net_pnl,
        "gross_pnl": usd(int(result.trades.gross_e4.sum())),
        "commission": usd(int(result.trades.commission_e4.sum())),
        "max_drawdown_usd": figures.max_drawdown_usd,
        "metrics": figures.as_json(),
        "open_position": _open_position(result, get_instrument(plan.bars.symbol)),
        "analysis": computed.analysis,
    }


def _publish(session: Session, won: Sequence[Graded], ids: Mapping[UUID, UUID]) -> None:
    """One ledger row and one line of the feed for each job."""
    ledger.record_all(
        session,
        JobStatus.RUNNING,
        JobStatus.COMPLETED,
        JobReason.FINISHED,
        [(one.claim, {"session_id": str(ids[one.claim.job_id])}) for one in won],
    )
    events.publish_all(
        session,
        ActivityEvent.BACKTEST_COMPLETED,
        [
            (
                one.claim,
                f"Backtest completed: {counted(figures.total_trades, 'trade')}, net {usd_text(figures.net_pnl)} USD.",
                {
                    "session_id": str(ids[one.claim.job_id]),
                    "total_trades": figures.total_trades,
                    "net_pnl": str(figures.net_pnl),
                },
            )
            for one in won
            for figures in (one.computed.metrics,)
        ],
    )


def _write_standing(
    session: Session,
    current: Sequence[Graded],
    ids: Mapping[UUID, UUID],
    ended: Mapping[UUID, datetime],
    now: datetime,
) -> None:
    """Rollup and score from what was computed: equal to what the raw rows give, which tests and doctor recompute."""
    refs = {month.id for one in current for month in one.material.loaded.catalogue}
    months = {month.id: month for month in bars_months(session, sorted(refs))}
    done = [
        CompletedBacktest(
            one.claim.bot_id,
            one.claim.epoch,
            ids[one.claim.job_id],
            max(now, ended[one.claim.job_id]),
            one.claim.trace_id,
            one.computed.metrics,
            label_of(one.material),
            tuple(months[ref.id] for ref in one.material.loaded.catalogue),
            one.computed.analysis,
        )
        for one in current
    ]
    write_rollups(session, done)
    write_scores(session, done)


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
