"""Reports months of bars to Dagster: those in use or wanted, as partitions, and those that came in outside of it.

The cursor holds the partitions this sensor added, each with the content that was reported, "" before any was. It is
compared with the catalogue's present state, never used as "everything newer than": a month committed late would be
skipped. A partition that a person added isn't in it, and stays.
"""

import json
from collections.abc import Collection, Mapping
from typing import Final

from dagster import (
    AssetCheckEvaluation,
    AssetMaterialization,
    DefaultSensorStatus,
    ResourceParam,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from assets.bars_check import judge_months
from assets.check_reports import keep
from assets.domain import Domain
from assets.months import MonthFacts, month_made, read_months
from assets.partitions import SYMBOL_MONTHS, SymbolMonth, add_keys, present_keys, remove_keys
from core.clock import utc_now
from orchestration.backfills import is_backfilling
from orchestration.sensors.loops import noted
from services.supply.wanted import months_of_fleet

MOST_AT_ONCE: Final = 200
HASH_DIGITS: Final = 12


def unreported(months: tuple[MonthFacts, ...], reported: Mapping[str, str]) -> tuple[MonthFacts, ...]:
    """Return the months whose content Dagster doesn't know, the first 200, by symbol and month."""
    fresh = [month for month in months if reported.get(month.partition.key) != month.content_hash[:HASH_DIGITS]]
    return tuple(fresh[:MOST_AT_ONCE])


@sensor(
    description="Keeps a partition for each month of bars that is there or wanted; reports those made elsewhere.",
    minimum_interval_seconds=10,
    default_status=DefaultSensorStatus.RUNNING,
)
def bars_months(context: SensorEvaluationContext, domain: ResourceParam[Domain]) -> SensorResult | SkipReason:
    """Compare the catalogue with what was reported, and report the difference."""
    with noted(domain, "bars_months") as this:
        result = _reported(context, domain)
        this.message = result.skip_message or "" if isinstance(result, SkipReason) else "Reported new months."
    return result


def _reported(context: SensorEvaluationContext, domain: Domain) -> SensorResult | SkipReason:
    reported: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
    months = read_months(domain.tx)
    with domain.tx() as session:
        wanted = [SymbolMonth(*each) for each in months_of_fleet(session, domain.supply, utc_now())]
    needed = [one.key for one in sorted({month.partition for month in months} | set(wanted))]
    reported = _partitioned(context, needed, reported)
    fresh = unreported(months, reported)
    evaluation = judge_months(context.instance, months)
    if not fresh:
        keep(context.instance, [evaluation] if months else [], [] if months else [evaluation])
        context.update_cursor(json.dumps(reported))
        return SkipReason(f"{len(months)} months of bars, all reported; {len(needed) - len(months)} more are wanted.")
    reported |= {month.partition.key: month.content_hash[:HASH_DIGITS] for month in fresh}
    events: list[AssetMaterialization | AssetCheckEvaluation] = [*(month_made(month) for month in fresh), evaluation]
    return SensorResult(asset_events=events, cursor=json.dumps(reported))


def _partitioned(
    context: SensorEvaluationContext, needed: Collection[str], reported: Mapping[str, str]
) -> dict[str, str]:
    """Add partitions that are needed, remove those of this sensor that are not; return what is reported then."""
    present = set(present_keys(context.instance, SYMBOL_MONTHS))
    add_keys(context.instance, SYMBOL_MONTHS, [key for key in needed if key not in present])
    gone = reported.keys() - set(needed)
    if gone and is_backfilling(context.instance):
        gone = set()
    remove_keys(context.instance, SYMBOL_MONTHS, gone)
    return {key: content for key, content in reported.items() if key not in gone} | {
        key: "" for key in needed if key not in reported
    }
