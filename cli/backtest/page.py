"""A backtest as one HTML page that needs nothing else: no file beside it, no network, no server.

The page's own policy forbids the browser every request, so that it shows the same on any machine, for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.graph_objects import Figure

from cli.backtest.charts import MOST_TRADES, distribution_chart, equity_chart, price_chart
from cli.options import SIMULATED_IN_WORDS
from fleet.closed_sets import DataLabel
from services.backtests.file_result import SKIPPED
from services.backtests.from_file import FileBacktestReport, write_whole
from trading.metrics import usd

TEMPLATE: Final = "page.html.j2"
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BUTTONS: Final = ["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]  # none that leaves the page
_CONFIG: Final = {"displaylogo": False, "responsive": True, "modeBarButtons": [_BUTTONS]}
_EPOCH: Final = date(1970, 1, 1)
_LABELS: Final = {
    "net_pnl": "Net P&L (USD)",
    "open_pnl": "Open P&L (USD)",
    "max_drawdown_usd": "Drawdown (USD)",
    "total_trades": "Trades",
    "win_rate": "Win rate",
    "profit_factor": "Profit factor",
    "expectancy": "Net a trade (USD)",
    "sharpe": "Sharpe ratio",
}


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of the page. name: its key in `metrics`. exact: its value as the JSON has it; text: as it is read."""

    name: str
    label: str
    exact: str
    text: str


@dataclass(frozen=True, slots=True)
class YearRow:
    """One year's net P&L by month of the exit's trading day, USD; None for a month without a trade."""

    year: int
    months: tuple[Decimal | None, ...]
    total: Decimal


def write_page(report: FileBacktestReport, path: Path) -> None:
    """Write the page whole, or not at all.

    Raises:
        GantryError: VALIDATION_FAILED when the file can't be written.

    """
    write_whole(page_of(report), path, option="html")


def page_of(report: FileBacktestReport) -> str:
    """Return the page."""
    template = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(TEMPLATE)
    many = report.trades > MOST_TRADES
    return template.render(
        result=report.payload,
        cards=cards(report.payload),
        years=by_month(report),
        month_names=MONTHS,
        skipped=report.payload["guards"] == SKIPPED,
        made_up=SIMULATED_IN_WORDS if report.payload["data_label"] == DataLabel.SIMULATED else None,
        notes=report.notes,
        drawn=MOST_TRADES if many else None,
        charts=_drawn(report),
        money=money_read,
    )


def cards(payload: Mapping[str, Any]) -> tuple[Card, ...]:
    """Return the figures at the top; what has no value is a dash."""
    metrics = payload["metrics"]
    return tuple(Card(name, label, str(metrics[name]), _read(name, metrics[name])) for name, label in _LABELS.items())


def by_month(report: FileBacktestReport) -> tuple[YearRow, ...]:
    """Return net P&L by year and month of the trading day of each trade's exit; no row without trades."""
    result = report.result
    sums: dict[tuple[int, int], int] = {}
    for day, net in zip(result.session[result.trades.exit_bar].tolist(), result.trades.net_e4.tolist(), strict=True):
        on = _EPOCH + timedelta(days=day)
        sums[on.year, on.month] = sums.get((on.year, on.month), 0) + net
    years = sorted({year for year, _ in sums})
    return tuple(_year(year, {month: net for (of, month), net in sums.items() if of == year}) for year in years)


def money_read(amount: Decimal) -> str:
    """Return USD as people read it: thousands separated, two digits."""
    return f"{amount:,.2f}"


def _year(year: int, sums: Mapping[int, int]) -> YearRow:
    months = tuple(usd(sums[month]) if month in sums else None for month in range(1, 13))
    return YearRow(year, months, usd(sum(sums.values())))


def _read(name: str, value: object) -> str:
    if value is None:
        return "-"
    if name in {"net_pnl", "max_drawdown_usd", "expectancy"}:
        return money_read(Decimal(str(value)))
    if name == "win_rate":
        return f"{float(str(value)):.1%}"
    return f"{value:,}" if isinstance(value, int) else f"{float(str(value)):.2f}"


def _drawn(report: FileBacktestReport) -> dict[str, Markup]:
    """The charts, the first with the library that draws them all; no distribution of nothing."""
    made: dict[str, Figure] = {"equity": equity_chart(report), "price": price_chart(report)}
    if report.trades:
        made["distribution"] = distribution_chart(report)
    return {
        name: Markup(  # noqa: S704 - plotly's own HTML, of numbers and times alone
            figure.to_html(full_html=False, include_plotlyjs=name == "equity", div_id=name, config=_CONFIG)
        )
        for name, figure in made.items()
    }
