"""Short sessions, in the shape of public reports: no bar outside the calendar, no position held over an end."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from cli.main import main
from integrations.files.reader import read_bars_file
from integrations.store import BarsStore
from services.bars.files.import_file import import_file
from sql.engine import Transactions
from trading.bars.quality import ProblemCode, assess
from trading.instruments import get_instrument

pytestmark = pytest.mark.real
DATA = Path(os.environ.get("GANTRY_TEST_DATA", ""))
NOW = datetime(2025, 1, 15, 12, tzinfo=UTC)
# When these sessions ended, UTC: Thanksgiving and the day after it; the day before Christmas Eve, and Christmas Eve.
ENDS: Final = {
    "es_half_day.csv": ("2024-11-28T18:00", "2024-11-29T18:15", "2024-12-02T22:00"),
    "cl_christmas_eve.csv": ("2024-12-23T22:00", "2024-12-24T18:45", "2024-12-26T22:00"),
}
STRATEGIES: Final = {
    "donchian_breakout": ("channel=5", "entry_from=00:00", "entry_until=15:59", "flatten_at=15:59"),
    "vwap_reversion": ("min_bars=2", "width=0.2"),
}
FILES = pytest.mark.parametrize("name", ENDS)


def symbol_of(name: str) -> str:
    return name[:2].upper()


@FILES
def test_the_file_is_imported_and_no_bar_lies_outside_the_calendar(tx: Transactions, tmp_path: Path, name: str) -> None:
    store = BarsStore(str(tmp_path / "bars"))
    path, symbol = DATA / "reports" / name, symbol_of(name)
    report = import_file(tx, store, path, symbol=symbol, actor="test", now=NOW)
    assert sum(month.bars_count for month in report.months) == report.bars_count
    assert [month.complaint for month in report.months if "outside the calendar" in month.complaint] == []
    (found,) = read_bars_file(path, symbol=symbol)
    problems = assess(found.bars, get_instrument(symbol)).problems
    assert ProblemCode.OUTSIDE_SESSION not in {problem.code for problem in problems}


@FILES
@pytest.mark.parametrize("given", [True, False], ids=["eager", "as it comes"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_gantry_backtest_holds_over_no_end(tmp_path: Path, name: str, strategy: str, given: bool) -> None:
    params = [word for pair in STRATEGIES[strategy] for word in ("--param", pair)] if given else []
    chosen = ["--symbol", symbol_of(name), "--strategy", strategy]
    out, path = tmp_path / "out.json", DATA / "reports" / name
    with pytest.raises(SystemExit) as ended:
        main(["backtest", "--bars", str(path), "--out", str(out), *chosen, *params])
    assert not ended.value.code
    found = json.loads(out.read_text())
    assert len(found["trades"]) > (30 if given else 2)
    assert found["open_position"] is None
    for end in ENDS[name]:
        held = [trade for trade in found["trades"] if trade["entry_at"][:16] < end <= trade["exit_at"][:16]]
        assert held == []
