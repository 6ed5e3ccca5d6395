"""The charts of a backtest's page, drawn by plotly: equity and drawdown, trades on the price, their distribution."""

from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from services.backtests.from_file import FileBacktestReport
from trading.backtest.types import E4, STARTING_CAPITAL_USD, BacktestResult
from trading.bars.schema import FloatArray, IntArray
from trading.instruments import get_instrument
from trading.metrics import drawdowns
from trading.sessions import DAY_NS

MOST_POINTS: Final = 4_000  # of a line: a screen has fewer columns
MOST_TRADES: Final = 2_000  # drawn on the price, the largest ones; a browser slows down on more
TICKS: Final = 8
_LITTLE_USD: Final = 500
_GREEN, _RED, _BLUE, _GREY = "#0f8a5f", "#c8372d", "#2457a6", "#8a94a6"
_HOLE_NS: Final = 4 * DAY_NS  # longer than any weekend with its holiday: the line is broken there


def equity_chart(report: FileBacktestReport) -> go.Figure:
    """Account value at every close, and how far it is below its highest so far, in USD."""
    result = report.result
    value = result.equity_e4 / E4 + float(STARTING_CAPITAL_USD)
    down = -drawdowns(result.equity_e4) / E4
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.05)
    for row, (name, values, color, fill) in enumerate(
        (("Equity", value, _BLUE, None), ("Drawdown", down, _RED, "tozeroy")), start=1
    ):
        kept = thinned(values, MOST_POINTS)
        figure.add_scatter(
            x=kept.tolist(),
            y=values[kept].tolist(),
            text=times(result.ts[kept]),
            name=name,
            line={"color": color, "width": 1.5},
            fill=fill,
            hovertemplate=f"%{{text}}<br>{name} %{{y:,.2f}} USD<extra></extra>",
            row=row,
            col=1,
        )
        figure.update_yaxes(title_text=f"{name} (USD)", tickformat=",.0f", row=row, col=1)
        if values.min() == values.max():  # plotly would show a flat line at the scale of cents
            figure.update_yaxes(range=[values[0] - _LITTLE_USD, values[0] + _LITTLE_USD], row=row, col=1)
    figure.update_layout(hovermode="x")
    return _styled(figure, result, height=460)


