"""Jobs of Dagster, by name."""

from typing import Final

from dagster import AssetSelection, define_asset_job, job

from assets.bot_checks import BASELINES, ROLLUPS, SCORES
from assets.worker import pull_jobs

GRADE_BOTS: Final = "grade_bots"
WORKER: Final = "worker"

grade_bots = define_asset_job(
    GRADE_BOTS,
    selection=AssetSelection.assets(BASELINES, ROLLUPS, SCORES),
    description="Grade bots: backtest, metrics and score, with their checks.",
)


@job(name=WORKER, description="Pulls queued jobs of the fleet. Started by the sensor `workers`, never by hand.")
def worker() -> None:
    """Run the pull loop."""
    pull_jobs()
