"""Writing a bot's trades: our binary COPY against pandas to_sql and against SQLAlchemy's insert, in one run.

All three write the same 3,557 trades into the migrated trade_logs of a Postgres of its own, each in its own
transaction, commit included; they take turns, and the best of several turns counts.
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from sqlalchemy import Engine, Uuid, insert

from bench.table import Row, print_table
from core.ids import new_id
from fleet.closed_sets import TradeSource
from sql.copy import TradesOf, copy_trades
from sql.embedded import EmbeddedPostgres
from sql.engine import connect, transactions
from sql.migrate import upgrade
from sql.tables.results import TradeLog
from tests.factories.results import CONTRACTS, made_trades
from trading.backtest.types import E4, ExitReason, Trades

TRADES = 3_557
ROUNDS = 8
CALLS = 5
TARGET_MS = 7.0
TARGET_RATIO = 10.0


def run() -> list[Row]:
    """Measure on an embedded Postgres in a temporary folder."""
    with (
        tempfile.TemporaryDirectory(prefix="gantry-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "postgres") as state,
    ):
        upgrade(state.owner_url)
        engine = connect(state.app_url)
        rows = _rows(engine, made_trades(TRADES))
        engine.dispose()
        return rows


def _rows(engine: Engine, trades: Trades) -> list[Row]:
    best = _take_turns(
        {
            "copy": partial(_copy, engine, trades),
            "to_sql": partial(_to_sql, engine, _frame(trades)),
            "insert": partial(_insert, engine, _frame(trades)),
        }
    )
    copy_ms = best["copy"]
    name = f"write {TRADES:,} trades"
    return [
        Row(f"{name}: binary COPY", f"{copy_ms:.1f} ms", None, f"{TARGET_MS:g} ms", copy_ms <= TARGET_MS),
        _peer(f"{name}: pandas to_sql", best["to_sql"], copy_ms, target=True),
        _peer(f"{name}: SQLAlchemy insert", best["insert"], copy_ms, target=False),
    ]


def _peer(name: str, peer_ms: float, copy_ms: float, *, target: bool) -> Row:
    ratio = peer_ms / copy_ms
    goal = f"COPY {TARGET_RATIO:g} x faster" if target else ""
    return Row(name, f"{peer_ms:.1f} ms", ratio, goal, ratio >= TARGET_RATIO if target else None)


def _take_turns(writers: dict[str, Callable[[UUID], None]]) -> dict[str, float]:
    """Return the best time of each, ms; a turn's first call only warms what the one before it displaced."""
    times: dict[str, list[float]] = {name: [] for name in writers}
    for _round in range(ROUNDS):
        for name, write in writers.items():
            write(new_id())
            for _call in range(CALLS):
                began = time.perf_counter()
                write(new_id())
                times[name].append((time.perf_counter() - began) * 1000)
    return {name: min(taken) for name, taken in times.items()}


def _copy(engine: Engine, trades: Trades, session_id: UUID) -> None:
    with transactions(engine)() as session:
        copy_trades(session, [TradesOf(session_id, session_id, TradeSource.BACKTEST, 0, trades, CONTRACTS)])


def _to_sql(engine: Engine, frame: pd.DataFrame, session_id: UUID) -> None:
    """As pandas does it by default, given the two column types it can't guess."""
    kinds = {"session_id": Uuid(), "bot_id": Uuid()}
    with engine.begin() as connection:
        _with_ids(frame, session_id).to_sql("trade_logs", connection, if_exists="append", index=False, dtype=kinds)


def _insert(engine: Engine, frame: pd.DataFrame, session_id: UUID) -> None:
    rows: Any = _with_ids(frame, session_id).to_dict("records")
    with transactions(engine)() as session:
        session.execute(insert(TradeLog), rows)


def _with_ids(frame: pd.DataFrame, session_id: UUID) -> pd.DataFrame:
    ids = pd.Series([session_id] * len(frame), dtype=object)
    return frame.assign(session_id=ids, bot_id=ids)


def _frame(trades: Trades) -> pd.DataFrame:
    """The same trades as somebody without COPY would hold them."""
    return pd.DataFrame(
        {
            "seq": np.arange(len(trades)),
            "source": TradeSource.BACKTEST.value,
            "epoch": 0,
            "side": trades.side,
            "qty": trades.qty,
            "contract": np.array(CONTRACTS, object)[trades.contract],
            "entry_at": pd.to_datetime(trades.entry_ns, utc=True),
            "exit_at": pd.to_datetime(trades.exit_ns, utc=True),
            "entry_ticks": trades.entry_ticks,
            "exit_ticks": trades.exit_ticks,
            "gross_pnl": trades.gross_e4 / E4,
            "commission": trades.commission_e4 / E4,
            "exit_reason": [ExitReason(int(reason)).name for reason in trades.reason],
        }
    )


if __name__ == "__main__":
    print_table("trade_writes", run())
