"""Jobs come in through one door: in order, counted, each with its ledger row and its line of the feed, or not."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from core.trace import tracing
from fleet.backoff import backoff
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, JobType, TickCause
from fleet.jobs import JobReason, Retry
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job, enqueue_jobs, enqueue_retry
from services.jobs.finish import fail_job
from services.jobs.lease import LeaseTerms
from services.jobs.read import get_job
from services.jobs.reaper import reap_lost_leases
from services.planner.terms import PlannerTerms
from services.planner.tick import run_tick
from services.starter.pack import create_starter_pack
from sql.engine import Transactions
from sql.queries.jobs.enqueue import NewJob
from tests.factories import claims
from tests.factories.bots import NOW, MakeBot
from tests.factories.databases import OwnerSql
from tests.factories.improvements import queue_improvement, take

BROKEN = GantryError(ErrorCode.RUN_FAILED, "The run broke.", fix="None.")
TRACES = {name: digit * 32 for name, digit in (("job", "a"), ("rescue", "b"))}
JUST_NOW = timedelta(milliseconds=50)  # between two looks of one statement at the clock
Ask = Callable[[Session, UUID], object]


def new_jobs(bot_ids: Sequence[UUID], job_type: JobType = JobType.BACKTEST) -> list[NewJob]:
    kind = BacktestKind.MANUAL if job_type is JobType.BACKTEST else None
    return [NewJob(new_id(), bot_id, job_type, kind) for bot_id in bot_ids]


def enqueue(session: Session, jobs: Sequence[NewJob], *, wait: timedelta | None = None) -> frozenset[UUID]:
    return enqueue_jobs(session, jobs, reason=JobReason.PLANNED, actor="test", max_attempts=3, wait=wait)


def by_person(session: Session, bot_id: UUID) -> None:
    enqueue_job(session, bot_id, kind=BacktestKind.MANUAL, actor="test")


def by_several(session: Session, bot_id: UUID) -> None:
    enqueue(session, new_jobs([bot_id]))


def end_all(owner_sql: OwnerSql) -> None:
    owner_sql(
        "UPDATE bot_jobs SET status = 'CANCELED', completed_at = clock_timestamp() "
        "WHERE status IN ('QUEUED', 'RUNNING')"
    )


def lose(tx: Transactions, owner_sql: OwnerSql) -> None:
    """Claim what waits, and lose the worker."""
    owner_sql("UPDATE bot_jobs SET not_before = NULL WHERE status = 'QUEUED'")
    with tx() as session:
        claim_chunk(session, caps=Caps(99, 99, 99), most=99, terms=LeaseTerms(), run_id="run")
    owner_sql("UPDATE bot_jobs SET lease_expires_at = clock_timestamp() - interval '1 s' WHERE status = 'RUNNING'")
    reap_lost_leases(tx, actor="test")


def behind_another(tx: Transactions, bot_id: UUID, owner_sql: OwnerSql) -> UUID:
    """Return a job that ended, of a bot that has another one since."""
    with tx() as session:
        first = enqueue_job(session, bot_id, kind=BacktestKind.MANUAL, actor="test")
    end_all(owner_sql)
    with tx() as session:
        by_person(session, bot_id)
    return first


@pytest.mark.parametrize("ask", [by_person, by_several])
def test_an_iteration_is_one_more_than_the_earlier_root_jobs_of_that_type(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql, ask: Ask
) -> None:
    def iteration_after(earlier: int) -> object:
        bot_id = make_bot(f"bot {earlier}")
        for _ in range(earlier):
            with tx() as session:
                ask(session, bot_id)
            lose(tx, owner_sql)  # its retry is no root
            end_all(owner_sql)
            with tx() as session:
                enqueue(session, new_jobs([bot_id], JobType.IMPROVE))
            end_all(owner_sql)
        with tx() as session:
            ask(session, bot_id)
        ((iteration,),) = owner_sql("SELECT iteration FROM bot_jobs WHERE bot_id = %s AND status = 'QUEUED'", bot_id)
        end_all(owner_sql)
        return iteration

    assert [iteration_after(earlier) for earlier in (0, 1, 5)] == [1, 2, 6]
    counted = (
        "SELECT count(*) FROM (SELECT id = root_job_id AS is_root, iteration, count(*) FILTER (WHERE id = root_job_id) "
        "OVER (PARTITION BY bot_id, job_type ORDER BY created_at, id) AS roots FROM bot_jobs) j"
    )
    assert owner_sql(f"{counted} WHERE iteration <> roots") == [(0,)]
    assert owner_sql(f"{counted} WHERE NOT is_root") == [(6,)]


def test_a_retry_keeps_its_roots_iteration_whatever_came_after(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    first = behind_another(tx, make_bot(), owner_sql)
    end_all(owner_sql)
    with tx() as session:
        retry = enqueue_retry(session, get_job(session, first), Retry(first, 2))
        assert retry is not None
        assert get_job(session, retry).iteration == 1


def test_jobs_queue_in_the_order_given(tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql) -> None:
    bots = [make_bot(f"bot {number}") for number in range(6)]
    given = [bots[number] for number in (3, 0, 5, 1, 4, 2)]
    with tx() as session:
        enqueue(session, new_jobs(given))
    assert [row[0] for row in owner_sql("SELECT bot_id FROM bot_jobs ORDER BY created_at")] == given
    assert owner_sql("SELECT count(DISTINCT created_at) FROM bot_jobs") == [(6,)]


def test_a_busy_bot_gets_no_job_no_ledger_row_and_no_line(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    free, busy, other = make_bot("free"), make_bot("busy"), make_bot("other")
    with tx() as session:
        by_person(session, busy)
    with tx() as session:
        jobs = new_jobs([free, busy, other])
        assert enqueue(session, jobs) == {jobs[0].id, jobs[2].id}
        assert enqueue(session, new_jobs([free, busy, other])) == frozenset()
        assert enqueue(session, []) == frozenset()
    assert owner_sql("SELECT count(*), count(DISTINCT bot_id) FROM bot_jobs") == [(3, 3)]
    assert owner_sql("SELECT count(*), count(DISTINCT job_id) FROM job_run_events") == [(3, 3)]
    queued = "SELECT count(*), count(DISTINCT job_id) FROM activity_events WHERE event_type = 'BACKTEST_QUEUED'"
    assert owner_sql(queued) == [(3, 3)]


def test_a_retry_of_a_bot_that_has_another_job_is_not_queued(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    first = behind_another(tx, make_bot(), owner_sql)
    with tx() as session:
        assert enqueue_retry(session, get_job(session, first), Retry(first, 2)) is None


def test_hundreds_of_jobs_take_as_many_statements_as_one(tx: Transactions, engine: Engine, make_bot: MakeBot) -> None:
    bots = [make_bot(f"bot {number}") for number in range(200)]
    seen: list[object] = []
    event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    with tx() as session:
        enqueue(session, new_jobs(bots[:1]))
    one = len(seen)
    with tx() as session:
        assert len(enqueue(session, new_jobs(bots[1:]))) == 199
    assert (one, len(seen) - one) == (3, 3), "jobs, ledger, feed"


def rows_of(owner_sql: OwnerSql) -> list[tuple[object, ...]]:
    """Return of each job, oldest first: its ledger's first row, its line of the feed, and whose trace each has."""
    names = {trace: name for name, trace in TRACES.items()}
    rows = owner_sql(
        "SELECT j.actor, j.attempt, j.max_attempts, l.reason_code, l.metadata, a.event_type, a.actor, a.message, "
        "a.payload, j.trace_id, l.trace_id, a.trace_id FROM bot_jobs j "
        "JOIN job_run_events l ON l.job_id = j.id AND l.from_status IS NULL AND l.to_status = 'QUEUED' "
        "JOIN activity_events a ON a.job_id = j.id AND a.event_type LIKE '%_QUEUED' AND a.bot_id = j.bot_id "
        "ORDER BY j.created_at"
    )
    return [(*row[:-3], *(names[trace] for trace in row[-3:])) for row in rows]