def price_chart(report: FileBacktestReport) -> go.Figure:
    """Closes of the contract that was traded, with entries, exits and a line from each to each."""
    result, trades = report.result, report.result.trades
    tick = float(get_instrument(report.windows[0].bars.symbol).tick_size)
    figure = go.Figure()
    figure.add_scatter(
        **_closes(report),
        name="Close",
        line={"color": _GREY, "width": 1},
        hovertemplate="%{text}<br>%{y}<extra></extra>",
    )
    chosen = np.sort(np.argsort(-np.abs(trades.net_e4), kind="stable")[:MOST_TRADES])
    for name, side, symbol in (("Long", 1, "triangle-up"), ("Short", -1, "triangle-down")):
        mine = chosen[trades.side[chosen] == side]
        colors = np.where(trades.net_e4[mine] > 0, _GREEN, _RED).tolist()
        entry = {"x": trades.entry_bar[mine].tolist(), "y": (trades.entry_ticks[mine] * tick).tolist()}
        left = {"x": trades.exit_bar[mine].tolist(), "y": (trades.exit_ticks[mine] * tick).tolist()}
        figure.add_scatter(
            x=_between(entry["x"], left["x"]),
            y=_between(entry["y"], left["y"]),
            mode="lines",
            line={"color": _BLUE, "width": 1, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            **entry,
            name=f"{name} entry",
            text=times(trades.entry_ns[mine]),
            mode="markers",
            marker={"symbol": symbol, "size": 9, "color": colors, "line": {"color": "white", "width": 1}},
            hovertemplate=f"%{{text}}<br>{name} at %{{y}}<extra></extra>",
        )
        figure.add_scatter(
            **left,
            name=f"{name} exit",
            text=times(trades.exit_ns[mine]),
            customdata=(trades.net_e4[mine] / E4).tolist(),
            mode="markers",
            marker={"symbol": "x-thin", "size": 8, "line": {"color": colors, "width": 2}},
            hovertemplate=f"%{{text}}<br>{name} left at %{{y}}, net %{{customdata:,.2f}} USD<extra></extra>",
        )
    figure.update_yaxes(title_text="Price", tickformat=",")
    return _styled(figure, result, height=460)


def distribution_chart(report: FileBacktestReport) -> go.Figure:
    """How many trades made how much, in USD net."""
    net = report.result.trades.net_e4 / E4
    figure = go.Figure()
    for name, part, color in (("Winners", net[net > 0], _GREEN), ("Losers", net[net <= 0], _RED)):
        figure.add_histogram(x=part.tolist(), name=name, marker_color=color, xbins=_bins(net), opacity=0.85)
    figure.update_layout(barmode="stack", bargap=0.04)
    figure.update_xaxes(title_text="Net P&L of a trade (USD)", tickformat=",.0f")
    figure.update_yaxes(title_text="Trades", rangemode="tozero")
    return _styled(figure, None, height=320)


def thinned(values: FloatArray, most: int) -> IntArray:
    """Return positions of at most about `most` values, in order: the first, the last, and each stretch's extremes."""
    if len(values) <= most:
        return np.arange(len(values))
    starts = np.linspace(0, len(values), most // 2, endpoint=False, dtype=np.int64)
    parts = np.split(np.asarray(values), starts[1:])
    lowest = [int(start) + int(part.argmin()) for start, part in zip(starts, parts, strict=True)]
    highest = [int(start) + int(part.argmax()) for start, part in zip(starts, parts, strict=True)]
    return np.unique(np.array([0, *lowest, *highest, len(values) - 1], np.int64))


def times(ns: IntArray) -> list[str]:
    """Return ns since 1970 as texts that plotly takes for times, UTC."""
    texts: list[str] = ns.astype("datetime64[ns]").astype("datetime64[s]").astype(str).tolist()
    return texts


def _closes(report: FileBacktestReport) -> dict[str, list[Any]]:
    """The price as x, y and text, with a break in every hole, so that nothing is drawn where there are no bars."""
    close = np.concatenate([window.bars.close for window in report.windows if len(window)])
    kept, ts = thinned(close, MOST_POINTS), report.result.ts
    x, y, text = kept.tolist(), close[kept].tolist(), times(ts[kept])
    for at in (np.flatnonzero(np.diff(ts[kept]) > _HOLE_NS) + 1)[::-1].tolist():
        x.insert(at, x[at])
        y.insert(at, None)
        text.insert(at, "")
    return {"x": x, "y": y, "text": text}


def _between(starts: list[Any], ends: list[Any]) -> list[Any]:
    """Pairs, each followed by a break."""
    return [value for pair in zip(starts, ends, strict=True) for value in (*pair, None)]


def _bins(net: NDArray[np.float64]) -> dict[str, float]:
    """Bins of one width for all trades, with an edge at zero."""
    if not len(net):
        return {}
    span = float(net.max() - net.min()) or max(abs(float(net.max())), 1.0)
    size = span / min(40, max(1, len(net)))
    return {"start": float(np.floor(net.min() / size) * size), "end": float(net.max() + size), "size": size}


def _day_axis(result: BacktestResult) -> dict[str, Any]:
    """Ticks of an axis that counts bars, so that closed markets take no room: trading days, or times of few days."""
    at = np.linspace(0, len(result.ts) - 1, TICKS, dtype=np.int64)
    starts = np.flatnonzero(np.diff(result.session, prepend=-1))
    by_day = len(starts) >= TICKS
    at = np.unique(starts[np.searchsorted(starts, at, side="right") - 1] if by_day else at)
    days = result.session[at].astype("datetime64[D]").astype(str).tolist()
    return {
        "tickvals": at.tolist(),
        "ticktext": days if by_day else [text[5:16].replace("T", " ") for text in times(result.ts[at])],
    }


def _styled(figure: go.Figure, result: BacktestResult | None, *, height: int) -> go.Figure:
    """The look that all charts share. result: of a chart whose x counts its bars."""
    if result is not None:
        figure.update_xaxes(**_day_axis(result), tickangle=0)
    return figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 70, "r": 20, "t": 36, "b": 40},
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#1c2430"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
    )
