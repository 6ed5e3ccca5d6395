"""Ticks read back: every code that can be counted is there, and each bot's newest decision, page by page."""

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from fleet.closed_sets import JobType, NotEnqueued, NotStarted, TickCause
from services.bots.change import archive_bot
from services.planner.ticks import newest_tick, page_decisions
from sql.engine import Transactions
from sql.queries.paging import After
from tests.factories.bots import NOW, MakeBot
from tests.factories.databases import OwnerSql
from tests.factories.rounds import tick


def decided(tx: Transactions, *, bot_id: UUID | None = None, reason: str | None = None) -> list[tuple[UUID, str]]:
    """Walk pages of one decision each."""
    seen: list[tuple[UUID, str]] = []
    after: After | None = None
    with tx() as session:
        while True:
            page = page_decisions(session, bot_id=bot_id, reason=reason, after=after, limit=1)
            seen += [(row.bot_id, row.reason_code) for row in page.rows]
            after = page.following
            if after is None:
                return seen


def test_before_the_first_tick_there_is_none(session: Session) -> None:
    assert newest_tick(session) is None


def test_the_newest_tick_counts_every_code_there_is(tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql) -> None:
    make_bot()
    tick(tx)
    made = tick(tx, TickCause.PERSON)
    owner_sql("UPDATE autonomy_planner_runs SET summary = summary - 'not_started_reasons'")
    with tx() as session:
        found = newest_tick(session)
    assert found is not None
    assert (found.id, found.cause, found.jobs_enqueued) == (made.id, "PERSON", 0)
    assert set(found.summary["jobs_enqueued_by_type"]) == set(JobType)
    assert found.summary["not_enqueued_reasons"] == dict.fromkeys(NotEnqueued, 0) | {"ACTIVE_JOB_EXISTS": 1}
    assert found.summary["not_started_reasons"] == dict.fromkeys(NotStarted, 0), "a tick that noted none counted none"


def test_of_each_bot_the_newest_decision_is_shown_newest_bot_first(tx: Transactions, make_bot: MakeBot) -> None:
    one, two = make_bot("one"), make_bot("two")
    tick(tx)
    with tx() as session:
        archive_bot(session, one, actor="test", now=NOW)
    tick(tx)
    assert decided(tx) == [(two, "ACTIVE_JOB_EXISTS"), (one, "ARCHIVED")]
    assert decided(tx, reason="ARCHIVED") == [(one, "ARCHIVED")]
    assert decided(tx, reason="NO_BASELINE") == []


def test_of_one_bot_every_decision_is_shown_newest_first(tx: Transactions, make_bot: MakeBot) -> None:
    one, _other = make_bot("one"), make_bot("two")
    tick(tx)
    tick(tx)
    assert decided(tx, bot_id=one) == [(one, "ACTIVE_JOB_EXISTS"), (one, "NO_BASELINE")]


def test_unknown_reasons_and_bots_are_refused(tx: Transactions) -> None:
    with pytest.raises(GantryError) as reason:
        decided(tx, reason="BORED")
    with pytest.raises(GantryError) as bot:
        decided(tx, bot_id=new_id())
    assert (reason.value.code, bot.value.code) == (ErrorCode.VALIDATION_FAILED, ErrorCode.NOT_FOUND)
