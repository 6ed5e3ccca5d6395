"""Reports to Dagster the months of bars that came in outside of it: imports and simulations by the command line.

The cursor is what was reported: content by partition. It is compared with the catalogue's present state, never used as
"everything newer than": a month committed late would be skipped.
"""

import json
from collections.abc import Mapping
from typing import Final

from dagster import (
    AssetMaterialization,
    DefaultSensorStatus,
    ResourceParam,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from assets.bars import MonthFacts, month_made, read_months
from assets.domain import Domain
from orchestration.sensors.loops import noted

MOST_AT_ONCE: Final = 200
HASH_DIGITS: Final = 12


def unreported(months: tuple[MonthFacts, ...], reported: Mapping[str, str]) -> tuple[MonthFacts, ...]:
    """Return the months whose content Dagster doesn't know, at most 200, oldest first."""
    fresh = [month for month in months if reported.get(str(month.partition.key)) != month.content_hash[:HASH_DIGITS]]
    return tuple(fresh[:MOST_AT_ONCE])


@sensor(
    description="Reports months of bars that were imported or simulated outside Dagster as materialized.",
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
    fresh = unreported(months, reported)
    if not fresh:
        return SkipReason(f"{len(months)} months of bars, all reported.")
    reported |= {str(month.partition.key): month.content_hash[:HASH_DIGITS] for month in fresh}
    events: list[AssetMaterialization] = [month_made(month) for month in fresh]
    return SensorResult(asset_events=events, cursor=json.dumps(reported))
