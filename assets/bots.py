"""The assets of a bot: its backtest, its metrics and its score, made in one step because they are one transaction.

Grading (`services.backtests.grade`) writes session, trades, equity, rollup and score together; a bot that fails has
none of them, and fails alone. So one op carries the three assets, reports each bot apart, and names at the end who
failed.
Materialized without `baseline_backtests`, rollups and scores are derived again from raw rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from dagster import (
    AllPartitionMapping,
    AssetCheckResult,
    AssetDep,
    AssetExecutionContext,
    AssetMaterialization,
    AssetSpec,
    BackfillPolicy,
    Failure,
    MetadataValue,
    ResourceParam,
    multi_asset,
)

from assets.bot_checks import BASELINES, ROLLUPS, RULES, SCORES, judge
from assets.bot_events import made_of
from assets.check_reports import report_bots
from assets.domain import Domain
from assets.event_speed import publish, quicken
from assets.failures import failure
from assets.partitions import BOTS, bots_of
from assets.run_counts import note_counts
from assets.standing import BotRecord, read_curve, read_standing
from core.clock import utc_now
from core.errors import ErrorCode, GantryError
from core.trace import is_trace_id, tracing
from services.backtests.chunk import GradedBot
from services.backtests.grade import grade_bots
from services.backtests.rollups import refresh_rollup
from services.backtests.scores import refresh_score
from services.bots.keys import active_bots
from services.code_version import code_version

TRACE_TAG: Final = "gantry/trace_id"
RESET_TAG: Final = "gantry/reset"
RUN_SIZE: Final = 256  # bots in one run of a backfill
MOST_PICTURES: Final = 20  # a picture takes 0.1 s and 15 kB; a run of more bots shows numbers only
OWNERS: Final = ["team:gantry"]
GROUP: Final = "bots"


@multi_asset(
    name="bot_grades",
    description="Grade bots: backtest, metrics and score of each, in one transaction a bot.",
    specs=[
        AssetSpec(
            BASELINES,
            deps=[AssetDep("historical_bars", partition_mapping=AllPartitionMapping())],
            description=(
                "The newest completed backtest of a bot's current version in the current epoch: session, trades and "
                "equity, insert-only. `bars_hash` says exactly which bars it read."
            ),
            kinds={"python", "postgres"},
            skippable=True,
            owners=OWNERS,
            group_name=GROUP,
            code_version=code_version(),
        ),
        AssetSpec(
            ROLLUPS,
            deps=[BASELINES],
            description="Metrics of a bot since its last reset, derived from raw trades and equity alone.",
            kinds={"postgres"},
            skippable=True,
            owners=OWNERS,
            group_name=GROUP,
            code_version=code_version(),
        ),
        AssetSpec(
            SCORES,
            deps=[ROLLUPS],
            description="A bot's autonomy score, 0 to 100, with its five parts, its tier and what holds it down.",
            kinds={"postgres"},
            skippable=True,
            owners=OWNERS,
            group_name=GROUP,
            code_version=code_version(),
        ),
    ],
    check_specs=[rule.spec for rule in RULES],
    partitions_def=BOTS,
    backfill_policy=BackfillPolicy.multi_run(RUN_SIZE),
    can_subset=True,
)
def bot_grades(context: AssetExecutionContext, domain: ResourceParam[Domain]) -> Iterator[AssetCheckResult]:
    """Grade, derive, report: one materialization a bot and asset, then the checks, then a Failure naming who failed.

    The run's own results are of its bots; what is shown of a check afterwards is of the fleet.
    """
    quicken(context.instance)
    bot_ids, unknown = bots_of_run(context, domain)
    with tracing(trace_of(context)):
        made = _make(context, domain, bot_ids)
        failed = unknown | {str(bot_id): why for bot_id, why in made.items()}
        standings = tuple(read_standing(domain.tx, bot_id, now=utc_now()) for bot_id in bot_ids if bot_id not in made)
        pictured = len(bot_ids) <= MOST_PICTURES
        events = [made for bot in standings for made in _made_of(context, domain, bot, with_picture=pictured)]
        publish(context.op_execution_context, events)
        for rule in RULES:
            if rule.spec.key in context.selected_asset_check_keys and standings:
                yield judge(rule, standings)
        report_bots(context.instance, domain.tx, [one.bot.id for one in standings], sum_raw=True)
    note_counts(context.op_execution_context, done=len(bot_ids) + len(unknown), failed=len(failed))
    if failed:
        raise failed_bots(failed, len(bot_ids) + len(unknown))


def bots_of_run(context: AssetExecutionContext, domain: Domain) -> tuple[tuple[UUID, ...], dict[str, str]]:
    """Return the bots of the run's partitions in their order, and why others can't be worked on, by key."""
    found = bots_of(domain.tx, context.partition_keys)
    unknown = {
        key: f"{ErrorCode.NOT_FOUND}: No bot has this partition." for key in context.partition_keys if key not in found
    }
    return tuple(found[key] for key in context.partition_keys if key in found), unknown


def _make(context: AssetExecutionContext, domain: Domain, bot_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Do the work of the selected assets; return what went wrong, by bot."""
    selected = context.selected_asset_keys
    gone = not_active(domain, bot_ids)
    present = tuple(bot_id for bot_id in bot_ids if bot_id not in gone)
    if BASELINES in selected:
        return gone | _grade(context, domain, present)
    for bot_id in present:
        with domain.tx() as session:
            if ROLLUPS in selected:
                refresh_rollup(session, bot_id, now=utc_now())
            if SCORES in selected:
                refresh_score(session, bot_id, now=utc_now())
    return gone


