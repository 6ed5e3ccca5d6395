"""Files that were misread once, made in the same shape: both commands take them, or refuse them with the reason."""

from pathlib import Path

import pytest

from tests.factories.commands import run
from tests.factories.report_files import BACKTEST, CASES, Case, made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in {case.file for case in CASES}:
        (tmp_path / file).write_bytes(made(file))
    return tmp_path


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_import_understands_the_file_or_names_the_likely_reason(
    folder: Path, case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run("import", str(folder / case.file), "--symbol", case.symbol, *case.options, "--dry-run", group="bars")
    printed = "".join(capsys.readouterr())
    assert code == (1 if case.bars is None else 0)
    assert [word for word in case.words if word not in printed] == []
    assert case.absent not in printed
    if case.bars is not None:
        assert f"{case.symbol}: {case.bars:,} bars" in printed


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_backtest_refuses_and_takes_the_same_files_for_the_same_reasons(
    folder: Path, case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--bars", str(folder / case.file), "--symbol", case.symbol, "--out", str(folder / "out.json"))
    code = run(*where, *BACKTEST, *case.options, group="backtest")
    printed = "".join(capsys.readouterr())
    assert code == (1 if case.bars is None else 0)
    assert (folder / "out.json").exists() is (case.bars is not None)
    assert case.absent not in printed
    if case.bars is None:
        assert [word for word in case.words if word not in printed] == []
    elif case.options == ("--hours", "rth") or "spreads" in case.words[0]:
        assert [word for word in case.words[:1] if word not in printed] == []


@pytest.mark.parametrize("case", [case for case in CASES if case.file.startswith("databento")], ids=str)
def test_a_file_that_names_its_symbol_needs_no_option(
    folder: Path, case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("import", str(folder / case.file), "--dry-run", group="bars") == 0
    printed = capsys.readouterr().out
    assert [word for word in case.words if word not in printed] == []
