"""`gantry backtest` as its contract says, from the file to the JSON."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.main import main
from services.code_version import code_version
from tests.factories import leaks
from tests.factories.leaks import Faulty, NoParams
from trading.backtest.findings import ANALYZERS, GUARDS
from trading.strategies.base import Decisions, MarketView
from trading.strategies.registry import STRATEGIES
from trading.strategies.sma_cross import SmaCross

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

    def call(*extra: str, path: Path = bars, out: Path | None = tmp_path / "out.json") -> int:
        try:
            main(["backtest", "--bars", str(path), *ARGS, *(("--out", str(out)) if out else ()), *extra])
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    return call


def test_trades_and_figures_are_written_as_the_contract_says(run: Run, tmp_path: Path) -> None:
    assert run("--commission", "2.25", "--contracts", "1", "--engine", "rust") == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert set(found) >= {"trades", "net_pnl", "open_pnl", "max_drawdown", "open_position", "engine", "bars_hash"}
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


def test_a_result_names_everything_it_rests_on(run: Run, tmp_path: Path) -> None:
    assert run("--commission", "2.50", "--contracts", "2") == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["strategy"], found["params"]) == ("sma_cross", {"fast": 3, "slow": 8})
    assert found["costs"] == {"slippage_ticks": 1, "commission_usd": "2.50", "contracts": 2}
    assert found["window"] == {
        "first_bar": "2024-01-03T15:00:00Z",
        "last_bar": "2024-01-03T16:29:00Z",
        "bars": 90,
        "sessions": 1,
    }
    assert (found["symbol"], found["timeframe"], found["capital"]) == ("ES", "1m", "50000.00")
    assert (found["source"], found["data_label"], found["hours"]) == ("es.csv", "IMPORTED", "all")
    assert found["metrics"]["net_pnl"] == found["net_pnl"]
    assert found["metrics"]["total_trades"] == len(found["trades"])
    assert found["quality"]["verdict"] == "WARN", "the rest of the month is missing, and the contracts' names"
    assert found["analyzers"]["rolls_seen"]["message"] == "90 bars name no contract, so rolls can't be seen."
    assert found["warnings"] == [
        "ES has 1 session of bars: results on fewer than 20 (MIN_SESSIONS_FOR_GRADING) prove little."
    ]
    assert [(month["month"], month["bars"]) for month in found["quality"]["months"]] == [("2024-01", 90)]
    assert {name: part["outcome"] for name, part in found["guards"].items()} == dict.fromkeys(GUARDS, "PASSED")
    assert found["analyzers"]["too_few_trades"]["outcome"] == "FAILED"
    assert found["code_version"] == code_version()


def test_nothing_has_to_be_written(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(out=None) == 0
    assert "4 trades, net P&L" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["es.csv"]


@pytest.mark.parametrize(
    ("rule", "code", "words"),
    [
        (
            leaks.next_close,
            "LOOK_AHEAD",
            ("the guard shift", "At bar ", "(2024-01-03T1", "target is ", "It reads close"),
        ),
        (leaks.bars_left, "LOOK_AHEAD", ("the guard truncation", "cutting off the bars")),
        (leaks.stop_from_the_future, "LOOK_AHEAD", ("stop_ticks is ", "It reads low")),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_strategy_that_reads_ahead_is_refused_with_the_place_and_writes_nothing(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rule: Callable[[MarketView], object],
    code: str,
    words: tuple[str, ...],
) -> None:
    plant(monkeypatch, rule)
    page = tmp_path / "page.html"
    assert run("--html", str(page)) == 1
    errors = capsys.readouterr().err
    assert errors.startswith(f"{code}: Strategy sma_cross fails ")
    assert [word for word in words if word not in errors] == []
    assert "Fix:" in errors
    assert "--no-guards" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["es.csv"]


def test_a_decision_before_the_warm_up_is_refused_too(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(monkeypatch, leaks.honest, warmup=50)
    assert run() == 1
    assert capsys.readouterr().err.startswith("STRATEGY_ERROR: Strategy sma_cross fails the guard warm_up.")


def test_without_guards_a_banner_says_so_and_so_does_the_result(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(monkeypatch, leaks.next_close)
    page = tmp_path / "page.html"
    assert run("--no-guards", "--html", str(page)) == 0
    printed = capsys.readouterr()
    assert "!!  NO GUARDS" in printed.err
    assert "guards    SKIPPED" in printed.out
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["guards"] == "skipped"
    assert set(found["analyzers"]) == ANALYZERS
    assert 'class="banner" role="alert">NO GUARDS' in page.read_text()


def test_exported_simulated_bars_stay_simulated(
    run: Run, bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, *rows = bars.read_text().splitlines()
    exported = tmp_path / "exported.csv"
    exported.write_text("\n".join([f"{header},data_label", *(f"{row},SIMULATED" for row in rows)]) + "\n")
    page = tmp_path / "page.html"
    assert run("--html", str(page), path=exported) == 0
    assert json.loads((tmp_path / "out.json").read_text())["data_label"] == "SIMULATED"
    for shown in (capsys.readouterr().out, page.read_text()):
        assert "These bars are SIMULATED" in shown


def test_with_guards_there_is_no_banner(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert run("--html", str(page)) == 0
    assert "NO GUARDS" not in "".join(capsys.readouterr()) + page.read_text()


def plant(monkeypatch: pytest.MonkeyPatch, rule: Callable[[MarketView], object], *, warmup: int = 1) -> None:
    """Let sma_cross, its parameters as they are, decide by another rule."""
    monkeypatch.setitem(STRATEGIES, "sma_cross", Planted(rule, warmup))


class Planted(SmaCross):
    """The parameters of sma_cross, the decisions of a rule."""

    def __init__(self, rule: Callable[[MarketView], object], warmup: int) -> None:
        self._faulty = Faulty(rule, warmup)  # type: ignore[arg-type]

    def decide(self, view: MarketView, params: Any) -> Decisions:  # noqa: ARG002 - the strategy's signature
        return self._faulty.decide(view, NoParams())

    def warmup(self, params: Any) -> int:  # noqa: ARG002 - the same
        return self._faulty.warmup(NoParams())


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


def test_a_count_of_one_is_singular(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--slippage-ticks", "1", "--contracts", "1") == 0
    printed = capsys.readouterr().out
    assert "costs     slippage 1 tick, " in printed
    assert " USD a contract and side, 1 contract; capital" in printed


def test_an_output_folder_that_does_not_exist_is_one_clear_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(out=tmp_path / "nowhere" / "out.json") == 1
    assert "can't be written" in capsys.readouterr().err


def test_an_unknown_option_is_wrong_use(run: Run) -> None:
    assert run("--engine", "abacus") == 2
