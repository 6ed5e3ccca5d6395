"""Workers take the oldest due jobs, under the caps, and everything a claim writes is one fixed set of statements."""

import threading
from datetime import timedelta

from sqlalchemy import Engine, event, func, update

from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, JobType
from services.finding import lock_bot
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.lease import LeaseTerms
from sql.engine import Transactions
from sql.tables.bots import Bot
from sql.tables.jobs import BotJob
from tests.factories.bots import NOW, MakeBot
from tests.factories.claims import claim, enqueue, queue
from tests.factories.improvements import queue_improvement, reported, take


def test_the_oldest_are_taken_first_and_no_more_than_asked(tx: Transactions, make_bot: MakeBot) -> None:
    queued = queue(tx, *(make_bot(f"bot {number}") for number in range(5)))
    assert [one.job_id for one in claim(tx, 2)] == queued[:2]
    assert [one.job_id for one in claim(tx, 9)] == queued[2:]
    assert claim(tx) == ()


def test_never_more_than_the_caps_leave(tx: Transactions, make_bot: MakeBot) -> None:
    queue(tx, *(make_bot(f"bot {number}") for number in range(5)))
    assert len(claim(tx, caps=Caps(3, 2, 6))) == 3
    assert claim(tx, caps=Caps(3, 2, 6)) == ()
    assert len(claim(tx, caps=Caps(9, 2, 4))) == 1


def test_a_symbol_can_be_preferred(tx: Transactions, make_bot: MakeBot) -> None:
    queue(tx, make_bot("first", symbol="ES"), make_bot("second", symbol="CL"))
    assert [one.plan.bars.symbol for one in claim(tx, symbol="CL")] == ["CL"]
    assert [one.plan.bars.symbol for one in claim(tx)] == ["ES"]


def test_a_retry_waits_until_it_is_due(tx: Transactions, make_bot: MakeBot) -> None:
    (job_id,) = queue(tx, make_bot())
    with tx() as session:
        session.execute(update(BotJob).values(not_before=func.now() + timedelta(hours=1)))
    assert claim(tx) == ()
    with tx() as session:
        session.execute(update(BotJob).values(not_before=func.now()))
    assert [one.job_id for one in claim(tx)] == [job_id]


def test_a_job_of_an_archived_bot_is_left_alone(tx: Transactions, make_bot: MakeBot) -> None:
    queue(tx, make_bot())
    with tx() as session:
        session.execute(update(Bot).values(archived_at=NOW))
    assert claim(tx) == ()


def test_a_bot_that_someone_is_changing_is_passed_over_and_found_by_the_next_claim(
    tx: Transactions, make_bot: MakeBot
) -> None:
    held, free = make_bot("held"), make_bot("free")
    queue(tx, held, free)
    with tx() as session:
        lock_bot(session, held)
        assert [one.bot_id for one in claim(tx)] == [free]
    assert [one.bot_id for one in claim(tx)] == [held]


def test_a_claim_takes_as_many_statements_for_forty_jobs_as_for_one(
    tx: Transactions, engine: Engine, make_bot: MakeBot
) -> None:
    queue(tx, *(make_bot(f"bot {number}") for number in range(41)))
    counts = []
    for most in (1, 40):
        statements: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_rest: object, into: list[str] = statements) -> None:
            into.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        assert len(claim(tx, most)) == most
        event.remove(engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_improvements_of_both_kinds_share_a_cap_and_backtests_have_their_own(
    tx: Transactions, make_bot: MakeBot
) -> None:
    kinds = [JobType.IMPROVE, JobType.EVOLVE, JobType.EVOLVE, JobType.IMPROVE]
    bots = [make_bot(f"bot {number}") for number in range(5)]
    for place, (bot_id, kind) in enumerate(zip(bots, kinds, strict=False), start=1):
        queue_improvement(tx, bot_id, kind, place=place)
    with tx() as session:
        enqueue_job(session, bots[4], kind=BacktestKind.BASELINE, actor="test")
    caps = Caps(3, 2, 9)
    assert [claim.job_type for claim in take(tx, 9, caps=caps)] == kinds[:2]
    assert take(tx, 9, caps=caps) == ()
    with tx() as session:
        (backtest,) = claim_chunk(session, caps=caps, most=9, terms=LeaseTerms(), run_id=None)
    assert backtest.job_type is JobType.BACKTEST
    started = [kind for kind in reported(tx) if kind.endswith("_STARTED")]
    assert sorted(started) == ["BACKTEST_STARTED", "EVOLVE_STARTED", "IMPROVE_STARTED"]


def test_a_claim_of_both_kinds_takes_as_many_statements_as_one_of_a_single_job(
    tx: Transactions, engine: Engine, make_bot: MakeBot
) -> None:
    for place in range(1, 8):
        kind = JobType.IMPROVE if place % 2 else JobType.EVOLVE
        queue_improvement(tx, make_bot(f"bot {place}"), kind, place=place)
    counts = []
    for most in (1, 6):
        statements: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_rest: object, into: list[str] = statements) -> None:
            into.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        assert len(take(tx, most)) == most
        event.remove(engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_of_many_claims_at_once_one_wins(tx: Transactions, make_bot: MakeBot) -> None:
    enqueue(tx, make_bot())
    won: list[bool] = []

    def take() -> None:
        with tx() as session:
            won.append(bool(claim_chunk(session, caps=Caps(), most=1, terms=LeaseTerms(), run_id=None)))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]
