"""`gantry admin`: reset-metrics, revert-to-lab. --dry-run previews, --yes confirms."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.actor import ADMIN
from cli.console import print_json, say
from cli.database import bot_id_of, database
from cli.options import AsJson, DryRun, member_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session

app = typer.Typer(add_completion=False, help="Bulk changes: reset-metrics, revert-to-lab.", no_args_is_help=True)
Bots = Annotated[list[str] | None, typer.Option("--bot", help="Only this bot, by id or name; may be repeated.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


@app.command("reset-metrics")
def reset(
    *,
    scope: Annotated[str, typer.Option(help="ALL, BACKTEST_ONLY, PAPER_ONLY or LIVE_ONLY.")] = "ALL",
    bot: Bots = None,
    reason: Annotated[str | None, typer.Option(help="Reason code of the audit rows.")] = None,
    keep_equity: Annotated[bool, typer.Option("--keep-equity", help="Keep equity curves as they are.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Reset metrics: they count from now on. Raw results are kept; covered bots get a new baseline."""
    from core.clock import utc_now
    from fleet.closed_sets import MetricsScope
    from fleet.resets import RESET_REASON
    from services.resets.reset import ResetRequest, reset_metrics
    from shapes.resets import ResetMetricsBody

    covered = member_of(MetricsScope, scope, field="scope")
    _agree("Reset the metrics", bot, dry_run=dry_run, yes=yes)
    with database() as session:
        asked = ResetRequest(covered, _ids(session, bot), reason or RESET_REASON, not keep_equity)
        report = reset_metrics(session, asked, dry_run=dry_run, actor=ADMIN, now=utc_now())
    if as_json:
        print_json(ResetMetricsBody.of(report))
    else:
        from cli.admin_shown import show_reset

        show_reset(report)
        would = "would be reset" if dry_run else "were reset"
        say(f"Metrics of {len(report.bots)} bots {would} ({scope}); request {report.request_id}.")


@app.command("revert-to-lab")
def revert(
    *,
    bot: Bots = None,
    lock_hours: Annotated[int, typer.Option(help="How long the stage stays locked.")] = 24,
    reason: Annotated[str | None, typer.Option(help="Reason code of the audit rows.")] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Move bots back to LAB with manual promotion; their jobs are canceled."""
    from core.clock import utc_now
    from fleet.resets import REVERT_REASON
    from services.resets.revert import revert_to_lab
    from shapes.resets import RevertToLabBody

    _agree("Move back to LAB", bot, dry_run=dry_run, yes=yes)
    with database() as session:
        report = revert_to_lab(
            session,
            _ids(session, bot),
            lock_hours=lock_hours,
            reason_code=reason or REVERT_REASON,
            dry_run=dry_run,
            actor=ADMIN,
            now=utc_now(),
        )
    if as_json:
        print_json(RevertToLabBody.of(report, named=bool(bot)))
    else:
        from cli.admin_shown import show_revert

        show_revert(report)
        would = "would go" if dry_run else "went"
        before = ", ".join(f"{count} in {stage}" for stage, count in report.stage_counts_before.items() if count)
        say(f"{len(report.bots)} bots {would} back to LAB ({before or 'none'}); request {report.request_id}.")


def _ids(session: Session, named: Sequence[str] | None) -> tuple[UUID, ...] | None:
    return None if not named else tuple(bot_id_of(session, one) for one in named)


def _agree(what: str, named: Sequence[str] | None, *, dry_run: bool, yes: bool) -> None:
    """Ask for confirmation on a terminal; elsewhere require --yes."""
    if dry_run or yes:
        return
    of = f"of {len(named)} bots" if named else "of ALL bots"
    if not sys.stdin.isatty():
        from core.errors import invalid

        raise invalid(f"{what} {of}: confirmation is required.", fix="Pass --yes or --dry-run.", field="yes")
    typer.confirm(f"{what} {of}?", abort=True, err=True)
