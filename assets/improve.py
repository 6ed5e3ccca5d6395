"""The asset `improvements`: what was tried on a bot, and its result, adopted or not.

Workers improve bots as the planner asks for it; materialized from the UI, this requests a job for each bot and runs
those that are queued. An improvement that adopts nothing is a result like any other; only one without a verdict fails.
"""

from collections.abc import Iterator

from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    AssetSpec,
    BackfillPolicy,
    ResourceParam,
    multi_asset,
)

from assets.bot_checks import ROLLUPS
from assets.bots import GROUP, OWNERS, RUN_SIZE, bots_of_run, failed_bots, not_active, trace_of
from assets.domain import Domain
from assets.event_speed import publish, quicken
from assets.failures import failure
from assets.improve_events import IMPROVEMENTS, improvements_made
from assets.partitions import BOTS
from assets.run_counts import note_counts
from core.errors import GantryError
from core.trace import tracing
from services.code_version import code_version
from services.improve.bots import improve_bots
from services.improve.run import ImprovedBot


@multi_asset(
    name="bot_improvements",
    description="Improve bots: a search by walk-forward, its verdict, and a new version where it won.",
    specs=[
        AssetSpec(
            IMPROVEMENTS,
            deps=[ROLLUPS],
            description=(
                "The newest improvement of a bot: what was tried, old and new side by side, every check of the "
                "verdict, and the version it created, if any."
            ),
            kinds={"python", "numba", "postgres"},
            skippable=True,
            owners=OWNERS,
            group_name=GROUP,
            code_version=code_version(),
        )
    ],
    partitions_def=BOTS,
    backfill_policy=BackfillPolicy.multi_run(RUN_SIZE),
)
def improvements(context: AssetExecutionContext, domain: ResourceParam[Domain]) -> Iterator[AssetCheckResult]:
    """Improve, report each bot as it ends, then raise a Failure naming the bots without a verdict."""
    quicken(context.instance)
    bot_ids, unknown = bots_of_run(context, domain)

    def on_progress(bot: ImprovedBot) -> None:
        publish(context.op_execution_context, improvements_made(domain.tx, [bot]))
        message = f", {bot.error.code}: {bot.error.message}" if bot.error else f", {bot.verdict}"
        context.log.info(f"{bot.bot_id}: {bot.job_type} {bot.status}{message}")

    with tracing(trace_of(context)):
        gone = not_active(domain, bot_ids)
        try:
            ended = improve_bots(
                domain.tx,
                domain.store,
                [bot_id for bot_id in bot_ids if bot_id not in gone],
                run_id=context.run.run_id,
                actor=domain.actor,
                terms=domain.terms,
                on_progress=on_progress,
            )
        except GantryError as error:
            raise failure(error) from error
    gone |= {bot.bot_id: f"{bot.error.code}: {bot.error.message} Fix: {bot.error.fix}" for bot in ended if bot.error}
    failed = unknown | {str(bot_id): why for bot_id, why in gone.items()}
    note_counts(context.op_execution_context, done=len(bot_ids) + len(unknown), failed=len(failed))
    if failed:
        raise failed_bots(failed, len(bot_ids) + len(unknown))
    yield from ()  # a generator, as `multi_asset` without an output asks for: events were already written per bot
