"""What Dagster loads: assets, checks, the job, sensors and resources."""

from dagster import Definitions, in_process_executor

from assets.bars import bars_fit_for_backtests, historical_bars
from assets.bots import bot_grades
from assets.improve import improvements
from orchestration.jobs import grade_bots, worker
from orchestration.resources import domain_resource
from orchestration.sensors.bars_months import bars_months
from orchestration.sensors.bot_partitions import bot_partitions
from orchestration.sensors.fleet_checks import fleet_checks
from orchestration.sensors.planner import autonomy_tick, metrics_reset, stage_change
from orchestration.sensors.workers import workers_alive

defs = Definitions(
    assets=[historical_bars, bot_grades, improvements],
    asset_checks=[bars_fit_for_backtests],
    jobs=[grade_bots, worker],
    sensors=[bot_partitions, workers_alive, bars_months, fleet_checks, autonomy_tick, stage_change, metrics_reset],
    resources={"domain": domain_resource},
    # One process a run: 2.3 s against 4.6 s with a process a step.
    executor=in_process_executor,
)
