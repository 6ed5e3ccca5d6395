"""A backtest's page: one file that asks for nothing, with the figures of the JSON, also where there are no trades."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.backtest.charts import MOST_POINTS, MOST_TRADES, distribution_chart, equity_chart, price_chart, thinned
from cli.backtest.page import page_of, write_page
from core.errors import GantryError
from services.backtests.from_file import FileBacktest, FileBacktestReport, backtest_file
from tests.factories.bars import made_bars
from tests.factories.bars_files import parquet_of
from tests.factories.bots import NOW
from trading.backtest.types import Costs
from trading.bars.schema import Bars

BARS = made_bars()
COSTS = Costs(1, Decimal("2.25"))
LOADS = {"src", "href", "data", "action", "poster", "srcset", "background", "formaction"}


class Page(HTMLParser):
    """What a browser would load, and the figures a person reads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.figures: dict[str, str] = {}
        self.months: dict[str, str] = {}
        self.policy = ""
        self._month = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its base's
        named = {name: value or "" for name, value in attrs}
        self.loads += [value for name, value in named.items() if name in LOADS]
        if "data-figure" in named:
            self.figures[named["data-figure"]] = named["data-value"]
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"]
        self._month = named.get("data-month", "")

    def handle_data(self, data: str) -> None:
        if self._month:
            self.months[self._month] = data
            self._month = ""


def report_of(folder: Path, *, bars: Bars = BARS, **params: str) -> FileBacktestReport:
    path = folder / "es.parquet"
    path.write_bytes(parquet_of(bars))
    return backtest_file(FileBacktest(path, "ES", "sma_cross", params, COSTS), now=NOW)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> FileBacktestReport:
    return report_of(tmp_path_factory.mktemp("many"), fast="3", slow="8")


@pytest.fixture(scope="module")
def none(tmp_path_factory: pytest.TempPathFactory) -> FileBacktestReport:
    return report_of(tmp_path_factory.mktemp("none"), fast="100", slow="400")


@pytest.fixture(scope="module")
def page(many: FileBacktestReport) -> str:
    return page_of(many)


def test_the_page_loads_nothing_and_forbids_the_browser_to(page: str) -> None:
    found = Page(page)
    assert found.loads == ["data:,"]
    assert not re.search(r"@import|url\(\s*['\"]?(http|//)", page[: page.index("</style>")])
    allowed = dict(part.strip().split(" ", 1) for part in found.policy.split(";"))
    assert allowed["default-src"] == "'none'"
    assert not re.search(r"http|\*", found.policy)
    assert "connect-src" not in allowed, "what isn't allowed by name falls under default-src"


def test_its_figures_are_those_of_the_json(page: str, many: FileBacktestReport) -> None:
    written = json.loads(json.dumps(many.payload))
    figures = Page(page).figures
    assert figures.pop("unrealized_pnl") == written["open_position"]["unrealized_pnl"]
    assert figures == {name: str(written["metrics"][name]) for name in figures}
    assert set(figures) == {
        *("net_pnl", "open_pnl", "max_drawdown_usd", "total_trades"),
        *("win_rate", "profit_factor", "expectancy", "sharpe"),
    }


def test_its_months_add_up_to_the_net_pnl_and_are_those_of_the_exits(page: str, many: FileBacktestReport) -> None:
    months = {month: Decimal(text.replace(",", "")) for month, text in Page(page).months.items()}
    written: Any = many.payload
    exits = {datetime.fromisoformat(trade["exit_at"]).astimezone(UTC).strftime("%Y-%m") for trade in written["trades"]}
    assert set(months) == exits
    assert sum(months.values()) == Decimal(many.net_pnl)


def test_its_charts_are_of_the_trades_and_the_equity_of_the_json(many: FileBacktestReport) -> None:
    written: Any = many.payload
    equity, drawdown = equity_chart(many).data
    end = Decimal(written["capital"]) + Decimal(many.net_pnl) + Decimal(written["open_position"]["unrealized_pnl"])
    assert Decimal(str(equity.y[-1])) == end
    assert Decimal(str(-min(drawdown.y))) == Decimal(many.max_drawdown)
    drawn = [value for trace in distribution_chart(many).data for value in trace.x]
    assert sorted(drawn) == sorted(float(trade["net_pnl"]) for trade in written["trades"])
    markers = {trace.name: trace for trace in price_chart(many).data if trace.mode == "markers"}
    for side in ("LONG", "SHORT"):
        trades = [trade for trade in written["trades"] if trade["side"] == side]
        for what in ("entry", "exit"):
            shown = markers[f"{side.capitalize()} {what}"]
            assert [f"{text}Z" for text in shown.text] == [trade[f"{what}_at"] for trade in trades]
            assert list(shown.y) == [float(trade[f"{what}_price"]) for trade in trades]


def test_without_a_trade_the_page_says_so(none: FileBacktestReport) -> None:
    assert none.trades == 0
    page = page_of(none)
    assert page.count("No trades.") == 3
    assert 'id="distribution"' not in page
    assert 'id="equity"' in page
    assert (Page(page).figures["net_pnl"], Page(page).figures["win_rate"]) == ("0.00", "None")


def test_one_trade_is_shown_as_one(tmp_path: Path) -> None:
    sizes = (report_of(tmp_path, bars=BARS.take(slice(size)), fast="3", slow="8") for size in range(12, 60))
    one = next(report for report in sizes if report.trades == 1)
    page = Page(page_of(one))
    assert page.figures["total_trades"] == "1"
    assert [Decimal(text.replace(",", "")) for text in page.months.values()] == [Decimal(one.net_pnl)]
    assert [len(trace.x) for trace in distribution_chart(one).data if trace.x] == [1]


def test_the_page_is_written_whole_or_not_at_all(many: FileBacktestReport, tmp_path: Path) -> None:
    write_page(many, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text().rstrip().endswith("</html>")
    with pytest.raises(GantryError, match="can't be written"):
        write_page(many, tmp_path / "nowhere" / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_long_line_is_thinned_to_its_extremes() -> None:
    values = np.sin(np.arange(100_000.0)) * np.arange(100_000)
    kept = thinned(values, MOST_POINTS)
    assert len(kept) <= MOST_POINTS + 2
    assert (kept[0], kept[-1]) == (0, len(values) - 1)
    assert (values[kept].max(), values[kept].min()) == (values.max(), values.min())
    assert np.array_equal(thinned(values[:10], MOST_POINTS), np.arange(10))
    assert MOST_TRADES <= MOST_POINTS
