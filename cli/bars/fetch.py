"""`gantry bars fetch` and `gantry bars gaps`: months from vendors, with their cost, and what is missing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.actor import OPERATOR
from cli.console import note, print_json
from cli.database import opened
from cli.options import AsJson
from core.words import counted

if TYPE_CHECKING:
    from services.supply.fetch import FetchedReport
    from services.supply.fetch_plan import FetchPlan


def fetch_bars(
    symbols: Annotated[list[str], typer.Argument(help="Such as ES 6E.")],
    *,
    start: Annotated[str | None, typer.Option("--from", help="First month; HISTORY_MONTHS ago by default.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last month; the last full one by default.")] = None,
    provider: Annotated[str | None, typer.Option(help="Use only this provider instead of all configured ones.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Fetch months again that are already there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask before spending money.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch missing months from a vendor; the cost is shown first. Run it again to continue after an interruption.

    Exit code 1 if a month failed.
    """
    from cli.bars.shown import show_fetched
    from cli.progress import shown_progress
    from core.clock import utc_now
    from core.settings import get_settings
    from integrations.registry import BARS_VENDORS, bars_vendor, configured_vendors
    from services.supply.fetch import Fetcher, FetchStatus, no_provider
    from services.supply.fetch_plan import plan_fetch
    from services.supply.sources import sources_of
    from trading.months import full_months_before

    settings, now = get_settings(), utc_now()
    asked = BARS_VENDORS if provider is None else (bars_vendor(provider),)
    end = end or full_months_before(now, 1)[0]
    with opened(pool_size=10) as home:
        sources = sources_of(settings, home.tx, [one for one in configured_vendors(settings) if one in asked])
        if not sources:
            raise no_provider(asked)
        plan = plan_fetch(home.tx, sources, symbols, start=start, end=end, months=settings.history_months, again=again)
        if plan.missing:
            _agree(plan, yes=yes, limit=settings.max_fetch_cost_usd)
        with shown_progress() as progress:
            fetcher = Fetcher(home.tx, home.store, plan.sources, OPERATOR, utc_now, again=again)
            reports = fetcher.fetch(plan.missing, progress)
    if as_json:
        print_json([_fields(report) for report in reports])
    else:
        show_fetched(reports, len(plan.there))
    failed = sum(report.status is FetchStatus.FAILED for report in reports)
    if failed:
        note(f"{failed} of {len(reports)} months failed. Fix: see above, then run the same command again.")
        raise typer.Exit(1)


def show_gaps(
    symbol: Annotated[str | None, typer.Argument(help="Only this symbol, such as ES.")] = None, as_json: AsJson = False
) -> None:
    """Show what is missing: months between the first and the last, sessions, and the longest gaps in sessions."""
    from cli.bars.shown import show_gap_report
    from core.clock import utc_now
    from services.bars.verdicts.gaps import gap_report

    with opened() as home:
        report = gap_report(home.tx, utc_now(), symbol=symbol)
    if as_json:
        print_json(report)
    else:
        show_gap_report(report)


def _agree(plan: FetchPlan, *, yes: bool, limit: float) -> None:
    """Show the cost, ask on a terminal, and never spend more than the limit without asking."""
    from decimal import Decimal

    from services.supply.affordable import too_dear
    from trading.digits import usd_text

    cost = "by subscription" if plan.cost_usd is None else f"{usd_text(plan.cost_usd)} USD"
    records = "" if plan.records is None else f", {counted(plan.records, 'bar')}"
    missing = counted(len(plan.missing), "month")
    note(f"{missing} from {plan.provider}{records}: {cost}. Already there: {len(plan.there)}.")
    if yes or not plan.cost_usd:
        return
    if sys.stdin.isatty():
        typer.confirm("Fetch them?", abort=True, err=True)
    elif float(plan.cost_usd) > limit:
        months = sorted(month for _symbol, month in plan.missing)
        raise too_dear(plan.missing[0][0], months, plan.cost_usd, Decimal(str(limit)))


def _fields(report: FetchedReport) -> dict[str, object]:
    error = report.error
    return {
        "symbol": report.symbol,
        "month": report.month,
        "status": report.status,
        "provider": report.provider,
        "bars_count": report.bars_count,
        "content_hash": report.content_hash,
        "quality": report.quality,
        "error": None if error is None else {"code": error.code, "message": error.message, "fix": error.fix},
    }
