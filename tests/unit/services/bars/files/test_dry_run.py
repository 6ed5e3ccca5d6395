"""`gantry bars import --dry-run`: what is understood of a file, without a database and without writing anything."""

import json
from pathlib import Path

import pytest

from core.settings import get_settings
from tests.factories.commands import run
from tests.factories.report_files import NEW_YORK, SESSIONS
from tests.factories.written_bars import PLAIN_NAMES, Way, bars_of_walk, file_of


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without anything in it, and a database that nobody can reach."""
    monkeypatch.setenv("GANTRY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:nothing@127.0.0.1:1/none")
    get_settings.cache_clear()
    return tmp_path / "home"


def test_columns_times_and_signs_are_shown_as_they_were_understood(
    tmp_path: Path, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {**PLAIN_NAMES, "time": ("Date", "Time"), "close": ("Last",), "volume": ("Up", "Down")}
    way = Way(names=names, delimiter=";", decimal=",", zone=NEW_YORK, offset="", stamp="close", symbol="ES 03-24")
    path = tmp_path / "es.csv"
    path.write_bytes(file_of(bars_of_walk("ES", "2024-01-17T15:00", 60), way))
    assert run("import", str(path), "--tz", NEW_YORK, "--stamp", "close", "--dry-run", group="bars") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:7] == [
        "File       es.csv, csv, semicolons between values, decimal comma",
        "Columns    time from 'date + time', open from 'open', high from 'high', low from 'low', close from 'last', "
        "up from 'up', down from 'down', symbol from 'symbol'",
        "Times      without a zone, read as America/New_York; each names its bar's close",
        "Timeframe  1m",
        "Hours      whole sessions",
        "ES: 60 bars, contracts ESH24",
        "  first 2024-01-17T15:00:00Z open 4750 high 4750.5 low 4750 close 4750 volume 676 ESH24",
    ]
    assert [line[:29] for line in lines if line.startswith("  last")][-1] == "  last  2024-01-17T15:59:00Z "
    assert lines[-3:-1] == [
        "  2024-01: 60 bars, WARN. 21 whole sessions have no bar, first 2024-01-02.",
        "  Verdict: WARN",
    ]
    assert lines[-1] == "Nothing was written."
    assert not nowhere.exists()


def test_a_verdict_of_blocked_comes_with_its_reason_and_exit_code_one(
    tmp_path: Path, nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "es.csv"
    path.write_bytes(file_of(SESSIONS, Way(zone=NEW_YORK, offset="")))
    assert run("import", str(path), "--symbol", "ES", "--tz", "UTC", "--dry-run", "--json", group="bars") == 1
    found = json.loads(capsys.readouterr().out)
    (of_es,) = found["symbols"]
    assert (found["blocked"], of_es["verdict"], of_es["fix"]) == (True, "BLOCKED", "Give --tz America/New_York.")
    assert found["details"]["columns"]["time"] == "ts"
    assert of_es["first"][0]["opened_at"] == "2024-01-02T18:00:00Z"
    assert not nowhere.exists()


def test_missing_sessions_are_a_warning_with_the_month_and_the_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "es.csv"
    path.write_bytes(
        file_of(SESSIONS.take((SESSIONS.ts < SESSIONS.ts[1380]) | (SESSIONS.ts >= SESSIONS.ts[2760])), Way())
    )
    assert run("import", str(path), "--symbol", "ES", "--dry-run", group="bars") == 0
    printed = capsys.readouterr().out
    assert "2024-01: 2,760 bars, WARN. 2,760 bars name no contract, so rolls can't be seen" in printed
    assert "20 whole sessions have no bar, first 2024-01-02." in printed
    assert "Verdict: WARN" in printed
