"""Files that were misread once, graded by the fleet: a bot of each strategy on each of them."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from sqlalchemy import select

from core.errors import GantryError
from integrations.store import BarsStore
from services.backtests.grade import grade_bots
from services.bars.files.import_file import import_file
from services.bars.load import list_months
from services.bots.create import NewBot, create_bot
from sql.engine import Transactions
from sql.tables.results import BacktestSession, TradeLog
from trading.day_session import hours_of, instrument_of
from trading.sessions import session_of
from trading.strategies.registry import STRATEGIES

pytestmark = pytest.mark.real
FOLDER = Path(os.environ.get("GANTRY_TEST_DATA", "")) / "reports"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
TAKEN: Final[dict[str, dict[str, Any]]] = {
    "hole_14_months.csv": {"symbol": "ES"},
    "es_half_day.csv": {"symbol": "ES"},
    "cl_christmas_eve.csv": {"symbol": "CL"},
    "es_exchange_halt.csv": {"symbol": "ES"},
    "day_session_only.csv": {"symbol": "ES", "hours": "rth"},
    "databento_continuous.csv": {},
    "databento_parent.csv": {},
    "hhmm_evening.csv": {"symbol": "NQ", "tz": "America/New_York"},
    "epoch_of_local_clock.csv": {"symbol": "ES", "epoch_tz": "America/New_York"},
    "new_york_clock.csv": {"symbol": "ES", "tz": "America/New_York"},
}
REFUSED: Final[dict[str, dict[str, Any]]] = {
    "daily_10_rows.csv": {"symbol": "ES"},
    "day_session_only.csv": {"symbol": "ES"},
    "hhmm_evening.csv": {"symbol": "NQ"},
    "epoch_of_local_clock.csv": {"symbol": "ES"},
    "new_york_clock.csv": {"symbol": "ES", "tz": "UTC"},
}
# Strategies that trade within hours, so that a short file is enough to see them.
EAGER: Final[dict[str, dict[str, Any]]] = {
    "sma_cross": {"fast": 2, "slow": 5},
    "donchian_breakout": {
        "channel": 5,
        "entry_from": "00:00",
        "entry_until": "15:59",
        "flatten_at": "15:59",
    },
    "vwap_reversion": {"min_bars": 2, "width": 0.2},
}
GO_HOME: Final = ("donchian_breakout", "vwap_reversion")


@pytest.fixture
def store(tmp_path: Path) -> BarsStore:
    return BarsStore(str(tmp_path / "bars"))


def graded(tx: Transactions, store: BarsStore, symbol: str) -> dict[str, BacktestSession]:
    """Grade a bot of each strategy; return its backtest by strategy."""
    ids = []
    with tx() as session:
        for strategy in STRATEGIES:
            bot = NewBot(name=strategy, symbol=symbol, strategy=strategy, params=EAGER.get(strategy, {}))
            ids.append(create_bot(session, bot, actor="test", now=NOW))
    report = grade_bots(tx, store, ids, run_id=None, actor="test", now=NOW)
    assert [bot.error for bot in report.bots if bot.error] == []
    with tx() as session:
        rows = {row.id: row for row in session.scalars(select(BacktestSession))}
        return {
            name: rows[bot.session_id]
            for name, bot in zip(STRATEGIES, sorted(report.bots, key=lambda one: ids.index(one.bot_id)), strict=True)
            if bot.session_id
        }


def sessions_of_trades(tx: Transactions, store: BarsStore, backtest: BacktestSession) -> Sequence[tuple[int, int]]:
    """Return for each trade the sessions, in days since 1970, in which it began and ended."""
    (month, *_) = list_months(tx)
    instrument = instrument_of(month.symbol, hours_of(month.source_details))
    with tx() as session:
        trades = session.scalars(select(TradeLog).where(TradeLog.session_id == backtest.id)).all()
        ends = [(trade.entry_at, trade.exit_at) for trade in trades]
    # A trade ends at the open of a bar or within it: the minute before is of the session it was held in.
    ns = np.array([[int(at.timestamp()) * 10**9 for at in pair] for pair in ends], np.int64).reshape(-1, 2)
    began, ended = (session_of(instrument, column).session.tolist() for column in (ns[:, 0], ns[:, 1]))
    return list(zip(began, ended, strict=True))


@pytest.mark.parametrize("file", TAKEN)
def test_each_strategy_is_graded_on_the_file_and_none_that_goes_home_holds_over_a_session(
    tx: Transactions, store: BarsStore, file: str
) -> None:
    report = import_file(tx, store, FOLDER / file, **TAKEN[file], actor="test", now=NOW)
    found = graded(tx, store, report.months[0].symbol)
    assert {row.data_label for row in found.values()} == {"IMPORTED"}
    assert {row.bars_count for row in found.values()} == {report.bars_count}
    trades = {name: sessions_of_trades(tx, store, row) for name, row in found.items()}
    assert [pair for name in GO_HOME for pair in trades[name] if pair[0] != pair[1]] == []
    if report.bars_count > 1000:
        assert [name for name in EAGER if not trades[name]] == [], "strategies traded at all"
    if file == "hole_14_months.csv":
        assert max(end - begin for pairs in trades.values() for begin, end in pairs) <= 1


@pytest.mark.parametrize("file", REFUSED)
def test_a_refused_file_leaves_nothing_that_a_bot_could_be_graded_on(
    tx: Transactions, store: BarsStore, file: str
) -> None:
    with pytest.raises(GantryError) as refused:
        import_file(tx, store, FOLDER / file, **REFUSED[file], actor="test", now=NOW)
    assert refused.value.fix
    assert list(list_months(tx)) == []
