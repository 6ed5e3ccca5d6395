"""A change grows a bot's revision, makes a new version of what it is made of, and leaves one line in the feed."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from fleet.closed_sets import JobStatus, PromotionMode
from services.bots.change import BotChange, StaleRevision, archive_bot, change_bot
from services.bots.create import NewBot, create_bot
from sql.tables.bots import Bot, BotVersion
from sql.tables.events import Activity
from sql.tables.jobs import BotJob
from tests.factories.bots import NOW
from tests.factories.jobs import make_job


@pytest.fixture
def bot(session: Session) -> Bot:
    made = create_bot(session, NewBot(name="one", symbol="ES", strategy="sma_cross"), actor="test", now=NOW)
    return session.get_one(Bot, made)


def change(session: Session, bot: Bot, wanted: BotChange, *, revisions: frozenset[int] | None = None) -> bool:
    return change_bot(session, bot.id, wanted, revisions=revisions, actor="person", now=NOW)


def version_of(session: Session, bot: Bot) -> BotVersion:
    return session.get_one(BotVersion, bot.current_version_id)


def test_what_a_bot_is_made_of_becomes_a_version_with_the_old_one_as_its_parent(session: Session, bot: Bot) -> None:
    old = version_of(session, bot)
    assert change(session, bot, BotChange(params={"fast": 7}, costs={"contracts": 2}, window={"start": "2024-01"}))
    new = version_of(session, bot)
    assert (new.number, new.parent_id, new.reason_code) == (2, old.id, "CHANGED")
    assert new.params == {**old.params, "fast": 7}
    assert new.costs == {**old.costs, "contracts": 2}
    assert new.window == {**old.window, "start": "2024-01"}
    assert bot.revision == 2


def test_a_name_or_a_promotion_mode_makes_no_version(session: Session, bot: Bot) -> None:
    assert change(session, bot, BotChange(name="two", promotion_mode=PromotionMode.AUTO))
    assert (bot.name, bot.promotion_mode, bot.revision) == ("two", "AUTO", 2)
    assert version_of(session, bot).number == 1
    [line] = session.scalars(select(Activity).where(Activity.event_type == "BOT_CHANGED"))
    assert set(line.payload["changed"]) == {"name", "promotion_mode"}


def test_what_is_so_already_changes_nothing_and_leaves_no_line(session: Session, bot: Bot) -> None:
    assert not change(session, bot, BotChange(name="one", params={}))
    assert bot.revision == 1
    assert session.scalars(select(Activity).where(Activity.event_type == "BOT_CHANGED")).all() == []


def test_a_change_meant_for_another_revision_is_refused(session: Session, bot: Bot) -> None:
    change(session, bot, BotChange(name="two"))
    for act in (
        lambda: change(session, bot, BotChange(name="three"), revisions=frozenset({1})),
        lambda: archive_bot(session, bot.id, actor="person", now=NOW, revisions=frozenset({1})),
    ):
        with pytest.raises(StaleRevision) as refused:
            act()
        assert refused.value.facts == {"revision": 2}
    assert (bot.name, bot.archived_at) == ("two", None)


def test_an_archived_bot_keeps_no_job_and_changes_no_more(session: Session, bot: Bot) -> None:
    job = make_job(session, bot, JobStatus.RUNNING)
    assert archive_bot(session, bot.id, actor="person", now=NOW) == NOW
    assert session.scalar(select(BotJob.status).where(BotJob.id == job.id)) == "CANCELED"
    assert archive_bot(session, bot.id, actor="person", now=NOW.replace(year=2030)) == NOW, "the first time stands"
    with pytest.raises(GantryError, match="archived") as refused:
        change(session, bot, BotChange(name="two"))
    assert refused.value.code is ErrorCode.CONFLICT
    with pytest.raises(GantryError) as unknown:
        archive_bot(session, new_id(), actor="person", now=NOW)
    assert unknown.value.code is ErrorCode.NOT_FOUND
