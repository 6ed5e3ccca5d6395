"""Graded bots: by the service, or made by hand with two trades on two days for a claimed job."""

from uuid import UUID

import numpy as np

from core.ids import new_id
from fleet.closed_sets import DataLabel
from integrations.store import BarsStore
from services.backtests.compute import Computed, Material
from services.backtests.grade import GradeReport, grade_bots
from services.backtests.write import Graded
from services.bars.load import LoadedBars
from services.jobs.plan import Claim
from sql.engine import Transactions
from tests.factories.bots import NOW
from tests.factories.results import CONTRACTS, made_trades
from trading import metrics
from trading.backtest.types import BacktestResult
from trading.bars.schema import Bars, Timeframe

DAY_NS = 86_400_000_000_000
FIRST_DAY = 19_724  # 2024-01-02


def tiny_graded(claim: Claim) -> Graded:
    """Return a small completed backtest of a claim; its figures differ from job to job."""
    return Graded(claim, _material(), _computed(claim.job_id), new_id())


def _computed(job_id: UUID) -> Computed:
    trades = made_trades(2, seed=job_id.int % 1_000)
    days = np.arange(FIRST_DAY, FIRST_DAY + 2)
    result = BacktestResult(
        trades=trades,
        ts=days * DAY_NS,
        session=days,
        equity_e4=np.cumsum(trades.net_e4),
        open_position=None,
        engine="by hand",
    )
    return Computed(result, metrics.from_result(result), metrics.daily_points(result), {})


def _material() -> Material:
    prices = np.full(2, 5_000.0)
    days = np.arange(FIRST_DAY, FIRST_DAY + 2) * DAY_NS
    contract = np.zeros(2, np.int32)
    volume = np.ones(2, np.int64)
    bars = Bars("ES", Timeframe.M1, days, prices, prices, prices, prices, volume, contract, CONTRACTS)
    return Material(LoadedBars(bars, DataLabel.SIMULATED, (), "b" * 64), ())


def grade(tx: Transactions, store: BarsStore, *bot_ids: UUID) -> GradeReport:
    """Grade bots on the bars there are."""
    return grade_bots(tx, store, bot_ids, run_id="run-1", actor="test", now=NOW)
