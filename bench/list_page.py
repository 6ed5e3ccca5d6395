"""One page of the list of bots out of 10,000: `GET /api/bots` over HTTP, from the request to the last byte read.

The API runs as `gantry up` runs it, uvicorn in a process of its own, on a Postgres of its own; one client keeps one
connection and asks again and again. The bots are written by SQL: each with a version, boundaries, three jobs, a
COMPLETED session, its rollup and its score; three in five are beyond LAB and have their stage's rollup too. Only the
30 oldest are LIVE.
"""

import http.client
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import psycopg

from bench.table import Row, print_table
from cli.up.ports import free_port
from cli.up.services import LOOPBACK, Ports, api_service
from sql.embedded import EmbeddedPostgres
from sql.migrate import upgrade

BOTS = 10_000
WARM = 20
CALLS = 200
DEEP = 8_000
TARGET_MS = 50.0
READY_S = 60.0

# Of every row: its bot's number n, and an id whose order is that of n, as UUIDv7's is.
SEED = r"""
CREATE FUNCTION pg_temp.nth(kind int, n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql RETURN
  (lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(kind), 12, '0'))::uuid;
CREATE FUNCTION pg_temp.created(n bigint) RETURNS timestamptz IMMUTABLE LANGUAGE sql RETURN
  timestamptz '2024-01-02 00:00Z' + n * interval '7 seconds';
CREATE TEMP TABLE fleet AS SELECT n, pg_temp.nth(1, n) AS bot, pg_temp.nth(2, n) AS version, pg_temp.nth(6, n) AS run,
  pg_temp.created(n) AS at, md5(n::text) AS trace, n %% 2000 + 1 AS trades,
  (ARRAY['ES', 'NQ', 'CL', 'GC', '6E'])[n / 10 %% 5 + 1] AS symbol,
  CASE WHEN n <= 30 THEN 'LIVE' ELSE (ARRAY['PAPER', 'SHADOW', 'CANARY', 'LAB', 'LAB'])[n %% 5 + 1] END AS stage
  FROM generate_series(1, %(bots)s) AS n;
INSERT INTO bots (id, name, partition_key, symbol, timeframe, stage, current_version_id, created_by, trace_id,
    created_at, updated_at)
  SELECT bot, 'Bot ' || n, 'bot-' || n || '-' || lpad(to_hex(n), 8, '0'), symbol, '5m', stage, version, 'bench',
    trace, at, at FROM fleet;
INSERT INTO bot_versions (id, bot_id, number, strategy, params, costs, "window", reason_code, trace_id, created_at)
  SELECT version, bot, 1, 'sma_cross', '{"fast": 20, "slow": 100}',
    '{"contracts": 1, "commission_usd": "2.25", "slippage_ticks": 1}', '{"end": null, "start": null}', 'CREATED',
    trace, at FROM fleet;
INSERT INTO bot_boundaries (bot_id, source)
  SELECT bot, source FROM fleet, unnest(ARRAY['BACKTEST', 'PAPER', 'SHADOW', 'CANARY', 'LIVE']) AS source;
-- Jobs are created QUEUED; these are written in their final state.
ALTER TABLE bot_jobs DISABLE TRIGGER USER;
INSERT INTO bot_jobs (id, root_job_id, bot_id, job_type, kind, status, iteration, epoch, version_id, session_id,
    lease_token, lease_expires_at, error_code, error_message, actor, trace_id, created_at, started_at, completed_at)
  SELECT id, id, bot, 'BACKTEST', 'MANUAL', status, turn, CASE WHEN status <> 'QUEUED' THEN 0 END, version,
    CASE WHEN turn = 2 THEN run END, CASE WHEN status = 'RUNNING' THEN id END,
    CASE WHEN status = 'RUNNING' THEN now() + interval '1 day' END,
    CASE WHEN status = 'FAILED' THEN 'STRATEGY_ERROR' END, CASE WHEN status = 'FAILED' THEN 'It divided by 0.' END,
    'bench', trace, at + turn * interval '1 hour', CASE WHEN status <> 'QUEUED' THEN at + turn * interval '1 hour' END,
    CASE WHEN status NOT IN ('QUEUED', 'RUNNING') THEN at + turn * interval '1 hour' END
  FROM fleet, generate_series(1, 3) AS turn, pg_temp.nth(10 + turn, n) AS id, LATERAL (SELECT CASE
    WHEN turn = 2 THEN 'COMPLETED' WHEN turn = 1 THEN 'FAILED' WHEN n %% 10 = 1 THEN 'QUEUED'
    WHEN n %% 10 = 2 THEN 'RUNNING' WHEN n %% 10 = 3 THEN 'FAILED' ELSE 'COMPLETED' END) AS _(status);
ALTER TABLE bot_jobs ENABLE TRIGGER USER;
INSERT INTO backtest_sessions (id, bot_id, version_id, job_id, status, epoch, data_label, bars_hash, bars_ids,
    engine, engine_version, code_version, costs, total_trades, net_pnl, gross_pnl, commission, max_drawdown_usd,
    metrics, analysis, trace_id, started_at, completed_at)
  SELECT run, bot, version, pg_temp.nth(12, n), 'COMPLETED', 0, 'SIMULATED', md5(trace) || md5(bot::text), '[]',
    'rust', '1', '1', '{}', trades, n - 5000, n, 5000, 1234.5, '{}',
    (SELECT jsonb_object_agg('guard_' || g, jsonb_build_object('passed', true, 'observed', n)) FROM
     generate_series(1, 12) AS g), trace, at, at FROM fleet;
INSERT INTO bot_metrics_rollups (bot_id, source, epoch, session_id, total_trades, wins, net_pnl, gross_profit,
    gross_loss, max_drawdown_usd, max_drawdown_fraction, sharpe, profit_factor)
  SELECT bot, source, 0, CASE WHEN source = 'BACKTEST' THEN run END, trades, trades / 2, n - 5000, n, -5000, 1234.5,
    0.0247, 1.0 / n, n / 5000.0
  FROM fleet, LATERAL (SELECT 'BACKTEST' UNION SELECT stage WHERE stage <> 'LAB') AS _(source);
INSERT INTO autonomy_scores (id, bot_id, autonomy_score, data_reliability_score, decision_quality_score,
    autonomy_tier, breakdown, session_id, trace_id)
  SELECT pg_temp.nth(7, n), bot, n %% 101, 50, 60, 'SUPERVISED', jsonb_build_object('blockers', '[]'::jsonb,
    'subscores', (SELECT jsonb_object_agg('subscore_' || s, jsonb_build_object('score', n %% 101, 'weight', 0.2,
      'reason', 'The newest session has ' || trades || ' trades; a hundred are wanted.'))
      FROM generate_series(1, 5) AS s)), run, trace FROM fleet;
"""


