"""How `gantry bots` shows bots: a table, or a page of one."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from cli.console import say
from cli.costs_shown import costs_text
from cli.tables import print_table, table_of
from fleet.bot_now import BotNow
from fleet.closed_sets import JobType
from services.bots.read import BotSummary, BotView
from shapes.bots import BotDetailBody
from shapes.metrics import MetricsBody
from trading.digits import rounded, usd_text

COLUMNS = ("bot", "symbol", "strategy", "stage", "now", "trades", "net P&L", "score", "data")


def show_bots(bots: Sequence[BotSummary]) -> None:
    """Print a table of bots."""
    table = table_of(COLUMNS, right=("trades", "net P&L", "score"), wrapped=("bot",))
    for bot in bots:
        table.add_row(*_cells(bot))
    print_table(table)


def _cells(bot: BotSummary) -> tuple[str, ...]:
    metrics = bot.metrics
    return (
        bot.name,
        bot.symbol,
        bot.strategy,
        bot.stage,
        now_text(bot.bot_now),
        "-" if metrics.total_trades is None else f"{metrics.total_trades:,}",
        "-" if metrics.net_pnl is None else usd_text(metrics.net_pnl),
        "-" if bot.autonomy_score is None else f"{bot.autonomy_score:.1f}",
        bot.data_label or "-",
    )


def now_text(now: BotNow) -> str:
    """Describe a bot's state: a backtest with its attempt (x2: second), an improvement with its iteration (#3)."""
    job = now.active_job
    if job is None:
        return now.state
    return f"{now.state} " + (f"x{job.attempt}" if job.type is JobType.BACKTEST else f"#{job.iteration}")


def show_bot(bot: BotView) -> None:
    """Print one bot, a line for each thing."""
    shown = BotDetailBody.whole(bot).model_dump(mode="json", by_alias=True, exclude={"metrics"})
    written: dict[str, Callable[[Any], str]] = {"params": params_text, "costs": costs_text, "window": window_text}
    for name, value in shown.items():
        if name not in {"botNow", "autonomy_breakdown"}:
            say(f"{name:22}{written.get(name, _text)(value)}")
    for name, value in MetricsBody.model_validate(bot.metrics).model_dump(exclude={"by_stage"}).items():
        say(f"  {name:22}{_text(value)}")
    say(f"{'now':22}{now_text(bot.bot_now)}")
    for alert in bot.bot_now.alerts:
        say(f"  {alert.level} {alert.code}: {alert.message}")
    for blocker in (bot.autonomy_breakdown or {}).get("blockers", []):
        say(f"  held back by {blocker['code']}: {blocker['suggested_fix']}")


def params_text(params: Mapping[str, object]) -> str:
    """Return parameters as the command line takes them."""
    return " ".join(f"{name}={value}" for name, value in params.items()) or "-"


def window_text(window: Mapping[str, str | None]) -> str:
    """Describe which months a bot is graded on."""
    start, end = window.get("start"), window.get("end")
    if start and end:
        return f"{start} to {end}"
    return f"from {start}" if start else f"to {end}" if end else "all months"


def _text(value: object) -> str:
    """Return a value for a person: counts whole, money in cents, ratios with four digits."""
    match value:
        case None:
            return "-"
        case Decimal():
            return usd_text(value)
        case float():
            return f"{rounded(value):g}"
        case _:
            return str(value)
