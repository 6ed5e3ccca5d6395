"""Plans the work of every LAB bot: every ten seconds, and at once after a reset or a stage change.

Nothing hangs on a tick: what is due is found by the state the fleet is in, so one that is late, doubled or made by a
second daemon changes nothing more.
"""

import json
from typing import Final

from dagster import DefaultSensorStatus, ResourceParam, SensorEvaluationContext, SkipReason, sensor

from assets import reset_backfill
from assets.domain import Domain
from core.settings import get_settings
from fleet.closed_sets import TickCause
from orchestration.sensors.loops import LOOPS, noted
from services.planner.tick import is_unseen, prune_ticks, run_tick
from services.resets.recent import bots_of_reset, recent_resets

DAEMON_JITTER_S: Final = 2  # the daemon looks every 5 s or so: with an interval of 10 s it would be 15
TICK: Final = "autonomy_tick"
STAGE_CHANGE: Final = "stage_change"
METRICS_RESET: Final = "metrics_reset"
MOST_AT_ONCE: Final = 10  # resets that are given a backfill in one round


@sensor(
    name=TICK,
    description="Plans: baselines, refreshes, retries and improvements that are due, and a reason for all others.",
    minimum_interval_seconds=max(1, get_settings().planner_tick_seconds - DAEMON_JITTER_S),
    default_status=DefaultSensorStatus.RUNNING,
)
def autonomy_tick(_context: SensorEvaluationContext, domain: ResourceParam[Domain]) -> SkipReason:
    """Plan, and delete what is older than a week."""
    with noted(domain, TICK) as this:
        this.message = _planned(domain, TickCause.CLOCK)
        prune_ticks(domain.tx)
    return SkipReason(this.message)


@sensor(
    name=STAGE_CHANGE,
    description="Plans at once when a bot was made, promoted, demoted or moved back to LAB.",
    minimum_interval_seconds=2,
    default_status=DefaultSensorStatus.RUNNING,
)
def stage_change(_context: SensorEvaluationContext, domain: ResourceParam[Domain]) -> SkipReason:
    """Plan if a bot changed its stage since the last tick."""
    with noted(domain, STAGE_CHANGE) as this:
        changed = is_unseen(domain.tx, TickCause.STAGE_CHANGE)
        this.message = _planned(domain, TickCause.STAGE_CHANGE) if changed else "No bot changed its stage."
    return SkipReason(this.message)


@sensor(
    name=METRICS_RESET,
    description="Plans at once when metrics were reset.",
    minimum_interval_seconds=2,
    default_status=DefaultSensorStatus.RUNNING,
)
def metrics_reset(context: SensorEvaluationContext, domain: ResourceParam[Domain]) -> SkipReason:
    """Plan if metrics were reset since the last tick, and add a backfill for the reset."""
    with noted(domain, METRICS_RESET) as this:
        was_reset = is_unseen(domain.tx, TickCause.METRICS_RESET)
        this.message = _planned(domain, TickCause.METRICS_RESET) if was_reset else "Nothing was reset."
        this.message += _followed(context, domain)
    return SkipReason(this.message)


def _followed(context: SensorEvaluationContext, domain: Domain) -> str:
    """Give each reset of the last hour its backfill, after its jobs are queued.

    The cursor holds those already handled, so that each is handled once; without it they are found in Dagster.
    """
    with domain.tx() as session:
        resets = recent_resets(session)
    seen = set(json.loads(context.cursor)) if context.cursor else set()
    fresh = [reset for reset in resets if str(reset.request_id) not in seen][:MOST_AT_ONCE]
    graph = context.repository_def.asset_graph if context.repository_def else None
    if not fresh or graph is None:
        return ""
    with domain.tx() as session:
        bots = {reset.request_id: bots_of_reset(session, reset.request_id) for reset in fresh}
    made = sum(
        reset_backfill.follow(context.instance, graph, domain.tx, reset, bots[reset.request_id]) for reset in fresh
    )
    seen |= {str(reset.request_id) for reset in fresh}
    context.update_cursor(json.dumps([str(one.request_id) for one in resets if str(one.request_id) in seen]))
    return f" {made} backfills were added."


def _planned(domain: Domain, cause: TickCause) -> str:
    made = run_tick(domain.tx, domain.planner, cause=cause)
    if made is None:
        return "Another planner tick is running."
    return (
        f"{made.summary['bots_evaluated']} bots evaluated, {made.jobs_enqueued} jobs queued, "
        f"{len(made.promoted)} bots promoted, {made.decisions_changed} decisions changed."
    )


assert {TICK, STAGE_CHANGE, METRICS_RESET} <= LOOPS.keys()  # noqa: S101 - a loop nobody watches would stop unseen
