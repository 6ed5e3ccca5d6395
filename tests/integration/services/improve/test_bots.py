"""Improvements that someone asks for: one job for each bot, reported as it ends."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from fleet.closed_sets import JobStatus, JobType
from integrations.store import BarsStore
from services.improve.bots import improve_bots
from services.improve.run import ImprovedBot
from services.jobs.terms import GradeTerms
from sql.engine import Transactions
from tests.factories.bots import MakeBot
from tests.factories.claims import claim, queue
from tests.factories.databases import OwnerSql
from tests.factories.improvements import TERMS, queue_improvement

SMALL = replace(TERMS, improve=replace(TERMS.improve, sets=6))


def asked(
    tx: Transactions,
    store: BarsStore,
    *bot_ids: UUID,
    terms: GradeTerms = SMALL,
    report: Callable[[ImprovedBot], None] = lambda _bot: None,
) -> tuple[ImprovedBot, ...]:
    return improve_bots(tx, store, bot_ids, run_id="run", actor="test", terms=terms, on_progress=report)


@pytest.mark.usefixtures("noise")
def test_each_bot_is_improved_once_and_reported_as_it_ends(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    bots = [make_bot(name, strategy="bollinger_reversion") for name in ("one", "two")]
    there = queue_improvement(tx, bots[0], JobType.EVOLVE)
    reports: list[ImprovedBot] = []
    found = asked(tx, store, bots[1], bots[0], bots[1], report=reports.append)
    assert [bot.bot_id for bot in found] == [bots[1], bots[0]]
    assert {bot.status for bot in found} == {JobStatus.COMPLETED}
    assert sorted(bot.bot_id for bot in reports) == sorted(bots)
    assert found[1].job_id == there, "a job that waits already is the one that is run"
    assert owner_sql("SELECT count(*) FROM bot_jobs") == [(2,)]


@pytest.mark.usefixtures("noise")
def test_one_bot_failing_fails_alone(tx: Transactions, store: BarsStore, make_bot: MakeBot) -> None:
    good, bad = make_bot("good", strategy="bollinger_reversion"), make_bot("no bars", symbol="CL")
    found = {bot.bot_id: bot for bot in asked(tx, store, bad, good)}
    assert found[good].status is JobStatus.COMPLETED
    error = found[bad].error
    assert (found[bad].status, error.code if error else None) == (JobStatus.FAILED, ErrorCode.DATA_UNAVAILABLE)


def test_an_unknown_bot_stops_all_of_it_before_anything_is_queued(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    with pytest.raises(GantryError) as refused:
        asked(tx, store, make_bot(), new_id())
    assert refused.value.code is ErrorCode.NOT_FOUND
    assert owner_sql("SELECT count(*) FROM bot_jobs") == [(0,)]


def test_a_bot_whose_job_runs_elsewhere_is_waited_for_and_then_given_up(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    [job_id] = queue(tx, bot_id)
    claim(tx)
    [found] = asked(tx, store, bot_id, terms=replace(SMALL, wait_elsewhere_s=0.1))
    assert (found.job_id, found.status) == (job_id, JobStatus.RUNNING)
    assert found.error is not None
    assert found.error.code is ErrorCode.CONFLICT
