"""Grading end to end: 1, 100 and 1,000 bots on one symbol, 1,000 on five, and how fast claims are.

A worker as it runs in production pulls the jobs in this process, its transactions on a Postgres of its own; Dagster's
events are left out. The share outside the engine is the processors' time not spent in `backtests.compute`.
"""

import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psutil
from sqlalchemy import text

from bench.table import Row, print_table
from core.clock import utc_now
from core.ids import new_id
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, JobType
from integrations.store import BarsStore
from services.backtests import chunk, compute
from services.backtests.compute import Computed, Material
from services.bars.simulate import simulate_months
from services.bots.create import NewBot, create_bot
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Plan
from services.jobs.terms import GradeTerms
from services.work.pull import PullWorker
from sql.embedded import EmbeddedPostgres
from sql.engine import Transactions, connect, transactions
from sql.migrate import upgrade
from sql.tables.workers import WorkerRun

SYMBOLS = ("ES", "NQ", "CL", "GC", "6E")
MONTHS = [f"2023-{month:02d}" for month in range(1, 13)]
NOW = datetime(2024, 1, 2, tzinfo=UTC)
OPEN_CAPS = Caps(512, 512, 512)
BOTS_A_MINUTE = 2_000
MEMORY_MB = 300


@dataclass(frozen=True, slots=True)
class Fleet:
    """Where bots are graded."""

    tx: Transactions
    store: BarsStore


class Engine:
    """Seconds spent in backtests, by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._compute = compute.compute
        self.seconds = 0.0

    def __call__(self, plan: Plan, material: Material) -> Computed:
        """Compute, and count."""
        began = time.thread_time()
        computed = self._compute(plan, material)
        with self._lock:
            self.seconds += time.thread_time() - began
        return computed


def run() -> list[Row]:
    """Measure on an embedded Postgres in a temporary folder, on a simulated year of each symbol."""
    with (
        tempfile.TemporaryDirectory(prefix="gantry-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "postgres") as state,
    ):
        upgrade(state.owner_url)
        engine = connect(state.app_url)
        fleet = Fleet(transactions(engine), BarsStore(str(Path(folder) / "bars")))
        simulate_months(fleet.tx, fleet.store, SYMBOLS, MONTHS, actor="bench", now=NOW)
        rows = [*_graded(fleet), _claims(fleet)]
        engine.dispose()
        return rows


def _graded(fleet: Fleet) -> list[Row]:
    _grade(fleet, 20, SYMBOLS)  # warm
    one, _, _ = _grade(fleet, 1, SYMBOLS[:1])
    hundred, _, _ = _grade(fleet, 100, SYMBOLS[:1])
    capped, _, _ = _grade(fleet, 100, SYMBOLS[:1], caps=Caps())
    before = psutil.Process().memory_info().rss
    thousand, share, trades = _grade(fleet, 1_000, SYMBOLS[:1])
    grown = (psutil.Process().memory_info().rss - before) / 1e6
    _, share_of_many, many = _grade(fleet, 100, SYMBOLS[:1], slow=100)
    spread, _, _ = _grade(fleet, 1_000, SYMBOLS)
    pace, pace_spread = 60_000 / thousand, 60_000 / spread
    return [
        Row("grade 1 bot on a symbol-year", f"{one:.2f} s", None, "", None),
        Row("grade 100 bots on a symbol-year", f"{hundred:.1f} s", None, "", None),
        Row("the same at the default caps of 3", f"{capped:.1f} s", None, "120 s", capped <= 120),
        Row(
            "grade 1,000 bots on one symbol", f"{pace:,.0f} a minute", None, f"{BOTS_A_MINUTE:,}", pace >= BOTS_A_MINUTE
        ),
        Row(f"  its time outside the engine, at {trades:.0f} trades a bot", f"{share:.0%}", None, "50 %", share <= 0.5),
        Row(f"  the same at {many:.0f} trades a bot", f"{share_of_many:.0%}", None, "75 %", share_of_many <= 0.75),
        Row("  its memory growth", f"{grown:.0f} MB", None, f"{MEMORY_MB} MB", grown <= MEMORY_MB),
        Row("grade 1,000 bots on five symbols", f"{pace_spread:,.0f} a minute", None, "", None),
    ]


def _grade(
    fleet: Fleet, count: int, symbols: Sequence[str], caps: Caps = OPEN_CAPS, slow: int = 1_900
) -> tuple[float, float, float]:
    """Return seconds, the share outside the engine on all threads, and trades a bot."""
    _queue(fleet, count, symbols, slow)
    counted = Engine()
    compute.compute = counted  # counted from outside: production has no such hook
    try:
        began = time.perf_counter()
        done = work(fleet, caps)
        seconds = time.perf_counter() - began
    finally:
        compute.compute = counted._compute  # noqa: SLF001
    assert done == count
    with fleet.tx() as session:
        query = "SELECT avg(t) FROM (SELECT total_trades t FROM backtest_sessions ORDER BY created_at DESC LIMIT :n) s"
        trades = float(session.scalar(text(query), {"n": count}) or 0)
    return seconds, max(0.0, 1 - counted.seconds / (seconds * chunk.THREADS)), trades


def work(fleet: Fleet, caps: Caps) -> int:
    """Let a worker pull until nothing waits; return how many jobs it did."""
    with fleet.tx() as session:
        worker = WorkerRun(id=new_id(), job_type=JobType.BACKTEST, trace_id=new_id().hex)
        session.add(worker)
    terms = replace(GradeTerms(), caps=caps)
    pull = PullWorker(
        fleet.tx,
        fleet.store,
        worker.id,
        f"bench-{worker.id}",
        terms,
        utc_now,
        on_chunk=lambda _bots: None,
        top_up=lambda _symbol: True,
        idle_s=0.0,
    )
    return pull.run().jobs_done


def _queue(fleet: Fleet, count: int, symbols: Sequence[str], around: int = 1_900) -> list[UUID]:
    """Make bots that cross a mean of about so many bars, each with a queued baseline."""
    made = []
    with fleet.tx() as session:
        for number in range(count):
            slow = around + number % 100
            new = NewBot(
                f"{new_id()}", symbols[number % len(symbols)], "sma_cross", params={"fast": slow // 2, "slow": slow}
            )
            bot_id = create_bot(session, new, actor="bench", now=NOW)
            enqueue_job(session, bot_id, kind=BacktestKind.BASELINE, actor="bench")
            made.append(bot_id)
    return made


def _claims(fleet: Fleet) -> Row:
    """Eight claimers, chunks of 16, on a thousand queued jobs."""
    _queue(fleet, 1_000, SYMBOLS)

    def claim(_number: int) -> int:
        total = 0
        while True:
            with fleet.tx() as session:
                chunk = claim_chunk(session, caps=Caps(2_000, 0, 2_000), most=16, terms=LeaseTerms(), run_id=None)
            if not chunk:
                return total
            total += len(chunk)

    began = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        total = sum(pool.map(claim, range(8)))
    assert total == 1_000
    return Row("claim jobs, 8 claimers", f"{total / (time.perf_counter() - began):,.0f} a second", None, "", None)


if __name__ == "__main__":
    print_table("grading", run())
