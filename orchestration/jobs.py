"""Jobs of Dagster, by name."""

from typing import Final

from dagster import AssetSelection, define_asset_job

from assets.bot_checks import BASELINES, ROLLUPS, SCORES

GRADE_BOTS: Final = "grade_bots"

grade_bots = define_asset_job(
    GRADE_BOTS,
    selection=AssetSelection.assets(BASELINES, ROLLUPS, SCORES),
    description="Grade bots: backtest, metrics and score, with their checks.",
)
