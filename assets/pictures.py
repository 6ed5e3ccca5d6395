"""The equity picture of a bot: a small PNG inside markdown, so that Dagster's UI shows it beside the numbers."""

import base64
import io

import numpy as np

from assets.standing import Curve


def equity_picture(curve: Curve, title: str) -> str:
    """Return markdown with a PNG of equity (line) and drawdown (filled below zero), USD by trading day."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 2.8), dpi=80)
    figure.subplots_adjust(left=0.11, right=0.98, top=0.9, bottom=0.1)  # a computed layout draws everything twice
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    days = np.array([day.replace(tzinfo=None) for day in curve.days], "datetime64[s]")
    axes.plot(days, curve.equity_usd, color="#1f5fbf", linewidth=1.2, label="equity")
    axes.fill_between(days, [-fall for fall in curve.drawdown_usd], 0, color="#c0392b", alpha=0.25, label="drawdown")
    axes.axhline(0, color="#888888", linewidth=0.6)
    axes.set_title(title, fontsize=9)
    axes.set_ylabel("USD", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=7, frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return f"![{title}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"
