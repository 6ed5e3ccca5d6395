"""Materialize bots in this process, through the same assets as the Dagster UI does; for `gantry demo` and tests."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from dagster import AssetSelection, DagsterInstance, ExecuteInProcessResult, materialize

from assets.bars import historical_bars
from assets.bot_checks import BASELINES, ROLLUPS, SCORES
from assets.bots import RUN_SIZE, bot_grades
from assets.domain import Domain
from assets.partitions import BOTS, add_keys, keys_of, present_keys
from assets.ranges import KeyRange, ranges
from integrations.store import BarsStore
from services.backtests.chunk import GradedBot
from services.bots.keys import require_active_bots
from services.jobs.terms import GradeTerms
from sql.engine import Transactions

RANGE_START_TAG: Final = "dagster/asset_partition_range_start"
RANGE_END_TAG: Final = "dagster/asset_partition_range_end"


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """An asset check that didn't pass: its asset and name, and its message per bot."""

    asset: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Materialized:
    """The result: Dagster's runs in order, each bot in order of ending, and the checks that didn't pass."""

    run_ids: tuple[str, ...]
    bots: tuple[GradedBot, ...]
    failed_checks: tuple[FailedCheck, ...]
    ok: bool


def materialize_bots(
    bot_ids: Sequence[UUID],
    *,
    tx: Transactions,
    store: BarsStore,
    instance: DagsterInstance | None = None,
    actor: str = "dagster",
    on_graded: Callable[[GradedBot], None] | None = None,
    terms: GradeTerms = GradeTerms(),  # noqa: B008 - frozen
) -> Materialized:
    """Materialize baseline_backtests, metric_rollups and autonomy_scores of these bots, one run per range of keys.

    instance: the one of DAGSTER_HOME by default (needs DAGSTER_HOME and GANTRY_DAGSTER_URL in the environment).
    on_graded: called in this process as each bot ends. terms: on which they are graded. A bot that fails is in the
    result; it doesn't raise.

    Raises:
        GantryError: NOT_FOUND for an id without an active bot, before anything is done.

    """
    with tx() as session:
        require_active_bots(session, bot_ids)
    graded: list[GradedBot] = []

    def note(bot: GradedBot) -> None:
        graded.append(bot)
        if on_graded is not None:
            on_graded(bot)

    domain = Domain(tx, store, actor, note, terms)
    with DagsterInstance.get() if instance is None else nullcontext(instance) as chosen:
        named = keys_of(tx, bot_ids)
        keys = [named[bot_id] for bot_id in bot_ids]
        add_keys(chosen, BOTS, keys)
        results = [_run(part, domain, chosen) for part in ranges(present_keys(chosen, BOTS), keys, at_most=RUN_SIZE)]
    return Materialized(
        tuple(result.run_id for result in results),
        tuple(graded),
        tuple(check for result in results for check in _failed_checks(result)),
        all(result.success for result in results),
    )


def _run(part: KeyRange, domain: Domain, instance: DagsterInstance) -> ExecuteInProcessResult:
    return materialize(
        [historical_bars, bot_grades],
        selection=AssetSelection.assets(BASELINES, ROLLUPS, SCORES),
        instance=instance,
        resources={"domain": domain},
        tags={RANGE_START_TAG: part.first, RANGE_END_TAG: part.last},
        raise_on_error=False,
    )


def _failed_checks(result: ExecuteInProcessResult) -> tuple[FailedCheck, ...]:
    return tuple(
        FailedCheck(done.asset_key.to_user_string(), done.check_name, done.description or "")
        for done in result.get_asset_check_evaluations()
        if not done.passed
    )
