"""A refresh that would find what is there ends at that result; anything that changed has it run."""

from dataclasses import replace
from uuid import UUID

import pytest

from fleet.closed_sets import BacktestKind
from fleet.grading_bars import MIN_SESSIONS
from fleet.planner.bars_outlook import Suppliers
from integrations.store import BarsStore
from services.backtests.compute import Material, load_material
from services.backtests.refreshes import begin, complete, unchanged
from services.jobs.plan import Claim
from sql.engine import Transactions
from tests.factories.bots import MakeBot
from tests.factories.claims import claim, enqueue
from tests.factories.databases import OwnerSql
from tests.factories.graded import grade


@pytest.fixture
def refresh(tx: Transactions, store: BarsStore, make_bot: MakeBot, es_bars: None) -> tuple[Claim, Material]:
    """A claimed refresh of a graded bot, and the bars it was graded on."""
    bot_id = make_bot()
    assert not grade(tx, store, bot_id).failed
    enqueue(tx, bot_id, kind=BacktestKind.REFRESH)
    [held] = claim(tx)
    return held, load_material(tx, store, held.plan.bars)


def found(tx: Transactions, held: Claim, material: Material) -> list[UUID]:
    with tx() as session:
        return list(unchanged(session, [held], material).values())


def test_with_everything_as_it_was_the_result_there_is_stands(
    tx: Transactions, refresh: tuple[Claim, Material], owner_sql: OwnerSql
) -> None:
    [(session_id,)] = owner_sql("SELECT id FROM backtest_sessions")
    held, material = refresh
    assert found(tx, held, material) == [session_id]
    with tx() as session:
        assert complete(session, [held], {held.job_id: session_id}) == {held.job_id}
    ended = owner_sql("SELECT status, session_id FROM bot_jobs WHERE kind = 'REFRESH'")
    assert ended == [("COMPLETED", session_id)]
    ledger = owner_sql("SELECT metadata->'unchanged' FROM job_run_events WHERE job_id = %s ORDER BY id", held.job_id)
    assert ledger[-1] == (True,)


@pytest.mark.parametrize("different", ["bars", "costs", "version", "epoch", "kind"])
def test_whatever_changed_has_the_backtest_run(
    tx: Transactions, refresh: tuple[Claim, Material], different: str
) -> None:
    held, material = refresh
    if different == "bars":
        material = replace(material, loaded=replace(material.loaded, bars_hash="0" * 64))
    elif different == "costs":
        held = replace(held, plan=replace(held.plan, costs=replace(held.plan.costs, contracts=2)))
    elif different == "version":
        held = replace(held, version_id=held.token)
    elif different == "epoch":
        held = replace(held, epoch=held.epoch + 1)
    else:
        held = replace(held, kind=BacktestKind.BASELINE)
    assert found(tx, held, material) == []


def test_who_lost_the_lease_ends_nothing(
    tx: Transactions, refresh: tuple[Claim, Material], owner_sql: OwnerSql
) -> None:
    held, material = refresh
    [session_id] = found(tx, held, material)
    with tx() as session:
        late = replace(held, token=held.job_id)
        assert complete(session, [late], {held.job_id: session_id}) == frozenset()
    assert owner_sql("SELECT status FROM bot_jobs WHERE kind = 'REFRESH'") == [("RUNNING",)]


def test_a_job_that_begins_notes_what_bars_and_suppliers_there_are(
    tx: Transactions, refresh: tuple[Claim, Material], owner_sql: OwnerSql
) -> None:
    held, _material = refresh

    def noted(suppliers: Suppliers) -> object:
        begin(tx, [held], held.plan.bars, suppliers, MIN_SESSIONS)
        return owner_sql("SELECT bars_generation FROM bot_jobs WHERE id = %s", held.job_id)

    one, again, other = (noted(Suppliers(name, can=True)) for name in ("one", "one", "other"))
    assert one == again != other
