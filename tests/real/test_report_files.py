"""Files that were misread once: what `gantry bars import` and `gantry backtest` make of the files themselves."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import get_settings
from integrations.files.types import ReadOptions
from services.bars.files.read_file import read_file
from sql.embedded import RunningState
from tests.factories.commands import run
from tests.factories.report_files import BACKTEST, CASES, Case
from trading.bars.front import windows
from trading.instruments import get_instrument
from trading.strategies.registry import STRATEGIES

pytestmark = pytest.mark.real
FOLDER = Path(os.environ.get("GANTRY_TEST_DATA", "")) / "reports"
FIRST = {
    "databento_continuous.csv": "2024-01-03T14:30:00Z",
    "databento_parent.csv": "2024-01-03T14:30:00Z",
    "hhmm_evening.csv": "2024-01-04T01:00:00Z",
    "epoch_of_local_clock.csv": "2024-01-02T23:00:00Z",
    "new_york_clock.csv": "2024-01-02T23:00:00Z",
    "day_session_only.csv": "2024-01-03T14:30:00Z",
}


@pytest.fixture
def home(database: RunningState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    monkeypatch.setenv("GANTRY_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    yield tmp_path / "home"
    get_settings.cache_clear()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_import_takes_the_file_as_what_it_is_or_names_the_likely_reason(
    home: Path, case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("import", str(FOLDER / case.file), "--symbol", case.symbol, *case.options)
    code = run(*asked, "--json", group="bars")
    result = capsys.readouterr()
    assert run("list", "--json", group="bars") == 0
    months = json.loads(capsys.readouterr().out)
    if case.bars is None:
        assert code == 1
        assert [word for word in case.words if word not in result.err] == []
        assert case.absent not in result.err
        assert months == []
        return
    assert code == 0
    assert [(month["symbol"], month["bars_count"]) for month in months] == [(case.symbol, case.bars)]
    assert months[0]["first_at"] == FIRST[case.file]
    assert json.loads(result.out)["hours"] == ("rth" if "rth" in case.options else "all")
    assert run("check", group="bars") == 0
    assert run(*asked, "--dry-run", group="bars") == 0
    shown = capsys.readouterr().out
    assert [word for word in case.words if word not in shown] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_backtest_takes_and_refuses_the_same_files(
    tmp_path: Path, case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--bars", str(FOLDER / case.file), "--symbol", case.symbol, "--out", str(tmp_path / "out.json"))
    code = run(*where, *BACKTEST, *case.options, group="backtest")
    printed = "".join(capsys.readouterr())
    assert (code, (tmp_path / "out.json").exists()) == ((1, False) if case.bars is None else (0, True))
    if case.bars is None:
        assert [word for word in case.words if word not in printed] == []
        assert case.absent not in printed


@pytest.mark.parametrize("file", ["databento_continuous.csv", "databento_parent.csv"])
def test_a_databento_csv_is_imported_without_naming_a_symbol(
    home: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("import", str(FOLDER / file), group="bars") == 0
    assert ("60 rows of spreads (ESH4-ESM4)" in capsys.readouterr().out) is (file == "databento_parent.csv")


HOLE = ("--symbol", "ES")
MONTHS_BETWEEN = [f"2023-{month:02d}" for month in range(4, 13)] + [f"2024-{month:02d}" for month in range(1, 5)]


def test_a_hole_of_fourteen_months_is_no_part_of_the_series_and_its_months_are_listed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("import", str(FOLDER / "hole_14_months.csv"), *HOLE, group="bars") == 0
    printed = capsys.readouterr().out
    assert "name no contract, so rolls can't be seen" in printed
    assert "ES has 2 sessions of bars: results on fewer than 20 (MIN_SESSIONS_FOR_GRADING) prove little." in printed
    assert run("list", "--json", group="bars") == 0
    months = json.loads(capsys.readouterr().out)
    assert [(month["month"], month["quality"]) for month in months] == [("2023-03", "WARN"), ("2024-05", "WARN")]
    assert all(month["quality_report"]["coverage"] < 0.05 for month in months)
    assert run("gaps", "ES", "--json", group="bars") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["months_missing"] == MONTHS_BETWEEN
    (hole,) = found["holes"]
    assert (hole["first"], hole["last"]) == ("2023-03-08", "2024-05-06")
    assert run("check", group="bars") == 0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_nothing_spans_a_hole_of_fourteen_months(
    tmp_path: Path, strategy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    where = ("--bars", str(FOLDER / "hole_14_months.csv"), *HOLE, "--out", str(out))
    assert run(*where, "--strategy", strategy, group="backtest") == 0
    result = json.loads(out.read_text())
    spans = [(trade["entry_at"][:4], trade["exit_at"][:4]) for trade in result["trades"]]
    assert set(spans) <= {("2023", "2023"), ("2024", "2024")}
    assert abs(float(result["net_pnl"])) < 10_000
    assert "Holes in the bars: 301 sessions from 2023-03-08 to 2024-05-06." in capsys.readouterr().out


def test_a_file_is_two_windows_around_its_hole() -> None:
    (found,) = read_file(FOLDER / "hole_14_months.csv", ReadOptions(symbol="ES"))
    first, second = windows(found.bars, get_instrument("ES"))
    assert (len(first), len(second)) == (1380, 1380)


def test_a_halt_of_the_exchange_is_imported_as_that_and_the_month_warns(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = FOLDER / "es_exchange_halt.csv"
    assert run("import", str(file), "--symbol", "ES", group="bars") == 0
    assert "known halt of the exchange. 2025-11-28: Globex was halted from 20:45 to 07:30" in capsys.readouterr().out
    assert run("list", "--json", group="bars") == 0
    month = json.loads(capsys.readouterr().out)[0]
    assert (month["month"], month["quality"]) == ("2025-11", "WARN")
    assert month["quality_report"]["sessions_aside"] == []
    out = home.parent / "out.json"
    assert run("--bars", str(file), "--symbol", "ES", "--out", str(out), *BACKTEST, group="backtest") == 0


def test_a_halt_that_nobody_knows_puts_its_session_aside_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (FOLDER / "es_exchange_halt.csv").read_text().splitlines()
    file = home.parent / "unknown.csv"
    file.write_text("\n".join(line for line in lines if not "2025-11-26T02:45" <= line < "2025-11-26T13:30"))
    assert run("import", str(file), "--symbol", "ES", group="bars") == 0
    capsys.readouterr()
    assert run("gaps", "--json", group="bars") == 0
    month = json.loads(capsys.readouterr().out)[0]["months"][0]
    assert [one["session"] for one in month["sessions_aside"]] == ["2025-11-26"]
    assert run("export", "ES", str(home.parent / "fit.csv"), group="bars") == 0
    days = {line[:10] for line in (home.parent / "fit.csv").read_text().splitlines()}
    assert {"2025-11-25", "2025-11-27"} <= days
    assert run("accept", "ES", "2025-11-26", "--reason", "a halt", group="bars") == 0
    assert run("check", group="bars") == 0
