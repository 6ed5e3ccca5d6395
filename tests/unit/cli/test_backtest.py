"""`gantry backtest` as its contract says, from the file to the JSON."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from cli.main import main

ARGS = ["--symbol", "ES", "--strategy", "sma_cross", "--param", "fast=3", "--param", "slow=8", "--slippage-ticks", "1"]
Run = Callable[..., int]


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """Write ninety minutes of ES, moving in waves, as CSV."""
    close = 4000 + np.round(np.sin(np.arange(90) / 5) * 40) / 4
    rows = ["ts,open,high,low,close,volume"]
    for minute, price in enumerate(close):
        at = f"2024-01-03T{15 + minute // 60:02d}:{minute % 60:02d}:00Z"
        rows.append(f"{at},{price},{price + 0.5},{price - 0.5},{price},10")
    path = tmp_path / "es.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def run(bars: Path, tmp_path: Path) -> Run:
    """Run the command; answer its exit code."""

    def call(*extra: str, path: Path = bars, out: Path = tmp_path / "out.json") -> int:
        try:
            main(["backtest", "--bars", str(path), *ARGS, "--out", str(out), *extra])
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    return call


def test_trades_and_figures_are_written_as_the_contract_says(run: Run, tmp_path: Path) -> None:
    assert run("--commission", "2.25", "--contracts", "1", "--engine", "rust") == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert set(found) == {"trades", "net_pnl", "max_drawdown", "open_position", "engine", "bars_hash"}
    assert found["engine"] == "rust"
    assert len(found["bars_hash"]) == 64
    first = found["trades"][0]
    assert list(first) == [
        "side",
        "qty",
        "entry_at",
        "entry_price",
        "exit_at",
        "exit_price",
        "gross_pnl",
        "commission",
        "net_pnl",
        "exit_reason",
    ]
    assert (first["side"], first["qty"], first["exit_reason"]) == ("SHORT", 1, "REVERSAL")
    assert first["entry_at"].startswith("2024-01-03T15:")
    assert first["commission"] == "4.50"
    assert sum(Decimal(trade["net_pnl"]) for trade in found["trades"]) == Decimal(found["net_pnl"])
    gross = (Decimal(first["entry_price"]) - Decimal(first["exit_price"])) * 50
    assert gross == Decimal(first["gross_pnl"])
    assert found["open_position"]["side"] in {"LONG", "SHORT"}


def test_numba_and_rust_write_the_same_trades(run: Run, tmp_path: Path) -> None:
    run("--engine", "rust")
    rust = json.loads((tmp_path / "out.json").read_text())
    run("--engine", "numba")
    numba = json.loads((tmp_path / "out.json").read_text())
    assert (rust.pop("engine"), numba.pop("engine")) == ("rust", "numba")
    assert rust == numba


@pytest.mark.parametrize(
    ("extra", "output"),
    [
        (["--param", "nonsense=1"], "no parameter 'nonsense'"),
        (["--param", "slow"], "isn't k=v"),
        (["--param", "fast=3"], "given twice"),
        (["--commission", "cheap"], "isn't a number"),
        (["--commission", "-1"], "commission_usd is -1"),
        (["--slippage-ticks", "-1"], "slippage_ticks is -1"),
        (["--contracts", "0"], "contracts is 0"),
        (["--timeframe", "7m"], "Unknown timeframe"),
        (["--strategy", "magic"], "Unknown strategy 'magic'"),
        (["--symbol", "XX"], "Unknown symbol 'XX'"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing_behind(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: list[str], output: str
) -> None:
    assert run(*extra) == 1
    errors = capsys.readouterr().err
    assert output in errors
    assert "Fix:" in errors
    assert not (tmp_path / "out.json").exists()


def test_an_output_folder_that_does_not_exist_is_one_clear_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(out=tmp_path / "nowhere" / "out.json") == 1
    assert "can't be written" in capsys.readouterr().err


def test_an_unknown_option_is_wrong_use(run: Run) -> None:
    assert run("--engine", "abacus") == 2