def test_a_requested_job_and_its_retries_are_fed_word_for_word(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    bot_id = make_bot()
    with tracing(TRACES["job"]), tx() as session:
        enqueue_job(session, bot_id, kind=None, actor="someone", job_type=JobType.EVOLVE)
    with tx() as session:
        (held,) = claim_chunk(
            session, caps=Caps(), most=1, terms=LeaseTerms(), run_id="run", job_types=frozenset({JobType.EVOLVE})
        )
    with tracing(TRACES["rescue"]), tx() as session:
        fail_job(session, held, BROKEN, session_id=None)
    first = ("someone", 1, 3, "REQUESTED", {"attempt": 1}, "EVOLVE_QUEUED", "someone", "Evolution queued, attempt 1.")
    second = ("someone", 2, 3, "RETRY", {"attempt": 2}, "EVOLVE_QUEUED", "someone", "Evolution queued, attempt 2.")
    assert rows_of(owner_sql) == [(*first, {}, "job", "job", "job"), (*second, {}, "job", "job", "rescue")]


def test_what_the_planner_queues_is_fed_with_its_reason(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    make_bot()
    terms = PlannerTerms(PlannerCaps(Caps(9, 9, 9)), Suppliers("anybody", can=True), max_attempts=2)
    with tracing(TRACES["job"]):
        run_tick(tx, terms, cause=TickCause.CLOCK)
    owner_sql(
        "ALTER TABLE bot_jobs DISABLE TRIGGER USER; UPDATE bot_jobs SET status = 'TIMEOUT', version_id = "
        "(SELECT current_version_id FROM bots), epoch = 0, error_code = 'HEARTBEAT_TIMEOUT', "
        "completed_at = clock_timestamp() - interval '1 hour'; ALTER TABLE bot_jobs ENABLE TRIGGER USER"
    )
    with tracing(TRACES["rescue"]):
        run_tick(tx, terms, cause=TickCause.CLOCK)
    first = ("planner", 1, 2, "PLANNED", {"attempt": 1}, "BACKTEST_QUEUED", "planner")
    second = ("planner", 2, 2, "RETRY", {"attempt": 2}, "BACKTEST_QUEUED", "planner")
    no_baseline = ("Backtest queued, attempt 1: NO_BASELINE.", {"reason_code": "NO_BASELINE", "kind": "BASELINE"})
    lost = ("Backtest queued, attempt 2: RETRY.", {"reason_code": "RETRY", "kind": "BASELINE"})
    assert rows_of(owner_sql) == [
        (*first, *no_baseline, "job", "job", "job"),
        (*second, *lost, "rescue", "rescue", "rescue"),
    ]


def test_a_starter_packs_baselines_are_fed_as_requested(tx: Transactions, owner_sql: OwnerSql) -> None:
    with tracing(TRACES["job"]), tx() as session:
        create_starter_pack(session, symbols=["ES"], count=2, actor="someone", now=NOW, max_attempts=4)
    reported = (
        "someone",
        1,
        4,
        "REQUESTED",
        {"attempt": 1},
        "BACKTEST_QUEUED",
        "someone",
        "Backtest queued, attempt 1.",
    )
    assert rows_of(owner_sql) == [(*reported, {}, "job", "job", "job")] * 2


def test_a_retry_waits_for_its_pause_and_other_jobs_for_none(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    with tx() as session:
        by_person(session, make_bot())
    for _ in range(2):
        lose(tx, owner_sql)
        ((attempt, pause),) = owner_sql(
            "SELECT attempt, not_before - created_at FROM bot_jobs WHERE not_before IS NOT NULL"
        )
        assert backoff(attempt - 1, -1) <= pause + JUST_NOW
        assert pause <= backoff(attempt - 1, 1)
    assert owner_sql("SELECT attempt FROM bot_jobs WHERE status = 'QUEUED'") == [(3,)]
    with tx() as session:
        enqueue(session, new_jobs([make_bot("later")]), wait=timedelta(minutes=1))
        enqueue(session, new_jobs([make_bot("at once")]))
    (at_once,), (later,) = owner_sql("SELECT not_before - created_at FROM bot_jobs ORDER BY created_at DESC LIMIT 2")
    assert at_once is None
    assert timedelta(minutes=1) - JUST_NOW <= later <= timedelta(minutes=1)


def test_a_bot_has_one_improvement_at_a_time(tx: Transactions, far_off: UUID) -> None:
    queue_improvement(tx, far_off)
    with pytest.raises(GantryError) as refused, tx() as session:
        enqueue_job(session, far_off, kind=None, actor="test", job_type=JobType.EVOLVE)
    assert refused.value.code is ErrorCode.CONFLICT
    with pytest.raises(GantryError):
        queue_improvement(tx, far_off, JobType.EVOLVE, place=2)
    assert len(take(tx, 9)) == 1
    assert take(tx, 9) == ()


def test_a_bot_has_one_active_job(tx: Transactions, make_bot: MakeBot) -> None:
    bot_id = make_bot()
    job_id = claims.enqueue(tx, bot_id)
    with pytest.raises(GantryError) as refused:
        claims.enqueue(tx, bot_id)
    assert refused.value.code is ErrorCode.CONFLICT
    assert refused.value.facts == {"job_id": str(job_id), "status": "QUEUED"}


def test_of_many_enqueues_at_once_one_wins(tx: Transactions, make_bot: MakeBot) -> None:
    bot_id = make_bot()
    codes: list[str] = []

    def ask() -> None:
        try:
            claims.enqueue(tx, bot_id)
            codes.append("queued")
        except GantryError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["CONFLICT"] * 7 + ["queued"]
