"""How `gantry bots` shows bots: a table, a page, or JSON with the API's field names."""

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console

from cli.tables import print_table, table_of
from fleet.bot_now import BotNow
from fleet.closed_sets import JobType
from services.bots.read import BotMetrics, BotView
from trading.metrics import money_text

COLUMNS = ("bot", "symbol", "strategy", "stage", "now", "trades", "net P&L", "score", "data")
METRICS = (
    "net_pnl",
    "win_rate",
    "total_trades",
    "max_drawdown_usd",
    "max_drawdown_fraction",
    "sharpe",
    "profit_factor",
    "reason",
)


def show_bots(bots: Sequence[BotView]) -> None:
    """Print a table of bots."""
    table = table_of(COLUMNS, right=("trades", "net P&L", "score"), wrapped=("bot",))
    for bot in bots:
        table.add_row(*_cells(bot))
    print_table(table)


def _cells(bot: BotView) -> tuple[str, ...]:
    metrics = bot.metrics
    return (
        bot.name,
        bot.symbol,
        bot.strategy,
        bot.stage,
        now_text(bot.bot_now),
        "-" if metrics.total_trades is None else f"{metrics.total_trades:,}",
        "-" if metrics.net_pnl is None else money_text(metrics.net_pnl),
        "-" if bot.autonomy_score is None else f"{bot.autonomy_score:.1f}",
        bot.data_label or "-",
    )


def now_text(now: BotNow) -> str:
    """Say what a bot does: a backtest with its attempt (x2 is the second), an improvement with its iteration (#3)."""
    job = now.active_job
    if job is None:
        return now.state
    return f"{now.state} " + (f"x{job.attempt}" if job.type is JobType.BACKTEST else f"#{job.iteration}")


def show_bot(bot: BotView) -> None:
    """Print one bot, a line for each thing."""
    console = Console()
    for name, value in bot_fields(bot).items():
        if name not in {"metrics", "botNow", "autonomy_breakdown"}:
            console.print(f"{name:22}{'-' if value is None else value}", highlight=False, soft_wrap=True)
    for name, value in metrics_fields(bot.metrics).items():
        console.print(f"  {name:22}{'-' if value is None else value}", highlight=False)
    console.print(f"{'now':22}{now_text(bot.bot_now)}", highlight=False)
    for alert in bot.bot_now.alerts:
        console.print(f"  {alert.level} {alert.code}: {alert.message}", highlight=False, soft_wrap=True)
    for blocker in (bot.autonomy_breakdown or {}).get("blockers", []):
        console.print(f"  held back by {blocker['code']}: {blocker['suggested_fix']}", highlight=False, soft_wrap=True)


def bot_fields(bot: BotView) -> dict[str, object]:
    """Return a bot as JSON-ready fields, named as the API names them; money as decimal strings."""
    now = bot.bot_now
    job = now.active_job
    return {
        "id": bot.id,
        "name": bot.name,
        "symbol": bot.symbol,
        "timeframe": bot.timeframe,
        "strategy": bot.strategy,
        "version": bot.version,
        "params": bot.params,
        "costs": bot.costs,
        "window": bot.window,
        "stage": bot.stage,
        "promotion_mode": bot.promotion_mode,
        "created_at": bot.created_at,
        "metrics": metrics_fields(bot.metrics),
        "autonomy_score": bot.autonomy_score,
        "autonomy_tier": bot.autonomy_tier,
        "autonomy_breakdown": bot.autonomy_breakdown,
        "data_label": bot.data_label,
        "session_id": bot.session_id,
        "botNow": {
            "state": now.state,
            "activeJob": job
            and {
                "id": job.id,
                "type": job.type,
                "status": job.status,
                "attempt": job.attempt,
                "iteration": job.iteration,
                "createdAt": job.created_at,
                "startedAt": job.started_at,
                "elapsedSeconds": job.elapsed_seconds,
            },
            "isNew": now.is_new,
            "alerts": [{"level": a.level, "code": a.code, "message": a.message} for a in now.alerts],
        },
    }


def metrics_fields(metrics: BotMetrics) -> dict[str, object]:
    """Return metrics as JSON-ready fields."""
    values = {name: getattr(metrics, name) for name in METRICS}
    return {name: money_text(value) if isinstance(value, Decimal) else value for name, value in values.items()}
