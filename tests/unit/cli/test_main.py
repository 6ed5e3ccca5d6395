import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from cli import main as entry
from core.errors import ErrorCode, FieldProblem, GantryError
from services.code_version import code_version

GANTRY = Path(sys.executable).parent / "gantry"


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([GANTRY, *arguments], capture_output=True, text=True, check=False)


def test_help_answers_within_three_tenths_of_a_second() -> None:
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        assert run("--help").returncode == 0
        seconds.append(time.monotonic() - began)
    assert min(seconds) < 0.3


def test_help_names_every_command() -> None:
    text = run("--help").stdout
    assert [name for name in entry.COMMANDS if f"  {name} " not in text] == []


def test_help_in_a_pipe_has_every_summary_whole() -> None:
    text = run("--help").stdout
    assert [item.summary for item in entry.COMMANDS.values() if item.summary not in text] == []


def test_the_version_is_that_of_the_package_and_of_the_code() -> None:
    assert run("--version").stdout == f"gantry {version('gantry')} (code {code_version()})\n"


@pytest.mark.parametrize("name", entry.COMMANDS)
def test_every_command_loads_and_explains_itself(name: str) -> None:
    with pytest.raises(SystemExit) as ended:
        entry.load(name)(["--help"], prog_name=f"gantry {name}")
    assert ended.value.code == 0


@pytest.mark.parametrize("arguments", [("nosuch",), ("status", "--nosuch"), ()])
def test_wrong_use_exits_with_two(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).returncode == 2


def test_a_failure_is_one_line_with_code_message_and_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise GantryError(
            ErrorCode.CONFLICT, "Port 5000 is taken.", fix="Free it.", details=(FieldProblem("a.b", "bad", "b is bad"),)
        )

    monkeypatch.setattr(entry, "load", lambda _name: typer.main.get_command(app))
    with pytest.raises(SystemExit) as ended:
        entry.main(["status"])
    assert ended.value.code == 1
    assert capsys.readouterr().err == "CONFLICT: Port 5000 is taken. Fix: Free it.\n  a.b: b is bad\n"


def test_compiled_code_is_kept_in_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GANTRY_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    entry.prepare_environment()
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "cache" / "numba")
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ
    assert not sys.dont_write_bytecode
