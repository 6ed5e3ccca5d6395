"""Evidence for promotions: backtests and trades that are good enough, by the legal way, and bots in every stage."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from core.ids import new_id
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, DataLabel, ImprovementVerdict, JobStatus, JobType, Stage, TradeSource
from fleet.stages import ORDER, StageChange
from services.backtests.compute import Computed, Material
from services.backtests.write import Graded, write_completed
from services.bars.load import LoadedBars
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Claim
from sql.copy import EquityOf, TradesOf, copy_equity, copy_trades
from sql.engine import Transactions
from sql.tables.bots import Bot, BotStageEvent
from sql.tables.improvements import BotImprovement
from tests.factories.bots import TRACE
from tests.factories.jobs import make_job
from tests.factories.results import CONTRACTS
from trading import metrics
from trading.backtest.types import BacktestResult, ExitReason, Trades
from trading.bars.schema import Bars, Timeframe

DAY_NS = 86_400_000_000_000
FIRST_DAY = datetime(2024, 3, 4, tzinfo=UTC)
PASSED = {name: {"passed": True} for name in ("truncation", "shift", "rolls_seen")}
WIN_TICKS, LOSS_TICKS = 20, -8  # of ES, 12.50 USD each: 250 and -100 USD, less 4.50 USD commission


def good_result(trades: int, *, first_day: datetime = FIRST_DAY, losers: bool = True) -> BacktestResult:
    """One round trip a day, two winners then a loser: 66 % won, profit factor over 4, falls of 104.50 USD."""
    number = np.arange(trades, dtype=np.int64)
    day = int(first_day.timestamp()) // 86_400 + number
    ticks = np.where((number % 3 == 2) & losers, LOSS_TICKS, WIN_TICKS).astype(np.int64)
    gross, commission = ticks * 125_000, np.full(trades, 45_000, np.int64)
    made = Trades(
        side=np.ones(trades, np.int8),
        qty=np.ones(trades, np.int32),
        entry_bar=number,
        exit_bar=number,
        entry_ns=day * DAY_NS + DAY_NS // 2,
        exit_ns=day * DAY_NS + DAY_NS // 2 + 60_000_000_000,
        entry_ticks=np.full(trades, 20_000, np.int64),
        exit_ticks=20_000 + ticks,
        gross_e4=gross,
        commission_e4=commission,
        net_e4=gross - commission,
        reason=np.full(trades, int(min(ExitReason)), np.int8),
        contract=np.zeros(trades, np.int32),
    )
    return BacktestResult(made, day * DAY_NS, day, np.cumsum(made.net_e4), None, "by hand")


def a_good_backtest(
    tx: Transactions,
    bot_id: UUID,
    *,
    now: datetime,
    trades: int = 60,
    losers: bool = True,
    label: DataLabel = DataLabel.VENDOR,
    analysis: dict[str, dict[str, object]] | None = None,
) -> None:
    """Grade a bot: a job, its claim, and a session that meets PAPER's gates, through the services."""
    with tx() as session:
        enqueue_job(session, bot_id, kind=BacktestKind.BASELINE, actor="test")
    with tx() as session:
        [claim] = claim_chunk(session, caps=Caps(100, 100, 100), most=1, terms=LeaseTerms(), run_id="run")
    result = good_result(trades, losers=losers)
    graded = _graded(claim, result, label, dict(PASSED if analysis is None else analysis))
    with tx() as session:
        assert write_completed(session, [graded], run_id="run", now=now) == {claim.job_id}


def _graded(claim: Claim, result: BacktestResult, label: DataLabel, analysis: dict[str, Any]) -> Graded:
    size = len(result.ts)
    prices, contract, volume = np.full(size, 5_000.0), np.zeros(size, np.int32), np.ones(size, np.int64)
    bars = Bars("ES", Timeframe.M1, result.ts, prices, prices, prices, prices, volume, contract, CONTRACTS)
    computed = Computed(result, metrics.from_result(result), metrics.daily_points(result), analysis)
    return Graded(claim, Material(LoadedBars(bars, label, (), "b" * 64), ()), computed, new_id())


def traded(
    session: Session, bot: Bot, source: TradeSource, trades: int, *, epoch: int = 0, first_day: datetime = FIRST_DAY
) -> None:
    """Store good trades of a stage, and their equity, as its runner would."""
    result, session_id = good_result(trades, first_day=first_day), new_id()
    copy_trades(session, [TradesOf(session_id, bot.id, source, epoch, result.trades, CONTRACTS)])
    copy_equity(session, [EquityOf(session_id, bot.id, source, epoch, metrics.daily_points(result))])


def put_in(session: Session, bot_id: UUID, stage: Stage, *, at: datetime, **changes: Any) -> Bot:
    """Bring a bot from LAB into a stage, with an audit row for each step; the last of them at that time."""
    bot = session.get_one(Bot, bot_id)
    steps = list(pairwise(ORDER[: ORDER.index(stage) + 1]))
    for number, (old, new) in enumerate(steps):
        session.add(
            BotStageEvent(
                id=new_id(),
                bot_id=bot_id,
                from_stage=old,
                to_stage=new,
                event_type=StageChange.PROMOTED,
                reason_code="TEST",
                actor="test",
                trace_id=TRACE,
                created_at=at - timedelta(minutes=len(steps) - 1 - number),
            )
        )
    bot.stage = stage
    for name, value in changes.items():
        setattr(bot, name, value)
    session.flush()
    return bot


def adopted(session: Session, bot: Bot, *, epoch: int = 0, evidence: dict[str, Any] | None = None) -> None:
    """Store the improvement that made a bot's present version."""
    job = make_job(session, bot, JobStatus.COMPLETED, job_type=JobType.IMPROVE, kind=None)
    shown = {"consistency": 0.8, "overfit_ratio": 1.5, "stress": {"out_net_e4": 1_000_000}}
    session.add(
        BotImprovement(
            id=new_id(),
            bot_id=bot.id,
            job_id=job.id,
            job_type=JobType.IMPROVE,
            base_version_id=bot.current_version_id,
            version_id=bot.current_version_id,
            verdict=ImprovementVerdict.ADOPTED,
            reason_code="ADOPTED",
            source="SWEEP",
            candidate={},
            evidence={**shown, **(evidence or {})},
            sets_tried=10,
            epoch=epoch,
            bars_hash="b" * 64,
            actor="test",
            trace_id=TRACE,
        )
    )
    session.flush()
