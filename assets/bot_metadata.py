"""Metadata of a bot's materializations: numbers that plot from one to the next, and what they rest on."""

from collections.abc import Mapping

from dagster import MetadataValue, TableColumn, TableRecord, TableSchema

from assets.pictures import equity_picture
from assets.standing import BotRecord, Curve, SessionFacts
from services.backtests.results import TradeView

Metadata = dict[str, MetadataValue]
TRADE_SCHEMA = TableSchema(
    [
        TableColumn(name, kind)
        for name, kind in (
            ("trade", "string"),
            ("side", "string"),
            ("qty", "int"),
            ("contract", "string"),
            ("entry_at", "string"),
            ("entry_price", "string"),
            ("exit_at", "string"),
            ("exit_price", "string"),
            ("net_pnl", "string"),
            ("exit_reason", "string"),
        )
    ]
)


def backtest_metadata(standing: BotRecord, session: SessionFacts, curve: Curve | None) -> Metadata:
    """Describe the session a bot was graded by; with a curve, the equity picture and the last trades too."""
    described = _of_bot(standing) | {
        "net_pnl": MetadataValue.float(float(session.net_pnl)),
        "open_pnl": MetadataValue.float(float(session.open_pnl)),
        "total_trades": MetadataValue.int(session.total_trades),
        "max_drawdown_usd": MetadataValue.float(float(session.max_drawdown_usd)),
        "bars_hash": MetadataValue.text(session.bars_hash),
        "bars_count": MetadataValue.int(session.bars_count),
        "data_label": MetadataValue.text(session.data_label),
        "session_id": MetadataValue.text(str(session.id)),
        "job_id": MetadataValue.text(str(session.job_id)),
        "engine": MetadataValue.text(f"{session.engine} {session.engine_version}"),
        "code_version": MetadataValue.text(session.code_version),
        "trace_id": MetadataValue.text(session.trace_id),
    }
    if curve is not None:
        held = f", {session.open_pnl:+.2f} USD open" if session.open_pnl else ""
        title = f"{standing.bot.name} ({session.data_label}): {session.net_pnl:.2f} USD{held}"
        described["equity"] = MetadataValue.md(equity_picture(curve, title))
        described["last_trades"] = MetadataValue.table([_record(trade) for trade in curve.last_trades], TRADE_SCHEMA)
    return described


def rollup_metadata(standing: BotRecord, session: SessionFacts) -> Metadata:
    """Describe a bot's metrics of the current epoch."""
    metrics = standing.bot.metrics
    return (
        _of_bot(standing)
        | {"epoch": MetadataValue.int(session.epoch), "session_id": MetadataValue.text(str(session.id))}
        | _numbers(
            {
                "net_pnl": metrics.net_pnl,
                "open_pnl": metrics.open_pnl,
                "total_trades": metrics.total_trades,
                "win_rate": metrics.win_rate,
                "max_drawdown_usd": metrics.max_drawdown_usd,
                "max_drawdown_fraction": metrics.max_drawdown_fraction,
                "sharpe": metrics.sharpe,
                "profit_factor": metrics.profit_factor,
            }
        )
    )


def score_metadata(standing: BotRecord) -> Metadata:
    """Describe a bot's autonomy score: the number, its parts, its tier and what holds it down."""
    breakdown = standing.bot.autonomy_breakdown or {}
    parts = {f"{name}_score": part.get("score") for name, part in breakdown.get("subscores", {}).items()}
    blockers = breakdown.get("blockers", [])
    return (
        _of_bot(standing)
        | _numbers({"autonomy_score": standing.bot.autonomy_score} | parts)
        | {
            "autonomy_tier": MetadataValue.text(standing.bot.autonomy_tier or ""),
            "blockers": MetadataValue.json(blockers),
        }
    )


def _of_bot(standing: BotRecord) -> Metadata:
    bot = standing.bot
    return {
        "bot": MetadataValue.text(bot.name),
        "symbol": MetadataValue.text(bot.symbol),
        "strategy": MetadataValue.text(bot.strategy),
        "version": MetadataValue.int(bot.version),
        "parameters": MetadataValue.json(bot.params),
    }


def _numbers(values: Mapping[str, object]) -> Metadata:
    """Return what has a value as a number; what has none is left out, so that it doesn't plot as zero."""
    return {name: MetadataValue.float(float(str(value))) for name, value in values.items() if value is not None}


def _record(trade: TradeView) -> TableRecord:
    return TableRecord(
        {
            "trade": trade.id,
            "side": trade.side,
            "qty": trade.qty,
            "contract": trade.contract,
            "entry_at": trade.entry_at.isoformat(),
            "entry_price": trade.entry_price,
            "exit_at": trade.exit_at.isoformat(),
            "exit_price": trade.exit_price,
            "net_pnl": f"{trade.net_pnl:.2f}",
            "exit_reason": trade.exit_reason,
        }
    )
