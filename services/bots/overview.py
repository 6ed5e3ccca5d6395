"""The fleet at a glance: how many bots are in each stage, state and tier, on which bars, and with which alerts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session

from fleet.bot_filter import BotFilter
from fleet.bot_now import AlertCode
from fleet.closed_sets import BotState, DataLabel, Stage, Tier
from sql.queries.bots import listing
from sql.queries.bots.listing import BotCount


@dataclass(frozen=True, slots=True)
class LabelTotal:
    """The bots whose metrics rest on one kind of bars, and the sum of their net P&L, USD."""

    bots: int
    net_pnl: Decimal


@dataclass(frozen=True, slots=True)
class FleetOverview:
    """Counts of the active bots; every stage, state, tier and label is present. alerts: bots by code, without zeros.

    not_scored, not_graded: bots without a tier, and without metrics since their last reset.
    """

    total: int
    archived: int
    by_stage: Mapping[Stage, int]
    by_state: Mapping[BotState, int]
    by_autonomy_tier: Mapping[Tier, int]
    not_scored: int
    by_data_label: Mapping[DataLabel, LabelTotal]
    not_graded: int
    alerts: Mapping[str, int]


def fleet_overview(session: Session) -> FleetOverview:
    """Return the fleet's counts, in two queries."""
    found = listing.counts(session)
    stages, states, tiers = (_by_value(found, kind) for kind in ("stage", "state", "tier"))
    labels = {row.value: row for row in found if row.kind == "label"}
    alerts = Counter({code: bots for code, bots in _by_value(found, "failure").items() if code is not None})
    alerts.update({code: bots for code, bots in _by_value(found, "lock").items() if code is not None})
    if DataLabel.SIMULATED in labels:
        alerts[AlertCode.SIMULATED_DATA] = labels[DataLabel.SIMULATED].bots
    return FleetOverview(
        total=sum(stages.values()),
        archived=listing.count_bots(session, BotFilter(archived=True)),
        by_stage={stage: stages.get(stage, 0) for stage in Stage},
        by_state={state: states.get(state, 0) for state in BotState},
        by_autonomy_tier={tier: tiers.get(tier, 0) for tier in Tier},
        not_scored=tiers.get(None, 0),
        by_data_label={label: _total(labels.get(label)) for label in DataLabel},
        not_graded=labels[None].bots if None in labels else 0,
        alerts=dict(sorted(alerts.items())),
    )


def count_bots(session: Session, which: BotFilter) -> int:
    """Return how many bots a filter matches."""
    return listing.count_bots(session, which)


def _by_value(found: Sequence[BotCount], kind: str) -> dict[str | None, int]:
    return {row.value: row.bots for row in found if row.kind == kind}


def _total(row: BotCount | None) -> LabelTotal:
    return LabelTotal(row.bots, row.net_pnl) if row else LabelTotal(0, Decimal(0))
