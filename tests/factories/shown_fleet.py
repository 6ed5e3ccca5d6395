"""A fleet in which bots differ in all that a list shows, filters and sorts by; some have no value, some the same."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.ids import new_id
from fleet.closed_sets import DataLabel, JobStatus, JobType, Stage, Tier
from sql.queries.jobs.finish import Ending
from sql.tables.bots import Bot
from sql.tables.standing import AutonomyScore
from tests.factories.bots import NOW, TRACE, make_bot
from tests.factories.jobs import end_job, make_job, run_job
from tests.factories.results import make_session
from tests.factories.standing import begin_epoch, begin_version, make_rollup

LATER = NOW + timedelta(hours=1)
Prepare = Callable[[Session, Bot], None]


def shown_fleet(session: Session) -> Mapping[str, Bot]:
    """Store the fleet; return its bots by name. Each is a second younger than the one before; two are of one age."""
    bots = {}
    for number, (name, prepare) in enumerate(KINDS.items()):
        seconds = number - (name == "twin")
        symbol = ("ES", "NQ", "6E")[number % 3]
        bot = make_bot(session, name, symbol=symbol, created_at=NOW + timedelta(seconds=seconds))
        prepare(session, bot)
        bots[name] = bot
    session.flush()
    return bots


def _graded(net: str, tier: Tier, score: float, *, label: DataLabel = DataLabel.VENDOR, trades: int = 40) -> Prepare:
    def prepare(session: Session, bot: Bot) -> None:
        stored = make_session(session, bot, trades=trades, data_label=label, created_at=NOW)
        figures: dict[str, Any] = {
            "net_pnl": Decimal(net),
            "wins": trades // 3,
            "sharpe": score / 10 - 3,
            "profit_factor": None,
        }
        make_rollup(session, bot, trades=trades, session_id=stored.id, max_drawdown_usd=Decimal(trades), **figures)
        session.add(
            AutonomyScore(
                id=new_id(),
                bot_id=bot.id,
                autonomy_score=score,
                autonomy_tier=tier,
                breakdown={},
                session_id=stored.id,
                trace_id=TRACE,
            )
        )
        session.flush()

    return prepare


def _in_stage(stage: Stage) -> Prepare:
    def prepare(session: Session, bot: Bot) -> None:
        _graded("250.50", Tier.LIMITED_AUTONOMY, 61.5)(session, bot)
        bot.stage = stage

    return prepare


def _reset(session: Session, bot: Bot) -> None:
    _graded("9000", Tier.FULL_AUTONOMY, 90.0)(session, bot)
    begin_epoch(session, bot)


def _changed(session: Session, bot: Bot) -> None:
    _graded("8000", Tier.FULL_AUTONOMY, 91.0, label=DataLabel.SIMULATED)(session, bot)
    begin_version(session, bot)


def _locked(code: str) -> Prepare:
    def prepare(session: Session, bot: Bot) -> None:
        _graded("99999.00", Tier.LOCKED, 0.0)(session, bot)
        score = session.scalars(select(AutonomyScore).where(AutonomyScore.bot_id == bot.id)).one()
        score.locked_by, score.locked_reason = code, "It proves nothing."
        session.flush()

    return prepare


def _locked_and_broken(session: Session, bot: Bot) -> None:
    _locked("LOOK_AHEAD")(session, bot)
    end_job(session, run_job(session, make_job(session, bot)), Ending(JobStatus.FAILED, error_code="STRATEGY_ERROR"))


def _with_job(status: JobStatus, job_type: JobType = JobType.BACKTEST) -> Prepare:
    def prepare(session: Session, bot: Bot) -> None:
        kind = {} if job_type is JobType.BACKTEST else {"kind": None}
        make_job(session, bot, status, job_type=job_type, **kind)

    return prepare


def _failed(code: str, status: JobStatus = JobStatus.FAILED) -> Prepare:
    def prepare(session: Session, bot: Bot) -> None:
        _graded("-75.25", Tier.LOCKED, 12.25, label=DataLabel.SIMULATED)(session, bot)
        job = run_job(session, make_job(session, bot))
        end_job(session, job, Ending(status, error_code=code))

    return prepare


def _recovered(session: Session, bot: Bot) -> None:
    make_job(session, bot, JobStatus.FAILED, created_at=NOW)
    make_job(session, bot, JobStatus.COMPLETED, created_at=LATER)


def _archived(session: Session, bot: Bot) -> None:
    _graded("5.00", Tier.SUPERVISED, 50.0)(session, bot)
    bot.archived_at = LATER


KINDS: Mapping[str, Prepare] = {
    "fresh": lambda _session, _bot: None,
    "graded": _graded("1234.50", Tier.SUPERVISED, 50.25),
    "twin": _graded("1234.50", Tier.SUPERVISED, 50.25),
    "simulated": _graded("-0.01", Tier.LOCKED, 39.5, label=DataLabel.SIMULATED, trades=100),
    "idle trader": _graded("0", Tier.LOCKED, 0.0, label=DataLabel.IMPORTED, trades=0),
    "reset": _reset,
    "changed": _changed,
    "paper": _in_stage(Stage.PAPER),
    "live": _in_stage(Stage.LIVE),
    "queued": _with_job(JobStatus.QUEUED),
    "running": _with_job(JobStatus.RUNNING),
    "improving": _with_job(JobStatus.RUNNING, JobType.IMPROVE),
    "evolving": _with_job(JobStatus.QUEUED, JobType.EVOLVE),
    "canceled": _with_job(JobStatus.CANCELED),
    "broken": _failed("STRATEGY_ERROR"),
    "lost": _failed("HEARTBEAT_TIMEOUT", JobStatus.TIMEOUT),
    "reads ahead": _locked("LOOK_AHEAD"),
    "unguarded": _locked("GUARD_FAILED"),
    "doubly blocked": _locked_and_broken,
    "recovered": _recovered,
    "gone": _archived,
}
