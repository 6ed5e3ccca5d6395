"""How `gantry autonomy` shows ticks, decisions and loops: tables."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from cli.console import say
from cli.tables import print_table, table_of
from services.planner.status import SchedulerStatus
from services.planner.ticks import DecisionRow, TickProof

COLOURS: Mapping[str, str] = {"OK": "green", "FAILING": "bold red", "STOPPED": "bold red", "NEVER": "yellow"}


def show_tick(run: TickProof) -> None:
    """Print a tick's counts; those that are 0 are left out."""
    summary = run.summary
    took_ms = (run.finished_at - run.started_at).total_seconds() * 1000
    say(f"Last tick {run.started_at:%Y-%m-%d %H:%M:%S}Z ({run.cause}, {took_ms:.0f} ms, trace {run.trace_id})")
    say(f"  bots evaluated   {summary['bots_evaluated']}")
    say(f"  jobs queued      {run.jobs_enqueued}{_listed(summary['jobs_enqueued_by_type'])}")
    say(f"  running          {_listed(summary['currently_running_jobs_by_type']).removeprefix(': ') or 'none'}")
    caps = ", ".join(f"{name} {_shown(cap)}" for name, cap in sorted(summary["concurrency_caps"].items()))
    say(f"  caps             {caps}")
    say(f"  no job because   {_listed(summary['not_enqueued_reasons']).removeprefix(': ') or '-'}")
    say(f"  not started      {_listed(summary['not_started_reasons']).removeprefix(': ') or '-'}")


def show_loops(status: SchedulerStatus) -> None:
    """Print a table of loops."""
    table = table_of(("loop", "health", "last round", "every", "message"), wrapped=("message",))
    for loop in status.loops:
        ago = "never" if loop.age_s is None else f"{loop.age_s:.1f} s ago"
        health = Text(loop.health, style=COLOURS[loop.health])
        table.add_row(loop.loop, health, ago, f"{loop.every_s:g} s", loop.error or loop.message or "")
    print_table(table)


def show_decisions(rows: Sequence[DecisionRow]) -> None:
    """Print a table of decisions."""
    table = table_of(("bot", "symbol", "stage", "job", "reason", "can't start because", "since", "job id"))
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
    print_table(table)


def _listed(counts: Mapping[str, int]) -> str:
    reported = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f": {reported}" if reported else ""


def _shown(cap: int | None) -> str:
    return "any" if cap is None else str(cap)
