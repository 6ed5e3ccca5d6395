"""One backtest of one file: the same bars, engine and money as a bot's, and a report that is written whole."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import ErrorCode, GantryError
from services.backtests.from_file import FileBacktest, backtest_file, write_report
from tests.factories.bars import made_bars
from tests.factories.bars_files import parquet_of
from tests.factories.bots import NOW
from trading.backtest.run import run_backtest
from trading.backtest.types import Costs
from trading.bars.front import windows
from trading.bars.hashing import content_hash
from trading.bars.months import concatenate
from trading.bars.schema import Timeframe
from trading.instruments import get_instrument
from trading.metrics import from_result
from trading.strategies.registry import get_strategy

ES = get_instrument("ES")
COSTS = Costs(1, Decimal("2.25"))
BARS = made_bars()


def request(folder: Path, *, symbol: str = "ES", timeframe: Timeframe = Timeframe.M1) -> FileBacktest:
    path = folder / "es.parquet"
    path.write_bytes(parquet_of(BARS))
    return FileBacktest(path, symbol, "sma_cross", {"fast": "3", "slow": "8"}, COSTS, timeframe=timeframe)


def test_a_file_is_backtested_as_its_bars_would_be(tmp_path: Path) -> None:
    report = backtest_file(request(tmp_path), now=NOW)
    strategy = get_strategy("sma_cross")
    same = from_result(run_backtest(windows(BARS, ES), strategy, strategy.parse({"fast": 3, "slow": 8}), ES, COSTS))
    assert report.trades == same.total_trades > 0
    assert (Decimal(report.net_pnl), Decimal(report.max_drawdown)) == (same.net_pnl, same.max_drawdown_usd)
    assert report.payload["bars_hash"] == content_hash(BARS, ES)


def test_the_hash_is_of_the_files_bars_whatever_timeframe_is_traded(tmp_path: Path) -> None:
    minutes, hours = (
        backtest_file(request(tmp_path, timeframe=each), now=NOW) for each in (Timeframe.M1, Timeframe.H1)
    )
    assert minutes.payload["bars_hash"] == hours.payload["bars_hash"]
    assert minutes.trades > hours.trades


def test_a_file_of_two_sessions_far_apart_without_contracts_is_used_and_reports_what_it_can_not_show(
    tmp_path: Path,
) -> None:
    far = concatenate(
        [
            made_bars("2023-03-06T23:00", "2023-03-07T22:00", contract=""),
            made_bars("2024-05-06T22:00", "2024-05-07T21:00", contract="", first_tick=30_000),
        ]
    )
    asked = request(tmp_path)
    asked.path.write_bytes(parquet_of(far))
    report = backtest_file(asked, now=NOW)
    held = [(trade["entry_at"][:10], trade["exit_at"][:10]) for trade in report.payload["trades"]]  # type: ignore[attr-defined]
    assert report.trades > 10
    assert {entry[:4] for entry, _ in held} == {"2023", "2024"}
    assert [one for one in held if one[0][:4] != one[1][:4]] == [], "no trade spans the hole"
    assert report.payload["warnings"] == [
        "Holes in the bars: 301 sessions from 2023-03-08 to 2024-05-06. "
        "No position and no indicator lives through a hole.",
        "ES has 2 sessions of bars: results on fewer than 20 (MIN_SESSIONS_FOR_GRADING) prove little.",
    ]
    assert report.notes == tuple(report.payload["warnings"])
    assert report.payload["analyzers"]["rolls_seen"]["passed"] is False  # type: ignore[index]
    assert backtest_file(asked, now=NOW, min_sessions=2).payload["warnings"] == report.payload["warnings"][:1]


def test_a_symbol_that_the_file_does_not_hold_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(GantryError) as refused:
        backtest_file(request(tmp_path, symbol="CL"), now=NOW)
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
    assert "holds bars of ES, not of CL" in refused.value.message


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    report = backtest_file(request(tmp_path), now=NOW)
    write_report(report, tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text()) == report.payload
    with pytest.raises(GantryError, match="can't be written") as refused:
        write_report(report, tmp_path / "nowhere" / "out.json")
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
    assert sorted(path.name for path in tmp_path.iterdir()) == ["es.parquet", "out.json"]
