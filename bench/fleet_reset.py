"""A reset of a whole fleet: 10,000 bots on ten symbols, from the request to the last new baseline, at caps of 512.

The reset, the planner's tick and a worker run as in production, on a Postgres of their own; Dagster's events are left
out. `GANTRY_BENCH_BOTS` makes the fleet another size.
"""

import os
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.grading import MONTHS, OPEN_CAPS, Fleet, work
from bench.table import Row, print_table
from core.clock import utc_now
from fleet.closed_sets import MetricsScope, TickCause
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from integrations.store import BarsStore
from services.bars.simulate import simulate_months
from services.bots.create import NewBot, create_bot
from services.planner.terms import PlannerTerms
from services.planner.tick import run_tick
from services.resets.reset import ResetRequest, reset_metrics
from sql.embedded import EmbeddedPostgres
from sql.engine import connect, transactions
from sql.migrate import upgrade

SYMBOLS = ("ES", "NQ", "YM", "RTY", "CL", "GC", "SI", "6E", "ZN", "MES")
BOTS = int(os.environ.get("GANTRY_BENCH_BOTS", "10000"))
BOTS_A_MINUTE = 2_000
NOW = datetime(2024, 1, 2, tzinfo=UTC)
TERMS = PlannerTerms(PlannerCaps(replace(OPEN_CAPS, max_improve_running=0)), Suppliers("simulator", can=True))
THOUSAND = 1_000


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
        thousand = _reset(fleet, _made(fleet, THOUSAND))
        _made(fleet, BOTS - THOUSAND)
        rows = [Row("reset 1,000 bots", f"{thousand:.2f} s", None, "1 s", thousand < 1), *_whole(fleet)]
        engine.dispose()
        return rows


def _whole(fleet: Fleet) -> list[Row]:
    began = time.perf_counter()
    reset = _reset(fleet, None)
    ticked = time.perf_counter()
    made = run_tick(fleet.tx, TERMS, cause=TickCause.METRICS_RESET)
    tick = time.perf_counter() - ticked
    assert made is not None
    assert made.jobs_enqueued == BOTS, made.summary
    done = 0
    while done < BOTS:  # a worker lives for ten minutes at most
        done += work(fleet, OPEN_CAPS)
    seconds = time.perf_counter() - began
    pace = 60 * BOTS / seconds
    return [
        Row(f"reset {BOTS:,} bots", f"{reset:.1f} s", None, "", None),
        Row("  the tick after it", f"{tick:.1f} s", None, "2 s", tick <= 2),
        Row("  until the last baseline", f"{seconds:.0f} s", None, "", None),
        Row("  at caps of 512 on ten symbols", f"{pace:,.0f} a minute", None, "2,000", pace >= BOTS_A_MINUTE),
    ]


def _reset(fleet: Fleet, count: int | None) -> float:
    began = time.perf_counter()
    with fleet.tx() as session:
        asked = ResetRequest(MetricsScope.ALL, None, "BENCH")
        report = reset_metrics(session, asked, dry_run=False, actor="bench", now=utc_now())
    assert len(report.bots) == (BOTS if count is None else count)
    return time.perf_counter() - began


def _made(fleet: Fleet, count: int) -> int:
    """Make bots that cross a mean of about 1,900 bars, the symbols in turn."""
    for first in range(0, count, 500):
        with fleet.tx() as session:
            for number in range(first, min(first + 500, count)):
                slow = 1_900 + number % 100
                params = {"fast": slow // 2, "slow": slow}
                new = NewBot(f"{count} {number}", SYMBOLS[number % len(SYMBOLS)], "sma_cross", params=params)
                create_bot(session, new, actor="bench", now=NOW)
    return count


if __name__ == "__main__":
    print_table("fleet_reset", run())
