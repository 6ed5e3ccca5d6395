"""One look of the planner at a fleet of 100, 1,000 and 10,000 bots: all of it in LAB, each with a history.

Two ticks are timed: the first after a reset of the whole fleet, which queues a baseline for every bot, and one of a
fleet in which nothing changed. The fleet is that of `list_page`, its bots put into LAB and their jobs ended.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from sqlalchemy import Engine, event

from bench.list_page import seed
from bench.table import Row, print_table
from fleet.closed_sets import TickCause
from fleet.planner.bars_outlook import Suppliers
from services.planner.terms import PlannerTerms
from services.planner.tick import run_tick
from sql.embedded import EmbeddedPostgres
from sql.engine import Transactions, connect, transactions
from sql.migrate import upgrade

SIZES = (100, 1_000, 10_000)
TIMES = 7
TARGET_S = 2.0
TERMS = PlannerTerms(suppliers=Suppliers("simulator", can=True))
REST = """
ALTER TABLE bot_jobs DISABLE TRIGGER USER;
UPDATE bots SET stage = 'LAB';
UPDATE bot_jobs SET status = 'COMPLETED', completed_at = created_at, lease_token = NULL, lease_expires_at = NULL,
  version_id = (SELECT current_version_id FROM bots b WHERE b.id = bot_id), epoch = 0
  WHERE status IN ('QUEUED', 'RUNNING');
UPDATE bot_boundaries SET epoch = 1 WHERE source = 'BACKTEST';
ALTER TABLE bot_jobs ENABLE TRIGGER USER;
"""


def run() -> list[Row]:
    """Measure each size on an embedded Postgres of its own."""
    rows: list[Row] = []
    counts: list[int] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="gantry-bench-") as folder, EmbeddedPostgres(Path(folder)) as state:
            upgrade(state.owner_url)
            seed(state.owner_url, size)
            with psycopg.connect(state.owner_url, autocommit=True) as connection:
                connection.execute(REST)
                connection.execute("VACUUM ANALYZE")
            engine = connect(state.app_url)
            found, statements = _measured(engine, size)
            engine.dispose()
        rows += found
        counts.append(statements)
    growth = ", ".join(map(str, counts))
    return [*rows, Row("statements of a tick at these sizes", growth, None, "the same", len(set(counts)) == 1)]


def _measured(engine: Engine, size: int) -> tuple[list[Row], int]:
    tx, seen = transactions(engine), []

    def note(*call: object) -> None:
        seen.append(call[2])

    event.listen(engine, "before_cursor_execute", note)
    after_reset = _timed(lambda: _tick(tx, size))
    statements = len(seen)
    _tick(tx, 0)  # planned becomes ACTIVE_JOB_EXISTS for every bot: decisions that change once
    steady = min(_timed(lambda: _tick(tx, 0)) for _ in range(TIMES))
    return [
        _row(f"{size:,} bots, first tick after a reset of all", after_reset, size),
        _row(f"{size:,} bots, a tick in which nothing changed", steady, size),
    ], statements


def _tick(tx: Transactions, queued: int) -> None:
    made = run_tick(tx, TERMS, cause=TickCause.CLOCK)
    assert made is not None
    assert made.jobs_enqueued == queued, made.summary


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _row(name: str, seconds: float, size: int) -> Row:
    figure = f"{seconds * 1000:,.0f} ms ({seconds / size * 1e6:.0f} us a bot)"
    return Row(name, figure, None, f"{TARGET_S:g} s", seconds <= TARGET_S)


if __name__ == "__main__":
    print_table("planner", run())
