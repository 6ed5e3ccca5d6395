"""The op of a worker run: pulls jobs for some minutes, and reports every bot it graded or improved to Dagster."""

from collections import Counter
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from dagster import OpExecutionContext, ResourceParam, op

from assets.bot_events import OF_A_BOT, made_of
from assets.check_reports import report_bots
from assets.domain import Domain
from assets.event_speed import publish, quicken
from assets.improve_events import improvements_made
from assets.run_counts import note_counts
from assets.standing import read_standings
from core.clock import utc_now
from core.trace import tracing
from fleet.caps import BACKTESTS, IMPROVING
from fleet.closed_sets import JobStatus, JobType
from services.backtests.chunk import GradedBot
from services.improve.run import ImprovedBot
from services.usage import calling_for
from services.work.pull import PullWorker

WORKER_TAG: Final = "gantry/worker"
TYPE_TAG: Final = "gantry/job_type"  # BACKTEST, or IMPROVE for both kinds of improvement


@op(description="Claims queued jobs, within the caps, and grades or improves their bots until none is queued.")
def pull_jobs(context: OpExecutionContext, domain: ResourceParam[Domain]) -> None:
    """Pull until nothing is queued for `domain.idle_s`, or 10 minutes are over."""
    quicken(context.instance)
    worker_id = UUID(context.run.tags[WORKER_TAG])
    improves = context.run.tags.get(TYPE_TAG) == JobType.IMPROVE
    reported = _ChunkReports(context, domain)
    with tracing(context.run.run_id.replace("-", "")), calling_for(context.run.run_id):
        report = PullWorker(
            domain.tx,
            domain.store,
            worker_id,
            context.run.run_id,
            domain.terms,
            utc_now,
            on_chunk=reported.chunk,
            top_up=lambda symbol: _top_up(context, domain, symbol),
            idle_s=domain.idle_s,
            job_types=IMPROVING if improves else BACKTESTS,
            on_improved=reported.improved,
        ).run()
    note_counts(context, done=report.jobs_done, failed=reported.failed)
    context.add_output_metadata(
        {
            "jobs_done": report.jobs_done,
            "jobs_failed": reported.failed,
            "failed_by_code": dict(reported.codes),
            "stopped": report.reason,
        }
    )
    context.log.info(f"Done: {report.jobs_done} jobs, {reported.failed} of them failed; stopped: {report.reason}.")


class _ChunkReports:
    """Reports chunks: a materialization a bot and asset, the fleet's checks, a line a chunk, a warning a failure."""

    def __init__(self, context: OpExecutionContext, domain: Domain) -> None:
        self._context, self._domain = context, domain
        self._done = 0
        self.codes: Counter[str] = Counter()

    @property
    def failed(self) -> int:
        """Jobs that failed so far."""
        return self.codes.total()

    def chunk(self, bots: Sequence[GradedBot]) -> None:
        completed = [bot.bot_id for bot in bots if bot.status is JobStatus.COMPLETED]
        standings = read_standings(self._domain.tx, completed, now=utc_now()) if completed else ()
        publish(self._context, [made for standing in standings for made in made_of(standing, OF_A_BOT, None)])
        if completed:
            report_bots(self._context.instance, self._domain.tx, completed, sum_raw=False)
        for bot in bots:
            self._domain.on_graded(bot)
        self._count(bots)
        self._context.log.info(f"{self._done} bots graded, {self.failed} of them failed.")

    def improved(self, bot: ImprovedBot) -> None:
        publish(self._context, improvements_made(self._domain.tx, [bot]))
        self._count([bot])
        self._context.log.info(f"{bot.bot_id}: {bot.job_type} {bot.status}, {bot.verdict or 'no verdict'}.")

    def _count(self, bots: Sequence[GradedBot] | Sequence[ImprovedBot]) -> None:
        """Count these; failures stand on the run at once, so that they do when it is canceled."""
        self._done += len(bots)
        failed = [(bot, bot.error) for bot in bots if bot.error is not None]
        for bot, error in failed:
            self.codes[str(error.code)] += 1
            self._context.log.warning(f"{bot.bot_id}: {bot.status}, {error.code}: {error.message}")
        if failed:
            note_counts(self._context, done=self._done, failed=self.failed)


def _top_up(context: OpExecutionContext, domain: Domain, symbol: str) -> bool:
    """Fetch the bars the symbol's bots need and log the result; False while another process is fetching them."""
    months = domain.supply.top_up(domain.tx, domain.store, symbol, actor=domain.actor, now=utc_now())
    for month in months or ():
        if month.error is not None:
            context.log.warning(f"{month.symbol} {month.month}: {month.error.code}: {month.error.message}")
        else:
            context.log.info(f"{month.symbol} {month.month}: {month.bars_count:,} bars of {month.provider}.")
    return months is not None
