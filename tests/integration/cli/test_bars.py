"""`gantry bars` on a database and folder of its own: the same services, printed on a console."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import main
from core.settings import get_settings
from sql.embedded import RunningState
from tests.factories.bars import made_bars, without
from tests.factories.bars_files import csv_of, parquet_of
from tests.factories.databases import OwnerSql


@pytest.fixture(autouse=True)
def own_home(database: RunningState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DATABASE_URL", database.owner_url)
    monkeypatch.setenv("GANTRY_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    yield tmp_path / "home"
    get_settings.cache_clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "es.parquet"
    path.write_bytes(parquet_of(made_bars()))
    return path


def run(*args: object) -> int:
    try:
        main(["bars", *(str(arg) for arg in args)])
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def test_a_file_is_imported_listed_checked_and_exported(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("import", file, "--symbol", "ES", "--provider", "databento", "--json") == 0
    imported = json.loads(capsys.readouterr().out)
    assert [(month["month"], month["status"]) for month in imported["months"]] == [("2024-01", "NEW")]
    assert run("import", file, "--symbol", "ES", "--provider", "databento") == 0
    assert "already there" in capsys.readouterr().out
    assert run("list", "--json") == 0
    (month,) = json.loads(capsys.readouterr().out)
    assert month["provider"] == "databento"
    assert month["source_sha256"] == imported["source_sha256"]
    assert month["bars_count"] == imported["bars_count"] == len(made_bars())
    assert run("list", "--symbol", "ES") == 0
    assert "IMPORTED" in capsys.readouterr().out
    assert run("check") == 0
    assert "as catalogued" in capsys.readouterr().out
    assert run("export", "ES", tmp_path / "out.csv") == 0
    assert month["content_hash"] in capsys.readouterr().out
    assert run("export", "ES", tmp_path / "out.h1", "--format", "csv", "--timeframe", "1h", "--json") == 0
    assert json.loads(capsys.readouterr().out)["label"] == "IMPORTED"


def test_close_stamps_and_a_time_zone_are_applied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "es.csv"
    path.write_bytes(csv_of(made_bars(), zone="", shift_minutes=1))
    assert run("import", path, "--symbol", "ES", "--tz", "UTC", "--stamp", "close", "--json") == 0
    capsys.readouterr()
    assert run("list", "--json") == 0
    (month,) = json.loads(capsys.readouterr().out)
    assert month["first_at"] == "2024-01-08T23:00:00Z"


def test_without_bars_the_list_says_how_to_get_some(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    assert "gantry bars import" in capsys.readouterr().out
    assert run("list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run("list", "--symbol", "CL") == 0
    assert capsys.readouterr().out.startswith("There are no bars of CL.")


def test_a_failed_check_is_exit_code_one(file: Path, own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", file, "--symbol", "ES") == 0
    (stored,) = (own_home / "bars").rglob("*.parquet")
    stored.write_bytes(b"PAR1")
    capsys.readouterr()
    assert run("check", "--json") == 1
    captured = capsys.readouterr()
    assert [month["ok"] for month in json.loads(captured.out)] == [False]
    assert "Fix:" in captured.err


@pytest.mark.parametrize(
    ("args", "output", "exit_code"),
    [
        (("import", "/no/such/file.csv"), "NOT_FOUND", 1),
        (("import", __file__, "--symbol", "XX"), "VALIDATION_FAILED", 1),
        (("import", __file__, "--stamp", "middle"), "Usage", 2),
        (("export", "ES", "/no/such/es.csv"), "DATA_UNAVAILABLE", 1),
        (("export", "ES", "es.csv", "--timeframe", "2m"), "VALIDATION_FAILED", 1),
        (("check", "--symbol", "XX"), "VALIDATION_FAILED", 1),
        (("list", "--symbol", "XX"), "VALIDATION_FAILED: Unknown symbol 'XX'.", 1),
        (("list", "--symbol", "es"), "VALIDATION_FAILED: Unknown symbol 'es'.", 1),
    ],
)
def test_a_failure_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...], output: str, exit_code: int
) -> None:
    assert run(*args) == exit_code
    captured = capsys.readouterr()
    assert output in captured.err
    assert captured.out == ""


def test_a_session_put_aside_is_listed_with_its_reason_and_accepted_by_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "es.parquet"
    path.write_bytes(parquet_of(without(made_bars(), "2024-01-10T10:00", "2024-01-10T16:00")))
    assert run("import", path, "--symbol", "ES") == 0
    assert "1 liquid session lacks over 20 % of its minutes, first 2024-01-10" in capsys.readouterr().out
    assert run("gaps") == 0
    assert "ES 2024-01-10 is put aside: 360 of its 1,380 minutes (26%) have no bar." in capsys.readouterr().out
    asked = ("accept", "ES", "2024-01-10", "--reason", "checked by hand")
    assert run(*asked) == 0
    assert "bots of ES are graded again" in capsys.readouterr().out
    assert run(*asked, "--json") == 0
    assert json.loads(capsys.readouterr().out)["already"] is True
    assert run("gaps") == 0
    assert "ES 2024-01-10 fails, and was accepted: checked by hand" in capsys.readouterr().out
    assert run("accept", "ES", "2024-01-09", "--reason", "why not") == 1
    assert "NOT_FOUND: No session of ES on 2024-01-09 is put aside." in capsys.readouterr().err


def test_months_of_older_rules_are_not_taken_for_changed_files_and_are_renewed(
    file: Path, owner_sql: OwnerSql, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("import", file, "--symbol", "ES", "--provider", "databento") == 0
    owner_sql("UPDATE bars_catalogue SET quality = 'OK'")
    capsys.readouterr()
    assert run("check") == 1
    shown = capsys.readouterr()
    assert "WARN (was OK)" in shown.out
    assert "`gantry bars check --renew`" in shown.err
    assert "import their files again" not in shown.err
    assert run("check", "--renew") == 0
    assert run("check") == 0
