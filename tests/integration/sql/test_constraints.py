"""What the database refuses reaches a person as a code, a sentence and a fix."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError, Kind
from core.ids import new_id
from fleet.closed_sets import BacktestKind, JobType
from sql.constraints import MEANINGS, as_domain_error
from sql.engine import Transactions
from sql.tables.bots import Bot
from sql.tables.jobs import BotJob
from tests.factories.bars_months import make_month
from tests.factories.bots import TRACE, a_version, make_bot
from tests.factories.databases import OwnerSql
from tests.factories.jobs import make_job

RAISED_BY_TRIGGERS = {"insert_only", "legal_transition"}
DERIVED = {
    "bot_metrics_rollups",
    "autonomy_scores",
    "bot_checks",
}  # written by upserts for a bot just read: only a defect breaks them


def _orphan() -> BotJob:
    job_id = new_id()
    return BotJob(
        id=job_id,
        root_job_id=job_id,
        bot_id=new_id(),
        job_type=JobType.BACKTEST,
        kind=BacktestKind.BASELINE,
        actor="test",
        trace_id=TRACE,
    )


def test_every_named_constraint_exists(session: Session) -> None:
    names = "SELECT conname FROM pg_constraint UNION SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
    assert set(MEANINGS) - RAISED_BY_TRIGGERS <= set(session.scalars(text(names)))


def test_every_unique_and_foreign_key_has_a_meaning(session: Session) -> None:
    keys = """
    SELECT conname FROM pg_constraint WHERE contype IN ('u', 'f') AND connamespace = 'public'::regnamespace
           AND conrelid::regclass::text <> ALL(:derived) AND conname <> 'fk_bot_versions_parent_id'
    UNION SELECT indexrelid::regclass::text FROM pg_index
    WHERE indisunique AND indpred IS NOT NULL AND indrelid::regclass::text <> ALL(:derived)
    """
    assert set(session.scalars(text(keys), {"derived": list(DERIVED)})) - set(MEANINGS) == set()


def test_a_second_active_job_is_a_conflict(tx: Transactions, owner_sql: OwnerSql) -> None:
    with tx() as session:
        bot = make_bot(session)
        make_job(session, bot)
    with pytest.raises(GantryError, match="already has a job") as caught, tx() as session:
        make_job(session, bot)
    assert (caught.value.code, caught.value.kind) == (ErrorCode.CONFLICT, Kind.CONFLICT)
    assert caught.value.facts == {"constraint": "uq_bot_jobs_active_per_bot"}
    assert owner_sql("SELECT count(*) FROM bot_jobs") == [(1,)]


def test_a_name_is_free_again_once_its_bot_is_archived(tx: Transactions) -> None:
    with tx() as session:
        first = make_bot(session, "same")
    with pytest.raises(GantryError, match="with that name already exists"), tx() as session:
        make_bot(session, "same")
    with tx() as session:
        session.get_one(Bot, first.id).archived_at = first.created_at
    with tx() as session:
        make_bot(session, "same")
        assert len(session.scalars(select(Bot.id)).all()) == 2


def test_a_name_of_the_wrong_length_is_invalid_input(tx: Transactions) -> None:
    with pytest.raises(GantryError, match="1 to 100 characters") as caught, tx() as session:
        make_bot(session, "x" * 101)
    assert (caught.value.code, caught.value.kind) == (ErrorCode.VALIDATION_FAILED, Kind.INVALID)


def test_a_second_month_in_use_is_a_conflict(tx: Transactions) -> None:
    with tx() as session:
        make_month(session)
    with pytest.raises(GantryError, match="changed by another process"), tx() as session:
        make_month(session)


def test_a_row_of_an_unknown_bot_is_not_found(tx: Transactions) -> None:
    with pytest.raises(GantryError) as caught, tx() as session:
        session.add(_orphan())
    assert (caught.value.code, caught.value.kind) == (ErrorCode.NOT_FOUND, Kind.NOT_FOUND)


def test_a_version_number_is_used_once_for_a_bot(tx: Transactions) -> None:
    with tx() as session:
        bot = make_bot(session)
    with pytest.raises(GantryError, match="already has that version"), tx() as session:
        session.add(a_version(bot, number=1))


def test_what_only_a_defect_can_break_stays_what_it_is(tx: Transactions) -> None:
    with pytest.raises(IntegrityError) as caught, tx() as session:
        make_bot(session, stage="MOON")
    assert "ck_bots_stage_known" in str(caught.value)
    assert as_domain_error(caught.value) is None
