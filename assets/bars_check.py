"""The check of bars, judged over the months in use: which are blocked, or were found unfit by Great Expectations.

The catalogue says which months are blocked. What Great Expectations found stands in the evaluations alone: each new one
takes over what the last one says of months whose content is still in use.
"""

from collections.abc import Sequence
from typing import Any, Final

from dagster import AssetCheckEvaluation, AssetCheckKey, DagsterInstance, MetadataValue

from assets.event_speed import last_evaluation, report_checks
from assets.months import BARS, MonthFacts, read_months
from fleet.closed_sets import QualityVerdict
from sql.engine import Transactions

BARS_CHECK: Final = AssetCheckKey(BARS, "bars_fit_for_backtests")
MOST_NAMED: Final = 20
_UNFIT: Final = "unfit"
_CATALOGUE, _EXPECTATIONS = "catalogue", "great_expectations"


def report_bars(instance: DagsterInstance, tx: Transactions, found: Sequence[tuple[MonthFacts, str]] = ()) -> None:
    """Report how the months in use stand. found: what was found of months just now, "" where one is fit."""
    months = read_months(tx)
    if months:
        report_checks(instance, [judge_months(instance, months, found)])


def judge_months(
    instance: DagsterInstance, months: Sequence[MonthFacts], found: Sequence[tuple[MonthFacts, str]] = ()
) -> AssetCheckEvaluation:
    """Return the evaluation over these months, all that are in use."""
    known = _known(instance) | {(month.partition.key, month.content_hash): why for month, why in found}
    unfit = [row for month in months if (row := _unfit(month, known))]
    named = [f"{row['partition']} ({row['reason']})" for row in unfit[:MOST_NAMED]]
    more = f" and {len(unfit) - len(named):,} more" if len(unfit) > len(named) else ""
    return AssetCheckEvaluation(
        BARS,
        BARS_CHECK.name,
        passed=not unfit,
        description=f"{len(unfit):,} of {len(months):,} months are unfit: {', '.join(named)}{more}."
        if unfit
        else f"0 of {len(months):,} months are unfit.",
        metadata={
            "months_checked": len(months),
            "months_failed": len(unfit),
            _UNFIT: MetadataValue.json(unfit),
        },
    )


def _unfit(month: MonthFacts, known: dict[tuple[str, str], str]) -> dict[str, str]:
    """Return what is wrong with a month; empty where nothing is."""
    content = {"partition": month.partition.key, "content_hash": month.content_hash}
    if month.quality == QualityVerdict.BLOCKED:
        problems = ", ".join(problem["code"] for problem in month.quality_report.get("problems", []))
        return content | {"reason": f"blocked: {problems or 'no reason is stored'}", "found_by": _CATALOGUE}
    why = known.get((month.partition.key, month.content_hash))
    return content | {"reason": why, "found_by": _EXPECTATIONS} if why else {}


def _known(instance: DagsterInstance) -> dict[tuple[str, str], str]:
    """Return what Great Expectations found, as far as the last evaluation says, by partition and content."""
    last = last_evaluation(instance, BARS_CHECK)
    listed = last.metadata.get(_UNFIT) if last is not None else None
    rows: Any = listed.value if listed is not None else []
    return {(row["partition"], row["content_hash"]): row["reason"] for row in rows if row["found_by"] == _EXPECTATIONS}
