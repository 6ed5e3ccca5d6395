"""A tick gives every bot of the lab the work it is due for, once, in order, and says of each other one why not."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine

from core.errors import GantryError
from fleet.caps import Caps
from fleet.closed_sets import BacktestKind, BotState, DataLabel, NotEnqueued, NotStarted, PromotionMode, TickCause
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.plan import IMPROVEMENTS_AHEAD
from fleet.planner.types import PlannerCaps
from integrations.store import BarsStore
from services.backtests.grade import grade_bots
from services.bars.simulate import simulate_months
from services.bots.change import BotChange, change_bot
from services.bots.read import get_bot
from services.jobs.claim import claim_chunk
from services.jobs.enqueue import enqueue_job
from services.jobs.lease import LeaseTerms
from services.jobs.terms import GradeTerms
from services.planner.terms import PlannerTerms
from services.planner.tick import Tick, prune_ticks, run_tick
from services.proof.invariants import check_invariants
from sql.engine import Transactions
from sql.month_lock import if_nobody_else
from tests.factories.bars_months import MONTH, make_month
from tests.factories.bots import NOW, MakeBot
from tests.factories.databases import OwnerSql
from tests.factories.promotions import a_good_backtest
from tests.factories.resets import reset, revert
from tests.factories.stage_changes import set_bot
from tests.factories.statements import statements

SIMULATOR = Suppliers("simulator", can=True)
CAPS = PlannerCaps(Caps(3, 0, 6))  # no improvements: backtests alone
TERMS = PlannerTerms(CAPS, SIMULATOR)


def tick(tx: Transactions, terms: PlannerTerms = TERMS) -> Tick:
    made = run_tick(tx, terms, cause=TickCause.CLOCK)
    assert made is not None
    return made


def reasons(made: Tick, name: str = "not_enqueued_reasons") -> dict[str, int]:
    found: dict[str, int] = made.summary[name]  # type: ignore[assignment]
    return {code: count for code, count in found.items() if count}


def grade_queued(tx: Transactions, store: BarsStore, *bots: UUID, suppliers: Suppliers = SIMULATOR) -> None:
    terms = replace(GradeTerms(), caps=Caps(100, 100, 100), suppliers=suppliers)
    grade_bots(tx, store, bots, run_id="run", actor="test", now=NOW, terms=terms)


def decided(owner_sql: OwnerSql, bot_id: UUID) -> list[tuple[object, ...]]:
    query = "SELECT enqueued, reason_code, not_started FROM autonomy_bot_decisions WHERE bot_id = %s ORDER BY id"
    return list(owner_sql(query, bot_id))


def test_new_bots_get_their_baseline_once_and_the_ledger_says_who_planned_it(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    bots = [make_bot(f"bot {number}") for number in range(5)]
    first, second = tick(tx), tick(tx)
    assert first.jobs_enqueued == 5
    assert second.jobs_enqueued == 0
    assert reasons(second) == {NotEnqueued.ACTIVE_JOB_EXISTS: 5}
    assert reasons(first, "not_started_reasons") == {NotStarted.CAP_REACHED_TYPE: 2}
    found = owner_sql("SELECT bot_id, job_type, kind, actor, attempt, iteration FROM bot_jobs ORDER BY created_at")
    assert [row[0] for row in found] == bots
    assert {row[1:] for row in found} == {("BACKTEST", "BASELINE", "planner", 1, 1)}
    assert owner_sql("SELECT DISTINCT reason_code FROM job_run_events") == [("PLANNED",)]
    assert owner_sql("SELECT count(*) FROM activity_events WHERE event_type = 'BACKTEST_QUEUED'") == [(5,)]
    with tx() as session:
        assert check_invariants(session) == ()


def test_the_figures_of_a_tick_are_those_of_the_jobs_there_are(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    for number in range(7):
        make_bot(f"bot {number}", symbol=("ES", "CL")[number % 2])
    made = tick(tx)
    with tx() as session:
        claim_chunk(session, caps=CAPS.running, most=9, terms=LeaseTerms(), run_id="run")
    assert made.summary["jobs_enqueued_by_type"] == {"BACKTEST": 7, "IMPROVE": 0, "EVOLVE": 0}
    later = tick(tx)
    counted: dict[str, int] = dict(owner_sql("SELECT status, count(*) FROM bot_jobs GROUP BY status"))
    assert counted == {"RUNNING": 3, "QUEUED": 4}
    assert later.summary["currently_running_jobs_by_type"] == {"BACKTEST": 3, "IMPROVE": 0, "EVOLVE": 0}
    assert reasons(later, "not_started_reasons") == {NotStarted.CAP_REACHED_TYPE: 4}
    stored = owner_sql("SELECT summary, jobs_enqueued, cause FROM autonomy_planner_runs ORDER BY started_at")
    assert [row[0] for row in stored] == [made.summary, later.summary]
    assert [row[1] for row in stored] == [7, 0]


def test_what_is_decided_of_a_bot_is_written_when_it_changes(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, es_bars: None, owner_sql: OwnerSql
) -> None:
    bot = make_bot()
    for _ in range(3):
        tick(tx)
    assert decided(owner_sql, bot) == [(True, "NO_BASELINE", None), (False, "ACTIVE_JOB_EXISTS", None)]
    grade_queued(tx, store, bot)
    for _ in range(3):
        tick(tx)
    assert decided(owner_sql, bot)[2:] == [(False, "BASELINE_FRESH", None)]


def test_a_new_version_a_reset_and_a_revert_each_ask_for_a_baseline(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, es_bars: None
) -> None:
    bot = make_bot()
    grade_queued(tx, store, bot)
    assert reasons(tick(tx)) == {NotEnqueued.BASELINE_FRESH: 1}
    with tx() as session:
        change_bot(session, bot, BotChange(params={"fast": 7}), revisions=None, actor="test", now=NOW)
    for act in (None, reset, revert):
        if act is not None:
            act(tx, bot)
        assert tick(tx).jobs_enqueued == 1, act
        grade_queued(tx, store, bot)
        assert reasons(tick(tx)) == {NotEnqueued.BASELINE_FRESH: 1}, act


def test_a_refresh_of_what_did_not_change_points_at_the_result_there_is(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, es_bars: None, owner_sql: OwnerSql
) -> None:
    bot = make_bot()
    grade_queued(tx, store, bot)
    now = replace(TERMS, caps=replace(CAPS, baseline_max_age=timedelta(0)))
    assert tick(tx, now).jobs_enqueued == 1
    grade_queued(tx, store, bot)
    jobs_done = owner_sql("SELECT kind, status, session_id FROM bot_jobs ORDER BY created_at")
    [(session_id,)] = owner_sql("SELECT id FROM backtest_sessions")
    assert jobs_done == [("BASELINE", "COMPLETED", session_id), ("REFRESH", "COMPLETED", session_id)]
    with tx() as session:
        assert check_invariants(session) == ()
    simulate_months(tx, store, ["ES"], ["2024-02"], actor="test", now=NOW)
    tick(tx, now)
    grade_queued(tx, store, bot)
    assert owner_sql("SELECT count(*) FROM backtest_sessions") == [(2,)]


def test_bars_of_a_new_trading_day_ask_for_a_refresh(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, es_bars: None, owner_sql: OwnerSql
) -> None:
    bot = make_bot()
    grade_queued(tx, store, bot)
    simulate_months(tx, store, ["ES"], ["2024-02"], actor="test", now=NOW)
    assert tick(tx).jobs_enqueued == 1
    assert decided(owner_sql, bot)[-1] == (True, "NEW_SESSION", None)


def test_a_bot_without_bars_is_not_tried_again_until_bars_or_suppliers_change(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    nobody = Suppliers("none", can=False)
    terms = replace(TERMS, suppliers=nobody)
    bot = make_bot()
    assert reasons(tick(tx, terms)) == {NotEnqueued.DATA_UNAVAILABLE: 1}
    with tx() as session:
        enqueue_job(session, bot, kind=BacktestKind.BASELINE, actor="person")
    grade_queued(tx, store, bot, suppliers=nobody)
    assert owner_sql("SELECT status, error_code FROM bot_jobs") == [("FAILED", "DATA_UNAVAILABLE")]
    assert reasons(tick(tx, terms)) == {NotEnqueued.DATA_UNAVAILABLE: 1}
    assert tick(tx).jobs_enqueued == 1, "somebody can supply bars now"
    grade_queued(tx, store, bot)
    assert reasons(tick(tx)) == {NotEnqueued.DATA_UNAVAILABLE: 1}
    simulate_months(tx, store, ["ES"], [MONTH], actor="test", now=NOW)
    assert tick(tx).jobs_enqueued == 1, "there are bars now"


def test_while_a_fetch_is_under_way_its_symbol_s_jobs_are_pending(tx: Transactions, make_bot: MakeBot) -> None:
    make_bot("one")
    make_bot("two", symbol="CL")
    with tx() as session:
        engine = session.get_bind().engine
    with if_nobody_else(engine, "ES") as mine:
        assert mine
        assert reasons(tick(tx), "not_started_reasons") == {NotStarted.BARS_PENDING: 1}
    assert reasons(tick(tx), "not_started_reasons") == {}


def lose(owner_sql: OwnerSql, *, ago: str) -> None:
    owner_sql(
        "UPDATE bot_jobs SET status = 'RUNNING', lease_token = id, lease_expires_at = now() WHERE status = 'QUEUED'"
    )
    owner_sql(
        "UPDATE bot_jobs SET status = 'TIMEOUT', error_code = 'HEARTBEAT_TIMEOUT', lease_token = NULL, "
        "lease_expires_at = NULL, epoch = 0, version_id = (SELECT current_version_id FROM bots), "
        f"completed_at = clock_timestamp() - interval '{ago}' WHERE status = 'RUNNING'"
    )


def test_a_lost_attempt_without_a_successor_is_planned_again_in_its_time(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    bot = make_bot()
    tick(tx)
    lose(owner_sql, ago="10 seconds")
    assert tick(tx).jobs_enqueued == 1
    lose(owner_sql, ago="10 seconds")  # of a backoff of 16 s
    found = owner_sql("SELECT attempt, iteration FROM bot_jobs ORDER BY attempt")
    assert found == [(1, 1), (2, 1)]
    assert owner_sql("SELECT count(DISTINCT root_job_id) FROM bot_jobs") == [(1,)]
    assert reasons(tick(tx)) == {NotEnqueued.BACKOFF: 1}
    assert decided(owner_sql, bot)[-1] == (False, "BACKOFF", None)


def test_a_tick_takes_the_same_number_of_statements_whatever_the_fleet(
    tx: Transactions, engine: Engine, make_bot: MakeBot
) -> None:
    counts = []
    for more in (2, 30):
        for number in range(more):
            make_bot(f"bot {more} {number}")
        with statements(engine) as seen:
            tick(tx)
        counts.append(seen)
    assert [line[:60] for line in counts[0]] == [line[:60] for line in counts[1]]


def test_two_planners_at_once_plan_once(tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql) -> None:
    for number in range(20):
        make_bot(f"bot {number}")
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            list(pool.map(lambda _n: run_tick(tx, TERMS, cause=TickCause.CLOCK), range(4)))
    assert owner_sql("SELECT count(*), count(DISTINCT bot_id) FROM bot_jobs") == [(20, 20)]


def test_a_job_that_somebody_asks_for_while_the_planner_plans_is_not_doubled(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    bots = [make_bot(f"bot {number}") for number in range(12)]

    def ask(bot_id: UUID) -> None:
        with suppress(GantryError), tx() as session:  # CONFLICT: the planner came first
            enqueue_job(session, bot_id, kind=BacktestKind.MANUAL, actor="person")

    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(ask, bot_id) for bot_id in bots]
        planned = [pool.submit(run_tick, tx, TERMS, cause=TickCause.CLOCK) for _ in range(4)]
        assert [done.result() for done in asked] == [None] * len(bots)
        assert [done.exception() for done in planned] == [None] * 4
    tick(tx)
    assert owner_sql("SELECT count(*), count(DISTINCT bot_id) FROM bot_jobs") == [(12, 12)]
    with tx() as session:
        assert check_invariants(session) == ()


def test_old_ticks_and_decisions_go_and_what_is_shown_stays(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    bot = make_bot()
    for _ in range(60):
        tick(tx)
    owner_sql("UPDATE autonomy_planner_runs SET started_at = started_at - interval '8 days'")
    owner_sql("UPDATE autonomy_bot_decisions SET created_at = created_at - interval '8 days'")
    assert prune_ticks(tx) == 9 + 1
    assert owner_sql("SELECT count(*), sum(jobs_enqueued) FROM autonomy_planner_runs") == [(51, 1)]
    assert decided(owner_sql, bot) == [(False, "ACTIVE_JOB_EXISTS", None)]
    assert prune_ticks(tx) == 0


def test_a_tick_promotes_nobody_on_simulated_bars_in_development_either(tx: Transactions, make_bot: MakeBot) -> None:
    simulated, imported = make_bot("simulated"), make_bot("imported")
    for bot_id, label in ((simulated, DataLabel.SIMULATED), (imported, DataLabel.IMPORTED)):
        a_good_backtest(tx, bot_id, now=NOW, label=label)
        set_bot(tx, bot_id, promotion_mode=PromotionMode.AUTO)
    assert tick(tx, replace(TERMS, development=True)).promoted == (imported,)


def test_a_tick_promotes_who_meets_the_gates_unless_a_person_must(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    auto, manual, locked = (make_bot(name) for name in ("auto", "manual", "locked"))
    for bot_id in (auto, manual, locked):
        a_good_backtest(tx, bot_id, now=NOW)
    set_bot(tx, auto, promotion_mode=PromotionMode.AUTO)
    set_bot(tx, locked, promotion_mode=PromotionMode.AUTO, stage_locked_until=datetime(2999, 1, 1, tzinfo=UTC))
    made = tick(tx)
    assert made.promoted == (auto,)
    assert reasons(made) == {
        NotEnqueued.BASELINE_FRESH: 1,
        NotEnqueued.PROMOTION_MANUAL: 1,
        NotEnqueued.STAGE_LOCKED: 1,
    }
    assert owner_sql("SELECT stage FROM bots ORDER BY name") == [("PAPER",), ("LAB",), ("LAB",)]
    audit = owner_sql("SELECT bot_id, actor, event_type FROM bot_stage_events WHERE to_stage = 'PAPER'")
    assert audit == [(auto, "planner", "PROMOTED")]
    assert reasons(tick(tx))[NotEnqueued.NOT_IN_LAB] == 1


def test_a_row_of_another_version_of_gantry_holds_nobody_up(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    odd, other = make_bot("odd"), make_bot("other")
    tick(tx)
    owner_sql("ALTER TABLE bot_jobs DISABLE TRIGGER USER")
    owner_sql(
        "UPDATE bot_jobs SET status = 'FAILED', error_code = 'OF_ANOTHER_VERSION', completed_at = now(), epoch = 0, "
        "version_id = (SELECT current_version_id FROM bots WHERE id = bot_id) WHERE bot_id = %s",
        odd,
    )
    owner_sql("ALTER TABLE bot_versions DISABLE TRIGGER USER")
    owner_sql("UPDATE bot_versions SET \"window\" = '[]' WHERE bot_id = %s", other)
    made = tick(tx)
    assert made.summary["bots_evaluated"] == 2
    assert reasons(made)[NotEnqueued.BACKOFF] == 1, "it counts as a run that broke"


def test_a_version_that_cannot_be_read_fails_its_bot_once_and_not_at_every_tick(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, es_bars: None, owner_sql: OwnerSql
) -> None:
    bot = make_bot(window_start=MONTH, window_end=MONTH)
    owner_sql("ALTER TABLE bot_versions DISABLE TRIGGER USER")
    owner_sql("UPDATE bot_versions SET costs = '{}'")
    grade_queued(tx, store, bot)
    assert owner_sql("SELECT status, error_code FROM bot_jobs") == [("FAILED", "VALIDATION_FAILED")]
    for _ in range(3):
        assert reasons(tick(tx)) == {NotEnqueued.RETRIES_EXHAUSTED: 1}


def bars_of(tx: Transactions, *sessions: int) -> None:
    """Put a month of ES in use for each of these numbers of sessions."""
    with tx() as session:
        for number, count in enumerate(sessions, start=1):
            make_month(session, month=f"2024-{number:02d}", quality_report={"sessions": count})


def test_improvements_queue_no_deeper_than_they_run_soon(tx: Transactions, make_bot: MakeBot) -> None:
    bars_of(tx, 22, 20)
    for number in range(9):
        a_good_backtest(tx, make_bot(f"bot {number}"), now=NOW)
    one_at_a_time = replace(TERMS, caps=PlannerCaps(Caps(3, 1, 6)))
    made = tick(tx, one_at_a_time)
    assert made.summary["jobs_enqueued_by_type"] == {"BACKTEST": 0, "IMPROVE": IMPROVEMENTS_AHEAD, "EVOLVE": 0}
    assert made.summary["eligible_candidates_count"] == 9
    assert reasons(made) == {NotEnqueued.CADENCE_NOT_DUE: 9 - IMPROVEMENTS_AHEAD}
    assert tick(tx, one_at_a_time).jobs_enqueued == 0


@pytest.mark.parametrize(("sessions", "planned"), [((22, 7), 0), ((22, 8), 1)])
def test_with_too_little_history_no_improvement_is_queued_and_the_decision_says_so(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql, sessions: tuple[int, ...], planned: int
) -> None:
    bars_of(tx, *sessions)
    bot = make_bot()
    a_good_backtest(tx, bot, now=NOW, label=DataLabel.SIMULATED)
    made = tick(tx, replace(TERMS, caps=PlannerCaps(Caps(3, 1, 6))))
    assert made.jobs_enqueued == planned
    assert reasons(made) == ({} if planned else {NotEnqueued.NOT_ENOUGH_HISTORY: 1})
    assert decided(owner_sql, bot) == [(True, "IMPROVE_DUE", None) if planned else (False, "NOT_ENOUGH_HISTORY", None)]
    assert owner_sql("SELECT count(*) FROM bot_jobs WHERE job_type <> 'BACKTEST'") == [(planned,)]
    with tx() as session:
        assert get_bot(session, bot, now=NOW).bot_now.state is (BotState.IMPROVING_QUEUED if planned else BotState.IDLE)
