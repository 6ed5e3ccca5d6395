"""What it costs a worker to report to Dagster, after a chunk of 32 bots, how the fleet stands to each check.

All of it: the verdicts on the chunk's sessions, the look at the whole fleet, and the report of its checks, on a
Postgres that writes to disk. The fleet is that of `list_page`; one bot in three has too few trades, one in a hundred
reads the future.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg
from dagster import DagsterInstance
from sqlalchemy import make_url

from assets.check_reports import keep_bots, report_bots
from assets.event_speed import quicken
from bench.list_page import seed
from bench.table import Row, print_table
from core.settings import ROOT
from services.bots.keys import active_bots
from services.jobs.terms import CHUNK
from services.proof.checks import judge_pending
from sql.embedded import EmbeddedPostgres
from sql.engine import Transactions, connect, transactions
from sql.migrate import upgrade

SIZES = (100, 1_000, 10_000)
TIMES = 40
TARGET_MS = 30.0
FINDINGS = """
ALTER TABLE backtest_sessions DISABLE TRIGGER USER;
UPDATE backtest_sessions SET analysis = (SELECT jsonb_object_agg(name, jsonb_build_object('observed', 1,
    'message', 'Nothing odd was found in a session of ' || total_trades || ' trades.', 'passed', NOT (
      (name = 'too_few_trades' AND total_trades % 3 = 0) OR (name = 'shift' AND total_trades % 100 = 0))))
  FROM unnest(ARRAY['truncation', 'shift', 'determinism', 'warm_up', 'session', 'flat_equity', 'stale_fills',
    'fill_prices', 'too_few_trades']) AS name);
ALTER TABLE backtest_sessions ENABLE TRIGGER USER;
"""


def run() -> list[Row]:
    """Measure each size on an embedded Postgres of its own."""
    rows: list[Row] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="gantry-bench-") as folder:
            rows += _of_size(Path(folder), size)
    return rows


def _of_size(folder: Path, size: int) -> list[Row]:
    with EmbeddedPostgres(folder / "postgres") as state:
        upgrade(state.owner_url)
        seed(state.owner_url, size)
        with psycopg.connect(state.owner_url, autocommit=True) as connection:
            connection.execute(FINDINGS.encode())
            connection.execute("VACUUM ANALYZE")
        url = make_url(state.owner_url).set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
        os.environ["GANTRY_DAGSTER_URL"] = f"{url}?options=-csearch_path%3Ddagster"
        shutil.copy(ROOT / "dagster.yaml", folder)
        engine = connect(state.app_url)
        with DagsterInstance.from_config(str(folder)) as instance:
            quicken(instance)
            tx = transactions(engine)
            judge_pending(tx)
            rows = [_before_statistics(instance, tx, size)]
            with psycopg.connect(state.owner_url, autocommit=True) as connection:
                connection.execute("ANALYZE bot_checks")  # as autovacuum does, two minutes later at most
            rows += _rows(instance, tx, size)
        engine.dispose()
        return rows


def _rows(instance: DagsterInstance, tx: Transactions, size: int) -> list[Row]:
    looked = _timed(lambda: keep_bots(instance, tx))
    return [
        _row(f"{size:,} bots, checks reported after a chunk: p50", _reported(instance, tx), TARGET_MS),
        _row(f"{size:,} bots, a look of the sensor at which nothing changed: p50", looked, None),
    ]


def _before_statistics(instance: DagsterInstance, tx: Transactions, size: int) -> Row:
    return _row(f"{size:,} bots, the same before Postgres has statistics: p50", _reported(instance, tx), None)


def _reported(instance: DagsterInstance, tx: Transactions) -> list[float]:
    with tx() as session:
        chunk: Sequence[UUID] = active_bots(session)[:CHUNK]
    return _timed(lambda: report_bots(instance, tx, chunk, sum_raw=False))


def _timed(work: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return times


def _row(name: str, times: Sequence[float], target: float | None) -> Row:
    low, median, high = np.percentile(times, [0, 50, 95])
    met = None if target is None else bool(median <= target)
    figure = f"{median:.1f} ms (least {low:.1f}, p95 {high:.1f})"
    return Row(name, figure, None, "" if target is None else f"{target:g} ms", met)


if __name__ == "__main__":
    print_table("fleet_checks", run())
