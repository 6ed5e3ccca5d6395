"""A bot's standing is what its rollup and its score are both made of."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.closed_sets import DataLabel
from services.backtests.completed import CompletedBacktest
from services.backtests.rollups import from_raw_rows, write_rollups
from services.backtests.scores import write_scores
from sql.tables.results import BacktestSession
from sql.tables.standing import AutonomyScore, MetricsRollup
from tests.factories.bars_months import make_month
from tests.factories.bots import NOW, TRACE, make_bot
from tests.factories.results import make_session


@pytest.fixture
def completed(session: Session) -> BacktestSession:
    return make_session(session, make_bot(session), trades=40, epoch=0)


def standing(session: Session, row: BacktestSession) -> CompletedBacktest:
    return CompletedBacktest(
        bot_id=row.bot_id,
        epoch=row.epoch,
        session_id=row.id,
        updated_at=NOW + timedelta(hours=1),
        trace_id=TRACE,
        metrics=from_raw_rows(session, row.id),
        data_label=DataLabel.VENDOR,
        months=(make_month(session),),
        analysis={},
    )


def test_rollup_and_score_are_written_of_one_session_at_one_time(session: Session, completed: BacktestSession) -> None:
    one = standing(session, completed)
    write_rollups(session, [one])
    write_scores(session, [one])
    rollup, score = session.scalars(select(MetricsRollup)).one(), session.scalars(select(AutonomyScore)).one()
    assert (rollup.session_id, score.session_id) == (completed.id, completed.id)
    assert (rollup.updated_at, score.last_updated_at) == (one.updated_at, one.updated_at)
    assert (rollup.total_trades, rollup.net_pnl) == (40, completed.net_pnl)
    assert score.trace_id == TRACE


def test_a_later_standing_takes_the_place_of_the_earlier_one(session: Session, completed: BacktestSession) -> None:
    one = standing(session, completed)
    later = replace(one, epoch=1, updated_at=one.updated_at + timedelta(hours=1))
    for each in (one, later):
        write_rollups(session, [each])
        write_scores(session, [each])
    rollup = session.scalars(select(MetricsRollup)).one()
    assert (rollup.epoch, rollup.updated_at) == (1, later.updated_at)
    assert session.scalars(select(AutonomyScore.last_updated_at)).all() == [later.updated_at]


def test_nothing_completed_writes_nothing(session: Session) -> None:
    write_rollups(session, [])
    write_scores(session, [])
    assert session.scalars(select(MetricsRollup)).all() == []
    assert session.scalars(select(AutonomyScore)).all() == []