def run() -> list[Row]:
    """Measure on an embedded Postgres in a temporary folder."""
    with (
        tempfile.TemporaryDirectory(prefix="gantry-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "postgres") as state,
    ):
        upgrade(state.owner_url)
        seed(state.owner_url, BOTS)
        with _serving(Path(folder)) as client:
            return _rows(client)


def seed(owner_url: str, bots: int) -> None:
    """Write the fleet."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        cursor = psycopg.ClientCursor(connection)
        with connection.transaction():
            cursor.execute(SEED.encode(), {"bots": bots})
        cursor.execute("VACUUM ANALYZE")


class Client:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)

    def ask(self, query: dict[str, Any]) -> bytes:
        """Return a page's body."""
        self._connection.request("GET", f"/api/bots?{urlencode(query)}")
        response = self._connection.getresponse()
        body = response.read()
        assert response.status == 200, body
        return body

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _rows(client: Client) -> list[Row]:
    pages: dict[str, dict[str, Any]] = {
        "first page (50)": {},
        f"page after {DEEP:,} bots (50)": {"cursor": _cursor_after(client, DEEP)},
        "first page of one symbol (50)": {"symbol": "CL"},
        "first page of one stage (50)": {"stage": "PAPER"},
        "first page of one symbol and stage (50)": {"symbol": "6E", "stage": "CANARY"},
        "first page of the stage of the oldest 30": {"stage": "LIVE"},
        "first page at the largest limit (200)": {"limit": 200},
        "first page of bots with an alert (50)": {"alert": "BLOCKED"},
        "first page sorted by net P&L (50)": {"sort": "-net_pnl"},
    }
    return [_measured(client, name, query) for name, query in pages.items()]


def _measured(client: Client, name: str, query: dict[str, Any]) -> Row:
    for _call in range(WARM):
        client.ask(query)
    times = []
    for _call in range(CALLS):
        began = time.perf_counter()
        client.ask(query)
        times.append((time.perf_counter() - began) * 1000)
    median, high = np.percentile(times, [50, 95])
    figure = f"{high:.1f} ms (p50 {median:.1f})"
    return Row(f"{name}: p95", figure, None, f"{TARGET_MS:g} ms", bool(high <= TARGET_MS))


def _cursor_after(client: Client, bots: int) -> str:
    cursor: str | None = None
    for _page in range(bots // 200):
        cursor = json.loads(client.ask({"limit": 200} | ({"cursor": cursor} if cursor else {})))["page"]["next_cursor"]
    assert cursor is not None
    return cursor


@contextmanager
def _serving(home: Path) -> Iterator[Client]:
    """A client of the API on the Postgres in this folder."""
    service = api_service(Ports(free_port(), 0, 0))
    assert service.port is not None
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    with (home / "api.log").open("wb") as log:
        process = subprocess.Popen(
            service.command, env=environment | {"GANTRY_HOME": str(home)}, stderr=log, stdout=log
        )
    try:
        _await(service.port, process)
        client = Client(service.port)
        yield client
        client.close()
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + READY_S
    while True:
        try:
            Client(port).ask({"limit": 1})
        except OSError:
            assert process.poll() is None, "The API ended."
            assert time.monotonic() < end, f"The API doesn't answer within {READY_S:g} s."
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    print_table("list_page", run())
