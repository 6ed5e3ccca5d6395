"""The feed: a line for each event, in its transaction and under its trace, walked page by page."""

from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.trace import current_trace_id
from fleet.closed_sets import ActivityEvent, SystemEvent
from services import events
from services.jobs.cancel import Ended
from sql.engine import Transactions
from sql.queries.paging import After
from sql.tables.events import Activity, SystemEventRow
from tests.factories.bots import make_bot
from tests.factories.jobs import make_job
from tests.factories.statements import count_statements


def test_a_line_says_what_happened_to_whom_under_the_present_trace(session: Session) -> None:
    bot = make_bot(session)
    events.publish(session, ActivityEvent.BOT_CHANGED, "changed", actor="person", bot_id=bot.id, payload={"a": 1})
    [line] = session.scalars(select(Activity))
    assert (line.event_type, line.message, line.actor, line.bot_id, line.job_id) == (
        "BOT_CHANGED",
        "changed",
        "person",
        bot.id,
        None,
    )
    assert (line.payload, line.trace_id) == ({"a": 1}, current_trace_id())


def test_lines_of_several_jobs_keep_each_jobs_own_trace_and_take_one_statement(
    tx: Transactions, engine: Engine
) -> None:
    with tx() as session:
        jobs = [make_job(session, make_bot(session, f"bot {n}"), trace_id=f"{n:032x}", actor=f"a{n}") for n in range(9)]
        lines = [(Ended.of(job), f"job {number}", {"n": number}) for number, job in enumerate(jobs)]

    def write() -> None:
        with tx() as session:
            events.publish_all(session, ActivityEvent.BACKTEST_COMPLETED, lines)

    assert count_statements(engine, write) == 1
    with tx() as session:
        rows = session.scalars(select(Activity).where(Activity.event_type == "BACKTEST_COMPLETED")).all()
        found = {(row.job_id, row.trace_id, row.actor, row.message) for row in rows}
    assert found == {(job.id, job.trace_id, job.actor, f"job {number}") for number, job in enumerate(jobs)}


def test_no_lines_take_no_statement(tx: Transactions, engine: Engine) -> None:
    def write() -> None:
        with tx() as session:
            events.publish_all(session, ActivityEvent.BACKTEST_COMPLETED, [])

    assert count_statements(engine, write) == 0


def test_what_happens_to_the_system_is_no_line_of_the_feed(session: Session) -> None:
    events.note(session, SystemEvent.METRICS_RESET, "reset", actor="admin", payload={"bots": 2})
    [row] = session.scalars(select(SystemEventRow))
    assert (row.event_type, row.message, row.actor, row.payload) == ("METRICS_RESET", "reset", "admin", {"bots": 2})
    assert session.scalars(select(Activity)).all() == []


def test_the_feed_is_walked_newest_first_without_repeating_or_skipping_a_line(session: Session) -> None:
    bot, other = make_bot(session, "one"), make_bot(session, "other")
    for number in range(5):
        events.publish(session, ActivityEvent.BOT_CHANGED, str(number), actor="test", bot_id=bot.id)
        events.publish(session, ActivityEvent.BOT_CHANGED, "other", actor="test", bot_id=other.id)

    def walk(bot_id: UUID | None) -> list[str]:
        seen: list[str] = []
        after: After | None = None
        while True:
            page = events.page_activity(session, bot_id=bot_id, after=after, limit=2)
            seen += [line.message for line in page.rows]
            after = page.following
            if after is None:
                return seen

    assert walk(bot.id) == ["4", "3", "2", "1", "0"]
    assert len(walk(None)) == 10