def not_active(domain: Domain, bot_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return which bots were archived since the run was requested, so that the others still run."""
    with domain.tx() as session:
        active = set(active_bots(session))
    return {bot_id: f"{ErrorCode.NOT_FOUND}: No active bot has this id." for bot_id in bot_ids if bot_id not in active}


def _grade(context: AssetExecutionContext, domain: Domain, bot_ids: Sequence[UUID]) -> dict[UUID, str]:
    def on_progress(bot: GradedBot) -> None:
        context.log.info(
            f"{bot.bot_id}: {bot.status}" + (f", {bot.error.code}: {bot.error.message}" if bot.error else "")
        )
        domain.on_graded(bot)

    try:
        report = grade_bots(
            domain.tx,
            domain.store,
            bot_ids,
            run_id=context.run.run_id,
            actor=domain.actor,
            now=utc_now(),
            on_progress=on_progress,
            # A reset's baselines are planned and pulled too: what a worker graded meanwhile is not graded once more.
            terms=replace(domain.terms, only_missing=RESET_TAG in context.run.tags),
        )
    except GantryError as error:
        raise failure(error) from error
    return {bot.bot_id: _why(bot) for bot in report.failed}


def _made_of(
    context: AssetExecutionContext, domain: Domain, standing: BotRecord, *, with_picture: bool
) -> Iterator[AssetMaterialization]:
    selected, curve = context.selected_asset_keys, None
    if with_picture and standing.session is not None and BASELINES in selected:
        curve = read_curve(domain.tx, standing.bot.id, standing.session.id)
    return made_of(standing, selected, curve)


def _why(bot: GradedBot) -> str:
    if bot.error is None:
        return str(bot.status)
    return f"{bot.error.code}: {bot.error.message} Fix: {bot.error.fix}"


def failed_bots(failed: Mapping[str, str], asked: int) -> Failure:
    """Return the failure of a run in which these bots failed: why, by bot."""
    first = next(iter(failed.items()))
    return Failure(
        f"{len(failed)} of {asked} bots failed; the others are done. {first[0]}: {first[1]}",
        metadata={
            "jobs_done": asked,
            "jobs_failed": len(failed),
            "failed": MetadataValue.json(dict(failed)),
        },
        allow_retries=False,
    )


def trace_of(context: AssetExecutionContext) -> str | None:
    """Return the trace id of what requested the run, or the run's own id, which has the same form."""
    asked = context.run.tags.get(TRACE_TAG, "")
    own = context.run.run_id.replace("-", "")
    return next((text for text in (asked, own) if is_trace_id(text)), None)
