"""A chunk of claimed jobs is graded whole: each bot fails alone, and a commit is never done twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import ErrorCode
from fleet.closed_sets import JobStatus
from integrations.store import BarsStore
from services.backtests import compute
from services.backtests.chunk import ChunkGrader
from services.backtests.compute import Computed, Material
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Plan
from sql.engine import Transactions, unavailable
from sql.tables.jobs import BotJob
from sql.tables.results import BacktestSession
from tests.factories.bots import NOW, MakeBot
from tests.factories.claims import claim, queue
from trading.strategies.base import Decisions, MarketView
from trading.strategies.registry import STRATEGIES
from trading.strategies.sma_cross import SmaCross


class Broken(SmaCross):
    """A strategy that always raises."""

    name: ClassVar[str] = "broken"

    def decide(self, view: MarketView, params: Any) -> Decisions:  # noqa: ARG002 - the strategy's signature
        raise RuntimeError("no idea")


@pytest.mark.usefixtures("es_bars")
def test_a_chunk_of_nothing_but_failing_bots_ends_with_their_failures(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRATEGIES, "broken", Broken())
    queue(tx, make_bot("one", strategy="broken"), make_bot("two", strategy="broken"))
    graded = ChunkGrader(tx, store, None, LeaseTerms()).grade(claim(tx), NOW)
    assert [bot.error.code for bot in graded if bot.error] == ["STRATEGY_ERROR"] * 2
    with tx() as session:
        assert session.scalars(select(BotJob.status)).all() == ["FAILED"] * 2
        assert session.scalars(select(BacktestSession.status)).all() == ["FAILED"] * 2


@pytest.mark.usefixtures("es_bars")
def test_a_result_that_cant_be_stored_fails_its_bot_and_the_others_of_its_chunk_are_kept(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = make_bot("good"), make_bot("bad", strategy="rsi_reversion")
    queue(tx, good, bad)
    real = compute.compute

    def spoiled(plan: Plan, material: Material) -> Computed:
        made = real(plan, material)
        return replace(made, analysis={"x": {"observed": float("nan")}}) if plan.bot_id == bad else made

    monkeypatch.setattr(compute, "compute", spoiled)
    graded = {bot.bot_id: bot for bot in ChunkGrader(tx, store, None, LeaseTerms()).grade(claim(tx), NOW)}
    assert graded[good].status is JobStatus.COMPLETED
    assert graded[bad].status is JobStatus.FAILED
    assert [bot.error.code for bot in graded.values() if bot.error] == [ErrorCode.INTERNAL]


@pytest.mark.usefixtures("es_bars")
def test_a_commit_whose_answer_was_lost_is_found_to_have_happened(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    queue(tx, make_bot())
    held = claim(tx)
    lost: list[bool] = []

    @contextmanager
    def forgetful() -> Iterator[Session]:
        with tx() as session:
            yield session
            wrote = session.scalar(select(func.count()).select_from(BacktestSession))
        if wrote and not lost:
            lost.append(True)
            raise unavailable("The connection was cut after the commit.")

    (graded,) = ChunkGrader(forgetful, store, None, LeaseTerms()).grade(held, NOW)
    assert lost
    assert graded.status is JobStatus.COMPLETED
    with tx() as session:
        assert session.scalars(select(BacktestSession.id)).all() == [graded.session_id]
