"""A reset restarts metrics and changes no history; a reset or a revert is all or nothing."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, event, text

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, MetricsScope
from integrations.store import BarsStore
from services.backtests.grade import grade_bots
from services.backtests.write import write_completed
from services.bots.read import get_bot
from services.jobs.claim import claim_chunk
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Claim
from services.jobs.read import get_job
from services.jobs.reaper import reap_lost_leases
from services.proof.invariants import check_invariants
from services.resets.reset import ResetReport, ResetRequest, reset_metrics
from services.resets.revert import RevertReport
from sql.embedded import RunningState
from sql.engine import Transactions
from sql.queries.resets.reset import lock_bots
from tests.factories.bots import NOW, MakeBot
from tests.factories.claims import enqueue
from tests.factories.databases import OwnerSql
from tests.factories.graded import tiny_graded
from tests.factories.resets import LATER, reset, revert
from tests.factories.running import until
from tests.factories.statements import count_statements
from trading.digits import usd_text

RAW = ("backtest_sessions", "trade_logs", "bot_equity_curve")


def fingerprint(owner_sql: OwnerSql, *tables: str) -> list[object]:
    return [owner_sql(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t") for table in tables]


def every_table(owner_sql: OwnerSql) -> tuple[str, ...]:
    return tuple(row[0] for row in owner_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))


def claimed(tx: Transactions) -> tuple[Claim, ...]:
    with tx() as session:
        return claim_chunk(session, caps=Caps(100, 100, 100), most=100, terms=LeaseTerms(), run_id="run")


@pytest.mark.parametrize("act", [reset, revert])
def test_a_dry_run_tells_the_effect_and_changes_nothing_at_all(
    tx: Transactions, graded: list[UUID], owner_sql: OwnerSql, act: Callable[..., ResetReport | RevertReport]
) -> None:
    enqueue(tx, graded[0], kind=BacktestKind.MANUAL)
    before = fingerprint(owner_sql, *every_table(owner_sql))
    report = act(tx, dry_run=True)
    assert report.dry_run
    assert {one.bot_id for one in report.bots} == set(graded)
    assert all(one.before != one.after for one in report.bots)
    assert fingerprint(owner_sql, *every_table(owner_sql)) == before
    done = act(tx)
    assert [one.before for one in done.bots] == [one.before for one in report.bots]


def test_a_reset_tells_money_as_the_bots_page_shows_it(tx: Transactions, graded: list[UUID]) -> None:
    with tx() as session:
        shown = {bot_id: get_bot(session, bot_id, now=LATER).metrics.net_pnl for bot_id in graded}
    reported = {one.bot_id: one.before["net_pnl"] for one in reset(tx, dry_run=True).bots}
    assert reported == {bot_id: usd_text(net) for bot_id, net in shown.items() if net is not None}


def test_after_a_reset_metrics_are_missing_with_their_reason_and_raw_truth_is_as_it_was(
    tx: Transactions, store: BarsStore, graded: list[UUID], owner_sql: OwnerSql
) -> None:
    raw = fingerprint(owner_sql, *RAW)
    reset(tx)
    with tx() as session:
        views = [get_bot(session, bot_id, now=LATER) for bot_id in graded]
        assert check_invariants(session) == ()
    assert {view.metrics.reason for view in views} == {"NEEDS_BACKTEST"}
    assert {view.metrics.total_trades for view in views} == {None}
    assert {view.autonomy_score for view in views} == {None}
    assert {view.metrics_reset_at for view in views} == {LATER}
    assert fingerprint(owner_sql, *RAW) == raw
    audit = owner_sql("SELECT bot_id, event_type, scope, actor FROM bot_metrics_events ORDER BY bot_id")
    assert audit == [(bot_id, "METRICS_RESET", "ALL", "admin") for bot_id in sorted(graded)]
    grade_bots(tx, store, graded, run_id="run", actor="test", now=LATER)
    with tx() as session:
        assert get_bot(session, graded[0], now=LATER).metrics.total_trades is not None


def test_jobs_under_way_are_canceled_and_a_worker_that_ends_later_changes_nothing(
    tx: Transactions, graded: list[UUID], owner_sql: OwnerSql
) -> None:
    enqueue(tx, graded[0], kind=BacktestKind.MANUAL)
    [held] = claimed(tx)
    enqueue(tx, graded[1], kind=BacktestKind.MANUAL)
    reset(tx)
    canceled = owner_sql("SELECT bot_id FROM bot_jobs WHERE status = 'CANCELED' ORDER BY bot_id")
    assert {row[0] for row in canceled} == set(graded[:2])
    reasons = owner_sql("SELECT DISTINCT reason_code FROM job_run_events WHERE to_status = 'CANCELED'")
    assert reasons == [("METRICS_RESET",)]
    before = fingerprint(owner_sql, *RAW, "bot_jobs", "bot_metrics_rollups")
    with tx() as session:
        written = write_completed(session, [tiny_graded(held)], run_id="run", now=LATER)
    assert written == frozenset()
    assert fingerprint(owner_sql, *RAW, "bot_jobs", "bot_metrics_rollups") == before
    with tx() as session:
        assert check_invariants(session, quiet=True) == ()


@pytest.mark.parametrize(
    ("scope", "sources"),
    [
        (MetricsScope.ALL, {"BACKTEST", "PAPER", "SHADOW", "CANARY", "LIVE"}),
        (MetricsScope.BACKTEST_ONLY, {"BACKTEST"}),
        (MetricsScope.PAPER_ONLY, {"PAPER", "SHADOW"}),
        (MetricsScope.LIVE_ONLY, {"CANARY", "LIVE"}),
    ],
)
def test_a_scope_resets_its_own_sources_and_a_narrow_reset_keeps_the_wide_one_of_the_others(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql, scope: MetricsScope, sources: set[str]
) -> None:
    bot_id = make_bot()
    enqueue(tx, bot_id, kind=BacktestKind.MANUAL)
    wide = reset(tx)
    reset(tx, bot_id, scope=scope)
    rows = owner_sql("SELECT source, epoch, event_id FROM bot_boundaries WHERE bot_id = %s", bot_id)
    assert {source for source, epoch, _event in rows if epoch == 2} == sources
    assert {source for source, _epoch, event_id in rows if event_id == wide.request_id} == {
        source for source, _epoch, _event in rows
    } - sources
    with tx() as session:
        assert check_invariants(session) == ()


def test_only_a_scope_with_backtests_cancels_what_runs(tx: Transactions, make_bot: MakeBot) -> None:
    job_id = enqueue(tx, make_bot(), kind=BacktestKind.MANUAL)
    for scope in (MetricsScope.PAPER_ONLY, MetricsScope.LIVE_ONLY):
        reset(tx, scope=scope)
        with tx() as session:
            assert get_job(session, job_id).status == "QUEUED"


@pytest.mark.parametrize("act", [reset, revert])
def test_two_at_once_are_both_done_whole_each_with_its_audit_rows(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql, act: Callable[..., ResetReport | RevertReport]
) -> None:
    bots = [make_bot(f"bot {number}") for number in range(20)]
    for bot_id in bots:
        enqueue(tx, bot_id, kind=BacktestKind.MANUAL)
    with ThreadPoolExecutor(4) as pool:
        reports = [done.result() for done in [pool.submit(act, tx) for _ in range(4)]]
    assert len({report.request_id for report in reports}) == 4
    table = "bot_metrics_events" if act is reset else "bot_stage_events"
    found = owner_sql(f"SELECT count(*) FROM {table} WHERE event_type IN ('METRICS_RESET', 'REVERTED_TO_LAB')")
    assert found == [(80,)]
    with tx() as session:
        assert check_invariants(session, quiet=True) == ()


def test_one_that_began_first_and_came_second_is_the_last_one_in_the_audit_too(
    tx: Transactions, make_bot: MakeBot
) -> None:
    bot_id = make_bot()
    with tx() as late:
        late.execute(text("SELECT now()"))
        reset(tx, bot_id, scope=MetricsScope.LIVE_ONLY)
        asked = ResetRequest(MetricsScope.PAPER_ONLY, (bot_id,), "SECOND")
        reset_metrics(late, asked, dry_run=False, actor="another", now=NOW)
    with tx() as session:
        assert check_invariants(session) == ()


@pytest.mark.parametrize("act", [reset, revert])
def test_one_that_is_cut_off_at_any_statement_leaves_nothing(
    tx: Transactions,
    engine: Engine,
    graded: list[UUID],
    owner_sql: OwnerSql,
    act: Callable[..., ResetReport | RevertReport],
) -> None:
    enqueue(tx, graded[0], kind=BacktestKind.MANUAL)
    before = fingerprint(owner_sql, *every_table(owner_sql))
    count = count_statements(engine, lambda: act(tx, dry_run=True))
    assert count > 8
    for last in range(1, count):
        seen = 0

        def cut(connection: object, *_rest: object, last: int = last) -> None:
            nonlocal seen
            seen += 1
            if seen > last:
                raise ConnectionAbortedError

        event.listen(engine, "before_cursor_execute", cut)
        try:
            with pytest.raises(ConnectionAbortedError):
                act(tx)
        finally:
            event.remove(engine, "before_cursor_execute", cut)
        assert fingerprint(owner_sql, *every_table(owner_sql)) == before


@pytest.mark.parametrize("act", [reset, revert])
def test_it_takes_as_many_statements_for_fifty_bots_as_for_two(
    tx: Transactions, engine: Engine, make_bot: MakeBot, act: Callable[..., ResetReport | RevertReport]
) -> None:
    few = [make_bot(f"few {number}") for number in range(2)]
    many = [make_bot(f"many {number}") for number in range(50)]
    for bot_id in (*few, *many):
        enqueue(tx, bot_id, kind=BacktestKind.MANUAL)
    assert count_statements(engine, lambda: act(tx, *few)) == count_statements(engine, lambda: act(tx, *many))


@pytest.mark.parametrize("act", [reset, revert])
def test_a_bot_that_is_not_there_stops_all_of_it(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql, act: Callable[..., ResetReport | RevertReport]
) -> None:
    bot_id = make_bot()
    with pytest.raises(GantryError) as refused:
        act(tx, bot_id, new_id())
    assert refused.value.code is ErrorCode.NOT_FOUND
    assert owner_sql("SELECT count(*) FROM bot_metrics_events") == [(0,)]


KILLED = """
import sys
from uuid import UUID
from core.clock import utc_now
from fleet.closed_sets import MetricsScope
from services.resets.reset import ResetRequest, reset_metrics
from services.resets.revert import revert_to_lab
from sql.engine import connect, transactions

