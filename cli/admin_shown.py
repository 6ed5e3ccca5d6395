"""How `gantry admin` shows what it did to each bot, or would do."""

from collections.abc import Mapping
from typing import Any

from cli.tables import print_table, table_of
from services.resets.reset import ResetReport
from services.resets.revert import RevertReport


def show_reset(report: ResetReport) -> None:
    """Print what each bot loses by a reset: its figures and its active job."""
    table = table_of(("bot", "trades", "net P&L", "active job"), right=("trades", "net P&L"), wrapped=("bot",))
    for bot in report.bots:
        table.add_row(
            bot.name,
            _change(bot.before, bot.after, "total_trades"),
            _change(bot.before, bot.after, "net_pnl"),
            _job(bot.before, bot.after),
        )
    print_table(table)


def show_revert(report: RevertReport) -> None:
    """Print where each bot goes by a revert, and until when its stage is locked."""
    table = table_of(("bot", "stage", "promotion", "locked until"), wrapped=("bot",))
    for bot in report.bots:
        table.add_row(
            bot.name,
            _change(bot.before, bot.after, "stage"),
            _change(bot.before, bot.after, "promotion_mode"),
            f"{bot.after['stage_locked_until'][:16].replace('T', ' ')} UTC",
        )
    print_table(table)


def _change(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> str:
    old, new = (("-" if values[name] is None else str(values[name])) for values in (before, after))
    return old if old == new else f"{old} -> {new}"


def _job(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    job = before["active_job"]
    if job is None:
        return "-"
    return f"{job['status']} -> CANCELED" if after["active_job"] is None else str(job["status"])
