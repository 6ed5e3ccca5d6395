"""What counts of a bot now: all queries that ask agree, no matter what happened to the bot since it was graded."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.bot_filter import BotFilter
from fleet.closed_sets import JobStatus, TradeSource
from fleet.promotion.gates import PAPER_LIMITS
from sql.queries.backtests import refreshes, sessions
from sql.queries.bots import change, listing
from sql.queries.bots import read as bots
from sql.queries.improve import improvements
from sql.queries.jobs import claim
from sql.queries.jobs import read as jobs
from sql.queries.planner import snapshot, write
from sql.queries.promotion import read as promotion
from sql.queries.resets import reset
from sql.queries.starter import pack
from sql.tables.bots import Bot
from sql.tables.results import BacktestSession
from tests.factories.bots import NOW, make_bot
from tests.factories.jobs import make_job
from tests.factories.promotions import adopted
from tests.factories.results import make_session
from tests.factories.standing import begin_epoch, begin_version, fail, make_rollup, stand

QUERIES = Path(__file__).resolve().parents[4] / "sql" / "queries"
ANY = replace(PAPER_LIMITS, trades=0, profit_factor=0.0, sharpe=0.0)
FAILED = "a newer session FAILED"
FIRST, SECOND, LATE, OTHERS = 3, 5, 7, 9  # trades, which distinguish one backtest from another


def of_session(row: BacktestSession | None) -> int | None:
    return row.total_trades if row is not None else None


def of_job(session: Session, job_id: UUID | None) -> int | None:
    return of_session(session.scalars(select(BacktestSession).where(BacktestSession.job_id == job_id)).one_or_none())


def shown(row: bots.CurrentBot | None) -> int | None:
    assert row is not None
    assert (row.rollup is None) is (row.data_label is None)
    return row.rollup.total_trades if row.rollup else None


def of_page(session: Session, bot: Bot) -> int | None:
    return shown(next(row for row in listed(session) if row.bot.id == bot.id))


def listed(session: Session) -> list[bots.CurrentBot]:
    return list(listing.page_bots(session, BotFilter(), after=None, limit=10).rows)


def of_gates(session: Session, bot: Bot) -> int | None:
    row = promotion.backtest_of(session, bot.id)
    sieved = [one.total_trades for one in promotion.promising_backtests(session, ANY) if one.bot_id == bot.id]
    assert sieved == ([row.total_trades] if row else [])
    return row.total_trades if row else None


def of_adoption(session: Session, bot: Bot) -> int | None:
    found = promotion.adoption(session, bot)
    return found.evidence["trades"] if found else None


def of_planner(session: Session, bot: Bot) -> int | None:
    rows = [row for row in snapshot.baselines(session) if row.bot_id == bot.id]
    return next((row.total_trades for row in rows if row.version_id == bot.current_version_id), None)


def of_refresh(session: Session, bot: Bot) -> int | None:
    found = refreshes.standing_sessions(session, [bot.id]).get(bot.id)
    return of_session(found) if found is not None and found.version_id == bot.current_version_id else None


Asked = Callable[[Session, Bot], int | None]
Change = Callable[[Session, Bot], object]
ASKED: dict[str, Asked] = {
    "the newest completed session": lambda session, bot: of_session(sessions.newest_completed(session, bot.id)),
    "the bot's page": lambda session, bot: shown(bots.one_bot(session, bot.id)),
    "the list": of_page,
    "the gates": of_gates,
    "the adopted improvement": of_adoption,
    "the planner": of_planner,
    "the starter pack": lambda session, bot: of_job(session, pack.baselines(session, [bot.id]).get(bot.id)),
    "a refresh": of_refresh,
}


def grade(session: Session, bot: Bot, trades: int, minute: int) -> None:
    stored = stand(session, bot, trades=trades, minute=minute)
    adopted(session, bot, epoch=stored.epoch, evidence={"trades": trades})


def reset_and_grade(session: Session, bot: Bot) -> None:
    begin_epoch(session, bot)
    grade(session, bot, SECOND, 10)


def change_and_grade(session: Session, bot: Bot) -> None:
    begin_version(session, bot)
    grade(session, bot, SECOND, 10)


def change_and_grade_then_end_an_old_job(session: Session, bot: Bot) -> None:
    old, job = bot.current_version_id, make_job(session, bot, JobStatus.COMPLETED)
    change_and_grade(session, bot)
    late = NOW + timedelta(minutes=20)
    make_session(session, bot, trades=LATE, version_id=old, job_id=job.id, created_at=late)


# What happened since a first backtest, what counts then, and what the equity curve shows.
SINCE: dict[str, tuple[Change, int | None, int | None]] = {
    "nothing": (lambda *_: None, FIRST, FIRST),
    FAILED: (lambda session, bot: fail(session, bot, minute=10), FIRST, FIRST),
    "a second backtest": (lambda session, bot: grade(session, bot, SECOND, 10), SECOND, SECOND),
    "a reset": (begin_epoch, None, None),
    "a reset that left equity": (lambda session, bot: begin_epoch(session, bot, equity=False), None, FIRST),
    "a reset of PAPER": (lambda session, bot: begin_epoch(session, bot, TradeSource.PAPER), FIRST, FIRST),
    "a reset and a second backtest": (reset_and_grade, SECOND, SECOND),
    "another version": (begin_version, None, None),
    "another version and its backtest": (change_and_grade, SECOND, SECOND),
    "a late session of the old version": (change_and_grade_then_end_an_old_job, SECOND, SECOND),
}


@pytest.fixture
def bot(session: Session) -> Bot:
    """A graded bot, beside another one that stays as it is."""
    made = make_bot(session, "asked about")
    grade(session, made, FIRST, 0)
    grade(session, make_bot(session, "another"), OTHERS, 30)
    return made


@pytest.mark.parametrize("since", SINCE)
@pytest.mark.parametrize("asked", ASKED)
def test_every_query_counts_the_newest_backtest_of_the_current_version_and_epoch_alone(
    session: Session, bot: Bot, asked: str, since: str
) -> None:
    happened, counts, _equity = SINCE[since]
    happened(session, bot)
    assert ASKED[asked](session, bot) == counts


@pytest.mark.parametrize("since", SINCE)
def test_the_equity_curve_goes_back_to_the_last_reset_of_equity_and_never_beyond_the_version(
    session: Session, bot: Bot, since: str
) -> None:
    happened, _counts, equity = SINCE[since]
    happened(session, bot)
    assert of_session(sessions.newest_with_equity(session, bot.id)) == equity


@pytest.mark.parametrize("since", SINCE)
def test_the_newest_job_that_ended_is_of_the_current_version_and_epoch_and_may_have_failed(
    session: Session, bot: Bot, since: str
) -> None:
    happened, counts, _equity = SINCE[since]
    happened(session, bot)
    job = jobs.ended_now(session, [bot.id]).get(bot.id)
    if since == FAILED:
        assert job is not None
        assert job.status == JobStatus.FAILED
    else:
        assert (of_job(session, job.id) if job else None) == counts


@pytest.mark.parametrize(
    ("happened", "trades"), [(begin_epoch, None), (begin_version, FIRST), (reset_and_grade, SECOND)]
)
def test_a_reset_notes_the_figures_of_the_current_epoch(
    session: Session, bot: Bot, happened: Change, trades: int | None
) -> None:
    happened(session, bot)
    found = reset.backtest_figures(session, [bot.id]).get(bot.id)
    assert (found.total_trades if found else None) == trades


def test_a_stages_own_metrics_count_in_the_current_epoch_of_their_source(session: Session, bot: Bot) -> None:
    make_rollup(session, bot, trades=SECOND, source=TradeSource.PAPER)
    begin_epoch(session, bot)
    assert [row.total_trades for row in bots.rollups_of(session, [bot.id])] == [SECOND]
    begin_epoch(session, bot, TradeSource.PAPER)
    assert bots.rollups_of(session, [bot.id]) == []


def test_who_works_on_a_bot_is_given_its_current_version_and_epoch(session: Session, bot: Bot) -> None:
    begin_version(session, bot)
    begin_epoch(session, bot)
    begin_epoch(session, bot, TradeSource.PAPER)
    begin_epoch(session, bot, TradeSource.PAPER)
    now = (bot.current_version_id, 1)
    [(_, version, epoch)] = claim.lock_bots(session, [bot.id])
    assert (version.id, epoch) == now
    [held] = write.hold_bots(session, [bot.id])
    assert (held.version_id, held.epoch) == now
    [seen] = [row for row in snapshot.bots(session) if row.id == bot.id]
    assert (seen.version_id, seen.epoch) == now
    assert (change.current_version(session, bot).id, improvements.backtest_epoch(session, bot.id)) == now
    assert promotion.since(session, bot, TradeSource.BACKTEST).epoch == 1
    assert promotion.since(session, bot, TradeSource.PAPER).epoch == 2
    assert promotion.since(session, bot, TradeSource.LIVE).version_at == version.created_at


def test_the_rule_is_written_in_one_module_only() -> None:
    compares = re.compile(
        r"Boundary\.(?:equity_)?epoch\s*[=<>]=|[=<>]=\s*\w*Boundary\.(?:equity_)?epoch|==\s*\w+\.current_version_id"
    )
    found = {
        path.relative_to(QUERIES).as_posix() for path in QUERIES.rglob("*.py") if compares.search(path.read_text())
    }
    assert found == {"current.py"}
