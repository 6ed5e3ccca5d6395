"""Reports to Dagster how the fleet does in each check, after everything that materializes a bot.

Dagster shows a check as not evaluated as soon as its asset is materialized once more, by any run. So each path that
materializes reports too, and the sensor `fleet_checks` reports what is left: it compares what is shown with what is.
"""

from collections.abc import Sequence
from uuid import UUID

from dagster import AssetCheckEvaluation, DagsterInstance

from assets.bot_checks import judge_fleet
from assets.event_speed import checks_shown, report_checks
from services.proof.checks import judge_bots, judge_pending
from sql.engine import Transactions


def report_bots(instance: DagsterInstance, tx: Transactions, bot_ids: Sequence[UUID], *, sum_raw: bool) -> None:
    """Judge bots that were made just now, and report how the fleet stands. sum_raw: sum their raw rows at once too."""
    judge_bots(tx, bot_ids, sum_raw=sum_raw)
    with tx() as session:
        fleet = judge_fleet(session)
    report_checks(instance, fleet.judged)


def keep_bots(instance: DagsterInstance, tx: Transactions) -> int:
    """Judge what is left to judge, and report what Dagster doesn't show as it is; return how many checks."""
    judge_pending(tx)
    with tx() as session:
        fleet = judge_fleet(session)
    return keep(instance, fleet.judged, fleet.empty)


def keep(
    instance: DagsterInstance, judged: Sequence[AssetCheckEvaluation], empty: Sequence[AssetCheckEvaluation] = ()
) -> int:
    """Report those evaluations that Dagster doesn't show; return how many.

    empty: of nothing; reported only where something was shown before.
    """
    shown = checks_shown(instance, [one.asset_check_key for one in (*judged, *empty)])
    wanted = [*judged, *(one for one in empty if one.asset_check_key in shown)]
    changed = [one for one in wanted if not _same(shown.get(one.asset_check_key), one)]
    report_checks(instance, changed)
    return len(changed)


def _same(shown: AssetCheckEvaluation | None, now: AssetCheckEvaluation) -> bool:
    if shown is None:
        return False
    return (shown.passed, shown.description, shown.metadata) == (now.passed, now.description, now.metadata)
