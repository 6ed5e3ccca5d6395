"""How a demo's outcome is shown: the table of graded bots, and the chain behind the best one's score."""

from rich.table import Table

from cli.console import say
from cli.demo.run import DemoOutcome
from cli.options import SIMULATED_IN_WORDS
from cli.tables import print_table
from fleet.closed_sets import DataLabel
from services.backtests.lineage import Lineage
from services.bots.read import BotView
from shapes.backtests import LineageBody
from shapes.bots import BotDetailBody
from trading.digits import usd_text

COLUMNS = ("bot", "strategy", "parameters", "trades", "net P&L", "max drawdown", "score", "tier", "data")
FOLDED = {"bot", "strategy", "parameters"}
RIGHT = {"trades", "net P&L", "max drawdown", "score"}


def show(outcome: DemoOutcome) -> None:
    """Print the table and the chain."""
    table = Table(title=f"Graded bots on {outcome.label} bars")
    for column in COLUMNS:
        table.add_column(
            column, justify="right" if column in RIGHT else "left", overflow="fold", no_wrap=column not in FOLDED
        )
    for bot in outcome.bots:
        table.add_row(*row(bot))
    print_table(table)
    if outcome.label is DataLabel.SIMULATED:
        say(SIMULATED_IN_WORDS)
    if outcome.chain is not None:
        say()
        for line in chain_lines(outcome.chain):
            say(line)


def row(bot: BotView) -> tuple[str, ...]:
    """Return a bot's cells; what was not measured is a dash with no number behind it."""
    metrics = bot.metrics
    return (
        bot.name,
        bot.strategy,
        " ".join(f"{name}={value}" for name, value in bot.params.items()),
        "-" if metrics.total_trades is None else f"{metrics.total_trades:,}",
        "-" if metrics.net_pnl is None else usd_text(metrics.net_pnl),
        "-" if metrics.max_drawdown_usd is None else usd_text(metrics.max_drawdown_usd),
        "-" if bot.autonomy_score is None else f"{bot.autonomy_score:.1f}",
        bot.autonomy_tier or "-",
        bot.data_label or "-",
    )


def chain_lines(chain: Lineage) -> tuple[str, ...]:
    """Show where a score comes from, back to the file's hash."""
    params = " ".join(f"{name}={value}" for name, value in chain.params.items())
    net = "-" if chain.net_pnl is None else usd_text(chain.net_pnl)
    score = "none" if chain.score is None else f"{chain.score:.1f} ({chain.tier})"
    months = [
        f"    {month.symbol} {month.month}: content {month.content_hash[:16]}, {month.quality}, {month.provider}, "
        f"from {month.source_name}" + (f", sha256 {month.source_sha256}" if month.source_sha256 else "")
        for month in chain.bars
    ]
    return (
        f"Where the score of {chain.bot_name} comes from:",
        f"  score    {score}",
        f"  session  {chain.session_id}: {chain.total_trades} trades, net {net} USD",
        f"  version  {chain.version_number}: {chain.strategy} {params}",
        f"  code     {chain.code_version}, {chain.engine_version} ({chain.engine})",
        f"  run      {chain.run_id}, job {chain.job_id}, trace {chain.trace_id}",
        f"  bars     {chain.bars_hash}",
        *months,
    )


def as_plain(outcome: DemoOutcome) -> dict[str, object]:
    """Return the outcome as JSON-ready fields: bots and chain as the API answers them."""
    return {
        "bars": outcome.bars,
        "data_label": outcome.label,
        "run_ids": list(outcome.run_ids),
        "failed": outcome.failed,
        "bots": [BotDetailBody.whole(bot) for bot in outcome.bots],
        "chain": LineageBody.model_validate(outcome.chain) if outcome.chain else None,
    }
