"""What a code version covers: what decides a number, and nothing else."""

from pathlib import Path

from services.code_version import ROOT, deciding_files

INSIDE = (
    *(
        "trading/backtest/engine.py",
        "trading/metrics.py",
        "trading/strategies/kernels.py",
        "trading/improve/verdict.py",
    ),
    *("fleet/autonomy_score.py", "services/backtests/write.py", "services/bars/load.py", "services/improve/search.py"),
)
OUTSIDE = ("core", "integrations", "sql", "assets", "orchestration", "api", "cli")


def covered() -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in deciding_files()}


def test_what_decides_a_number_is_covered() -> None:
    assert set(INSIDE) <= covered()
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "trading").rglob("*.py")} <= covered()


def test_a_line_that_decides_no_number_grades_no_fleet_again() -> None:
    inside = covered()
    assert [path for path in inside if path.split("/")[0] in OUTSIDE] == []
    assert {path.split("/")[1] for path in inside if path.startswith("services/")} == {"backtests", "bars", "improve"}
    assert {path for path in inside if path.startswith("fleet/")} == {"fleet/autonomy_score.py"}


def test_every_place_named_exists() -> None:
    assert all(Path(path).is_file() for path in deciding_files())
