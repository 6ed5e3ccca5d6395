"""Bars that come in: which bots are due for them, when, and which bars they are graded on from then on."""

from dataclasses import replace
from uuid import UUID

import numpy as np

from fleet.caps import Caps
from fleet.closed_sets import NotEnqueued, TickCause
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from integrations.store import BarsStore
from services.backtests.compute import load_material
from services.backtests.grade import grade_bots
from services.bars.simulate import simulate_months
from services.bars.verdicts.accept import accept_session
from services.bots.read import get_bot
from services.jobs.plan import BarsKey
from services.jobs.terms import GradeTerms
from services.planner.terms import PlannerTerms
from services.planner.tick import Tick, run_tick
from sql.engine import Transactions
from tests.factories import edge_bars
from tests.factories.bars import ns, without
from tests.factories.bots import NOW, MakeBot
from tests.factories.databases import OwnerSql
from tests.factories.edge_bars import put_in_use
from trading.bars.months import with_used_contracts

SIMULATOR = Suppliers("simulator", can=True)
TERMS = PlannerTerms(PlannerCaps(Caps(3, 0, 6)), SIMULATOR)  # no improvements: backtests alone


def tick(tx: Transactions) -> Tick:
    made = run_tick(tx, TERMS, cause=TickCause.CLOCK)
    assert made is not None
    return made


def fresh(made: Tick) -> int:
    """How many bots the tick left alone as their baseline is fresh."""
    reasons: dict[str, int] = made.summary["not_enqueued_reasons"]  # type: ignore[assignment]
    return reasons[NotEnqueued.BASELINE_FRESH]


def grade_queued(tx: Transactions, store: BarsStore, *bots: UUID, terms: GradeTerms | None = None) -> None:
    given = replace(terms or GradeTerms(), caps=Caps(100, 100, 100), suppliers=SIMULATOR)
    grade_bots(tx, store, bots, run_id="run", actor="test", now=NOW, terms=given)


def label_of(tx: Transactions, bot: UUID) -> str | None:
    with tx() as session:
        return get_bot(session, bot, now=NOW).data_label


def test_they_make_all_bots_of_their_symbol_due_at_the_next_tick_and_once(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, es_bars: None, owner_sql: OwnerSql
) -> None:
    bots = {make_bot(f"bot {number}") for number in range(2)}
    make_bot("other", symbol="CL")
    grade_queued(tx, store, *bots)
    assert fresh(tick(tx)) == 2
    simulate_months(tx, store, ["ES"], ["2023-12"], actor="test", now=NOW)  # earlier ones: no later session
    assert {job.bot_id for job in tick(tx).queued} == bots
    decided = owner_sql("SELECT bot_id FROM autonomy_bot_decisions WHERE enqueued AND reason_code = 'NEW_BARS'")
    assert {bot for (bot,) in decided} == bots
    grade_queued(tx, store, *bots)
    assert fresh(tick(tx)) == 2


def test_real_ones_are_graded_on_at_the_next_tick_once_there_are_enough(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, es_bars: None
) -> None:
    bot, whole = make_bot(), edge_bars.swinging()
    grade_queued(tx, store, bot)
    simulate_months(tx, store, ["ES"], ["2024-02"], actor="test", now=NOW)
    few = with_used_contracts(whole.take(whole.ts < ns("2024-01-26T22:00")))
    for bars, sessions, label in ((few, 19, "SIMULATED"), (whole, 22, "IMPORTED")):
        put_in_use(tx, store, bars, now=NOW)
        assert [job.bot_id for job in tick(tx).queued] == [bot], sessions
        grade_queued(tx, store, bot)
        assert (label_of(tx, bot), fresh(tick(tx))) == (label, 1), sessions


def test_few_real_ones_are_graded_on_where_the_terms_say_so(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    simulate_months(tx, store, ["ES"], ["2024-02"], actor="test", now=NOW)
    put_in_use(tx, store, edge_bars.swinging(), now=NOW)
    by_setting, by_name = make_bot("by setting"), make_bot("by name")
    grade_queued(tx, store, by_setting, terms=GradeTerms(min_sessions=23))
    grade_queued(tx, store, by_name, terms=GradeTerms(min_sessions=1))
    assert (label_of(tx, by_setting), label_of(tx, by_name)) == ("SIMULATED", "IMPORTED")


def test_a_session_put_aside_is_crossed_by_no_window_and_once_accepted_its_symbol_is_graded_again(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    put_in_use(tx, store, without(edge_bars.swinging(), "2024-01-17T10:00", "2024-01-17T19:00"), now=NOW)
    bot, asked = make_bot(), BarsKey("ES", "1m", None, None)
    grade_queued(tx, store, bot)
    before, after = load_material(tx, store, asked).windows
    day = int(np.datetime64("2024-01-17").astype(np.int64))
    assert before.session.max() < day < after.session.min()
    assert fresh(tick(tx)) == 1
    accept_session(tx, store, "ES", "2024-01-17", reason="checked by hand", actor="test", now=NOW)
    assert [job.bot_id for job in tick(tx).queued] == [bot]
    grade_queued(tx, store, bot)
    assert fresh(tick(tx)) == 1
    assert len(load_material(tx, store, asked).windows) == 1