with transactions(connect(sys.argv[1]))() as session:
    if sys.argv[2] == "reset":
        asked = ResetRequest(MetricsScope.ALL, None, "TEST")
        reset_metrics(session, asked, dry_run=False, actor="killed", now=utc_now())
    else:
        revert_to_lab(
            session, None, lock_hours=24, reason_code="TEST", dry_run=False, actor="killed", now=utc_now()
        )
"""


@pytest.mark.parametrize("act", ["reset", "revert"])
def test_a_process_that_is_killed_within_it_leaves_nothing_and_another_one_does_it_whole(
    database: RunningState, tx: Transactions, graded: list[UUID], owner_sql: OwnerSql, act: str
) -> None:
    enqueue(tx, graded[0], kind=BacktestKind.MANUAL)
    before = fingerprint(owner_sql, *every_table(owner_sql))
    command = [sys.executable, "-c", KILLED, database.app_url, act]
    with psycopg.connect(database.owner_url) as holding:
        holding.execute("LOCK TABLE system_events IN ACCESS EXCLUSIVE MODE")  # its last statement waits for this
        process = subprocess.Popen(command)
        try:
            waits = "SELECT 1 FROM pg_locks WHERE relation = 'system_events'::regclass AND NOT granted"
            until(lambda: bool(owner_sql(waits)), seconds=60, what="it waits for its last statement")
        finally:
            process.kill()
            process.wait()
    gone = "SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
    until(lambda: not owner_sql(gone), seconds=30, what="its transaction is gone")
    assert fingerprint(owner_sql, *every_table(owner_sql)) == before
    subprocess.run(command, check=True, timeout=60)
    table = "bot_metrics_events" if act == "reset" else "bot_stage_events"
    assert owner_sql(f"SELECT count(*) FROM {table} WHERE actor = 'killed'") == [(len(graded),)]
    with tx() as session:
        assert check_invariants(session, quiet=True) == ()


def test_a_job_is_rescued_while_a_reset_holds_its_bot(tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql) -> None:
    enqueue(tx, make_bot(), kind=BacktestKind.MANUAL)
    claimed(tx)
    owner_sql("UPDATE bot_jobs SET lease_expires_at = now() - interval '1 s'")
    with tx() as session, ThreadPoolExecutor(1) as pool:
        lock_bots(session, None)
        report = pool.submit(reap_lost_leases, tx, actor="test").result(timeout=30)
    assert len(report.retried) == 1, "its retry refers to the bot, and needn't wait for a change of that"
