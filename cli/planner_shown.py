"""How `gantry autonomy` shows ticks, decisions and loops: tables."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.console import say
from services.planner.status import SchedulerStatus
from services.planner.ticks import DecisionRow, TickProof

WIDE = 200
COLOURS: Mapping[str, str] = {"OK": "green", "FAILING": "bold red", "STOPPED": "bold red", "NEVER": "yellow"}


def show_tick(run: TickProof) -> None:
    """Print a tick's counts; those that are 0 are left out."""
    summary = run.summary
    took_ms = (run.finished_at - run.started_at).total_seconds() * 1000
    say(f"Last tick {run.started_at:%Y-%m-%d %H:%M:%S}Z ({run.cause}, {took_ms:.0f} ms, trace {run.trace_id})")
    say(f"  bots looked at   {summary['bots_evaluated']}")
    say(f"  jobs queued      {run.jobs_enqueued}{_listed(summary['jobs_enqueued_by_type'])}")
    say(f"  running          {_listed(summary['currently_running_jobs_by_type']).removeprefix(': ') or 'none'}")
    caps = ", ".join(f"{name} {_shown(cap)}" for name, cap in sorted(summary["concurrency_caps"].items()))
    say(f"  caps             {caps}")
    say(f"  no job because   {_listed(summary['not_enqueued_reasons']).removeprefix(': ') or '-'}")
    say(f"  not started      {_listed(summary['not_started_reasons']).removeprefix(': ') or '-'}")


def show_loops(status: SchedulerStatus) -> None:
    """Print a table of loops."""
    table = _table("loop", "health", "last round", "every", "said")
    for loop in status.loops:
        ago = "never" if loop.age_s is None else f"{loop.age_s:.1f} s ago"
        health = Text(loop.health, style=COLOURS[loop.health])
        table.add_row(loop.loop, health, ago, f"{loop.every_s:g} s", loop.error or loop.said or "")
    _print(table)


def show_decisions(rows: Sequence[DecisionRow]) -> None:
    """Print a table of decisions."""
    table = _table("bot", "symbol", "stage", "job", "reason", "can't start because", "since", "job id")
    for row in rows:
        table.add_row(
            row.bot_name,
            row.symbol,
            row.stage,
            row.job_type or "-",
            row.reason_code,
            row.not_started or "-",
            f"{row.created_at:%Y-%m-%d %H:%M:%S}Z",
            str(row.job_id or "-"),
        )
    _print(table)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column != "said", overflow="fold")
    return table


def _print(table: Table) -> None:
    """Print; into a file or a pipe as wide as it needs to be."""
    console = Console()
    console.print(table) if console.is_terminal else Console(width=WIDE).print(table)


def _listed(counts: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f": {told}" if told else ""


def _shown(cap: int | None) -> str:
    return "any" if cap is None else str(cap)
