"""A score says what is missing with a blocker, and counts only what the newest session that counts shows."""

import pytest
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from fleet.closed_sets import DataLabel
from services.backtests.rollups import from_raw_rows
from services.backtests.scores import refresh_score, signals_of
from tests.factories.bars_months import make_month
from tests.factories.bots import NOW, make_bot
from tests.factories.promotions import PASSED
from tests.factories.results import make_session


def test_a_bot_without_a_backtest_has_a_score_that_says_so(session: Session) -> None:
    bot = make_bot(session)
    score = refresh_score(session, bot.id, now=NOW)
    assert (score.session_id, score.last_updated_at) == (None, NOW)
    assert score.autonomy_score == 0
    assert score.breakdown["blockers"]


def test_signals_are_those_of_the_sessions_own_rows_and_bars(session: Session) -> None:
    month = make_month(session, quality_report={"coverage": 0.25})
    row = make_session(
        session, make_bot(session), trades=5, bars_ids=[str(month.id)], analysis=PASSED, data_label=DataLabel.VENDOR
    )
    signals = signals_of(session, row)
    assert signals.metrics == from_raw_rows(session, row.id)
    assert signals.data_label is DataLabel.VENDOR
    assert [(one.month, one.coverage) for one in signals.months] == [("2024-01", 0.25)]
    assert signals.look_ahead_passed is True


@pytest.mark.parametrize(
    ("analysis", "passed"),
    [
        ({}, None),
        ({"truncation": {"passed": True}}, None),
        ({"truncation": {"passed": True}, "shift": {"passed": False}}, False),
    ],
)
def test_look_ahead_is_ruled_out_by_all_guards_together_alone(
    session: Session, analysis: dict[str, object], passed: bool | None
) -> None:
    row = make_session(session, make_bot(session), analysis=analysis)
    assert signals_of(session, row).look_ahead_passed is passed


def test_derived_again_a_score_is_the_same_and_there_is_one(session: Session) -> None:
    bot = make_bot(session)
    first = refresh_score(session, bot.id, now=NOW)
    row = make_session(session, bot, analysis=PASSED)
    second, third = (refresh_score(session, bot.id, now=NOW) for _ in range(2))
    assert first.id == second.id == third.id
    assert second.session_id == row.id
    assert second.breakdown == third.breakdown


def test_an_unknown_bot_is_not_found(session: Session) -> None:
    with pytest.raises(GantryError) as refused:
        refresh_score(session, new_id(), now=NOW)
    assert refused.value.code is ErrorCode.NOT_FOUND
