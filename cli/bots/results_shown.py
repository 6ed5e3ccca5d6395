"""How `gantry bots` shows what a bot did: tables of trades, equity, improvements and versions."""

from collections.abc import Sequence
from datetime import datetime

from cli.tables import print_table, table_of
from shapes.backtests import EquityBody, ImprovementBody, TradeBody
from shapes.versions import VersionBody
from trading.digits import usd_text

TRADES = ("entry", "side", "qty", "contract", "price", "exit", "exit price", "net P&L", "why")
IMPROVEMENTS = ("at", "type", "verdict", "reason", "sets", "P&L old", "P&L new", "out of sample old", "new", "data")
VERSIONS = ("version", "made", "by", "from", "strategy", "parameters", "trades", "net P&L", "data")


def show_trades(trades: Sequence[TradeBody]) -> None:
    """Print a table of trades."""
    table = table_of(TRADES, right=("qty", "price", "exit price", "net P&L"))
    for trade in trades:
        table.add_row(
            _minute(trade.entry_at),
            trade.side,
            str(trade.qty),
            trade.contract,
            trade.entry_price,
            _minute(trade.exit_at),
            trade.exit_price,
            usd_text(trade.net_pnl),
            trade.exit_reason,
        )
    print_table(table)


def show_equity(days: Sequence[EquityBody]) -> None:
    """Print a table of trading days."""
    profit, drawdown = "profit since start USD", "drawdown USD"
    table = table_of(("day", profit, drawdown), right=(profit, drawdown))
    for day in days:
        table.add_row(f"{day.trading_day}", usd_text(day.equity_usd), usd_text(day.drawdown_usd))
    print_table(table)


def show_improvements(improvements: Sequence[ImprovementBody]) -> None:
    """Print a table of improvements, old and new beside each other."""
    table = table_of(IMPROVEMENTS, right=("sets", "P&L old", "P&L new", "out of sample old", "new"))
    for one in improvements:
        table.add_row(
            _minute(one.created_at),
            one.job_type,
            one.verdict,
            one.reason_code,
            f"{one.sets_tried:,}",
            usd_text(one.old.net_usd),
            usd_text(one.new.net_usd),
            usd_text(one.old.out_net_usd),
            usd_text(one.new.out_net_usd),
            one.data_label,
        )
    print_table(table)


def show_versions(versions: Sequence[VersionBody]) -> None:
    """Print a table of versions; the one in use has a star."""
    table = table_of(VERSIONS, right=("trades", "net P&L"), wrapped=("parameters",))
    for one in versions:
        metrics = one.metrics
        table.add_row(
            f"{one.number}{' *' if one.is_current else ''}",
            _minute(one.created_at),
            one.reason_code,
            "-" if one.parent_number is None else str(one.parent_number),
            one.strategy,
            " ".join(f"{name}={value}" for name, value in one.params.items()),
            "-" if metrics.total_trades is None else f"{metrics.total_trades:,}",
            "-" if metrics.net_pnl is None else usd_text(metrics.net_pnl),
            one.data_label or "-",
        )
    print_table(table)


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"
