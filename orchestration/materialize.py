"""Materialize bots in this process, through the same assets as the Dagster UI does; for `gantry demo` and tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from dagster import DagsterInstance

from integrations.store import BarsStore
from services.grading import GradedBot
from sql.engine import Transactions


@dataclass(frozen=True, slots=True)
class Materialized:
    """What came of it: Dagster's runs in order, and each bot as it was graded, in order of ending."""

    run_ids: tuple[str, ...]
    bots: tuple[GradedBot, ...]

    @property
    def ok(self) -> bool:
        """Whether every bot was graded and every check passed."""
        raise NotImplementedError


def materialize_bots(
    bot_ids: Sequence[UUID],
    *,
    tx: Transactions,
    store: BarsStore,
    instance: DagsterInstance | None = None,
    actor: str = "dagster",
    on_graded: Callable[[GradedBot], None] | None = None,
) -> Materialized:
    """Materialize baseline_backtests, metric_rollups and autonomy_scores of these bots, one run per range of keys.

    instance: the one of DAGSTER_HOME by default (needs DAGSTER_HOME and GANTRY_DAGSTER_URL in the environment).
    on_graded: called in this process as each bot ends. A bot that fails is in the result; it doesn't raise.

    Raises:
        GantryError: NOT_FOUND for an id without a bot, before anything is done.

    """
    raise NotImplementedError
