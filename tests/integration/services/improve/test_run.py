"""An improvement adopts what wins on bars with an edge, rejects on noise, and goes on where another one stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import ErrorCode
from fleet.caps import Caps
from fleet.closed_sets import JobStatus, TickCause
from fleet.planner.bars_outlook import Suppliers
from fleet.planner.types import PlannerCaps
from integrations.store import BarsStore
from services.bars.simulate import simulate_months
from services.bots.change import BotChange, change_bot
from services.improve.run import Improver
from services.jobs.read import get_job
from services.jobs.reaper import fail_jobs_of_dead_runs
from services.planner.terms import PlannerTerms
from services.planner.tick import run_tick
from services.proof.invariants import check_invariants
from sql.engine import Transactions, unavailable
from sql.tables.events import Activity
from sql.tables.improvements import BotImprovement
from sql.tables.jobs import BotJob
from tests.factories.bars_months import MONTH
from tests.factories.bots import NOW, MakeBot
from tests.factories.databases import OwnerSql
from tests.factories.improvements import (
    FAR_OFF,
    STEPS,
    TERMS,
    Killed,
    assert_sound,
    die,
    improve,
    interrupted,
    outcomes,
    queue_improvement,
    reported,
    saved,
    take,
    version_of,
)
from trading.improve.improvement import Improvement


@pytest.mark.usefixtures("edge")
def test_on_bars_with_an_edge_what_wins_is_adopted_with_its_evidence_and_asks_for_a_baseline(
    tx: Transactions, store: BarsStore, far_off: UUID
) -> None:
    before, base = version_of(tx, far_off)
    job_id = queue_improvement(tx, far_off)
    improved = improve(tx, store)
    assert (improved.status, improved.verdict) == (JobStatus.COMPLETED, "ADOPTED")
    bot, version = version_of(tx, far_off)
    assert (version.number, version.parent_id, version.reason_code) == (2, base.id, "IMPROVED")
    assert (version.strategy, version.costs, version.window) == (base.strategy, base.costs, base.window)
    assert bot.revision == before.revision + 1
    (row,) = outcomes(tx)
    assert (row.version_id, row.base_version_id, row.reason_code) == (version.id, base.id, "ADOPTED")
    assert (row.source, row.candidate) == ("SWEEP", {"strategy": "bollinger_reversion", "params": version.params})
    assert row.evidence["candidate"]["params"] == version.params
    assert row.evidence["incumbent"]["params"] == base.params
    won, won_before = (Decimal(row.evidence[one]["unseen_net_usd"]) for one in ("candidate", "incumbent"))
    assert won > won_before
    assert row.evidence["bars"]["data_label"] == "IMPORTED"
    assert 16 <= row.sets_tried <= 20
    with tx() as session:
        job = get_job(session, job_id)
        assert (job.status, job.progress, bool(job.bars_generation)) == ("COMPLETED", 1.0, True)
    assert saved(tx) == []
    assert reported(tx) == ["IMPROVE_QUEUED", "IMPROVE_STARTED", "IMPROVE_COMPLETED", "VERSION_ADOPTED"]
    terms = PlannerTerms(PlannerCaps(Caps(3, 2, 6)), Suppliers("files", can=False))
    tick = run_tick(tx, terms, cause=TickCause.CLOCK)
    assert tick is not None
    assert tick.jobs_enqueued == 1
    with tx() as session:
        assert [job.kind for job in session.scalars(select(BotJob).where(BotJob.status == "QUEUED"))] == ["BASELINE"]
    assert_sound(tx)


@pytest.mark.usefixtures("noise")
def test_on_noise_nothing_is_adopted_and_the_evidence_is_kept(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot(strategy="bollinger_reversion")
    before, base = version_of(tx, bot_id)
    queue_improvement(tx, bot_id)
    improved = improve(tx, store)
    assert (improved.status, improved.verdict) == (JobStatus.COMPLETED, "REJECTED")
    bot, version = version_of(tx, bot_id)
    assert (version.id, bot.revision) == (base.id, before.revision)
    (row,) = outcomes(tx)
    assert row.reason_code in {check["reason_code"] for check in row.evidence["checks"] if not check["passed"]}
    assert row.version_id is None
    assert reported(tx)[-2:] == ["IMPROVE_COMPLETED", "VERSION_REJECTED"]
    assert_sound(tx)


@pytest.mark.usefixtures("noise")
def test_what_was_tried_on_the_same_bars_before_counts_as_luck(
    tx: Transactions, store: BarsStore, make_bot: MakeBot
) -> None:
    bot_id = make_bot(strategy="bollinger_reversion")
    for place in (1, 2, 3):
        queue_improvement(tx, bot_id, seed=place, place=place)
        improve(tx, store)
    first, second, third = outcomes(tx)
    assert first.evidence["budget"]["tried_before"] == 0
    assert second.evidence["budget"]["tried_before"] == first.sets_tried
    assert third.evidence["tried"] == first.sets_tried + second.sets_tried + third.sets_tried
    assert third.evidence["luck_sharpe"] > first.evidence["luck_sharpe"]


@pytest.mark.usefixtures("edge")
@pytest.mark.parametrize("after", [1, 3, 4])
def test_another_attempt_goes_on_behind_the_last_step_that_was_kept_and_comes_to_the_same(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    steps: list[int] = []
    real = Improvement.step

    def counted(improvement: Improvement) -> bool:
        steps.append(improvement.steps_done)
        return real(improvement)

    monkeypatch.setattr(Improvement, "step", counted)
    one, other = (make_bot(name, strategy="bollinger_reversion", params=FAR_OFF) for name in ("one", "other"))
    queue_improvement(tx, one, place=1)
    improve(tx, store)
    queue_improvement(tx, other, place=2)
    (claim,) = take(tx, run_id="dead")
    with pytest.raises(Killed):
        Improver(interrupted(tx, after, die), store, TERMS).improve(claim)
    assert [(root, done) for root, done, _state in saved(tx)] == [(claim.root_job_id, after)]
    assert len(fail_jobs_of_dead_runs(tx, ["dead"], actor="test").retried) == 1
    improved = improve(tx, store)
    assert improved.status is JobStatus.COMPLETED
    assert improved.job_id != claim.job_id
    assert steps == [*range(STEPS), *range(after), *range(after, STEPS)]
    whole, resumed = outcomes(tx)
    assert (resumed.verdict, resumed.candidate) == (whole.verdict, whole.candidate)
    assert {**resumed.evidence, "root_job_id": ""} == {**whole.evidence, "root_job_id": ""}
    assert_sound(tx)


@pytest.mark.usefixtures("edge")
def test_a_state_of_another_version_is_left_aside(tx: Transactions, store: BarsStore, far_off: UUID) -> None:
    queue_improvement(tx, far_off)
    (claim,) = take(tx, run_id="dead")
    with pytest.raises(Killed):
        Improver(interrupted(tx, 2, die), store, TERMS).improve(claim)
    fail_jobs_of_dead_runs(tx, ["dead"], actor="test")
    with tx() as session:
        wanted = BotChange(params={"period": 500})
        change_bot(session, far_off, wanted, revisions=None, actor="test", now=NOW)
    assert improve(tx, store).status is JobStatus.COMPLETED
    (row,) = outcomes(tx)
    assert row.evidence["incumbent"]["params"]["period"] == 500
    assert row.base_version_id != claim.version_id


@pytest.mark.usefixtures("edge")
def test_a_commit_whose_answer_was_lost_is_found_to_have_happened(
    tx: Transactions, store: BarsStore, far_off: UUID
) -> None:
    lost: list[bool] = []

    @contextmanager
    def forgetful() -> Iterator[Session]:
        with tx() as session:
            yield session
            wrote = session.scalar(select(func.count()).select_from(BotImprovement))
        if wrote and not lost:
            lost.append(True)
            raise unavailable("The connection was cut after the commit.")

    queue_improvement(tx, far_off)
    (claim,) = take(tx)
    improved = Improver(forgetful, store, TERMS).improve(claim)
    assert lost
    assert (improved.status, improved.verdict) == (JobStatus.COMPLETED, "ADOPTED")
    assert len(outcomes(tx)) == 1


def test_without_bars_it_fails_with_a_fix_and_isnt_tried_again(
    tx: Transactions, store: BarsStore, far_off: UUID
) -> None:
    queue_improvement(tx, far_off)
    improved = improve(tx, store)
    assert improved.status is JobStatus.FAILED
    assert improved.error is not None
    assert improved.error.code is ErrorCode.DATA_UNAVAILABLE
    with tx() as session:
        assert session.scalar(select(func.count()).select_from(BotJob)) == 1
        message = session.scalars(select(Activity.message).where(Activity.event_type == "IMPROVE_FAILED")).one()
    assert message.startswith("Improvement failed: ")
    assert_sound(tx)


def test_too_few_sessions_are_no_ground_for_a_verdict(tx: Transactions, store: BarsStore, far_off: UUID) -> None:
    simulate_months(tx, store, ["ES"], [MONTH], actor="test", now=NOW)
    queue_improvement(tx, far_off)
    improved = improve(tx, store, improve=replace(TERMS.improve, folds=9))
    assert improved.error is not None
    assert improved.error.code is ErrorCode.DATA_UNAVAILABLE
    assert outcomes(tx) == []


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize(
    ("plant", "says"),
    [
        (
            "INSERT INTO bot_jobs SELECT (jsonb_populate_record(j, jsonb_build_object('id', gen_random_uuid()))).* "
            "FROM bot_jobs j",
            "is COMPLETED without a verdict",
        ),
        ("UPDATE bot_jobs SET epoch = epoch + 1", "isn't of its job"),
        ("UPDATE bot_jobs SET status = 'CANCELED'", "isn't of its job"),
        (
            "INSERT INTO bot_versions SELECT (jsonb_populate_record(v, jsonb_build_object('id', gen_random_uuid(), "
            "'number', 2, 'reason_code', 'IMPROVED'))).* FROM bot_versions v",
            "has no improvement that adopted it",
        ),
    ],
)
def test_an_effect_without_its_improvement_is_found_by_the_invariants(
    tx: Transactions, store: BarsStore, make_bot: MakeBot, owner_sql: OwnerSql, plant: str, says: str
) -> None:
    queue_improvement(tx, make_bot(strategy="bollinger_reversion"))
    improve(tx, store)
    assert_sound(tx)
    for table in ("bot_jobs", "job_run_events"):
        owner_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # the database itself lets nobody do that
    owner_sql(plant)
    with tx() as session:
        found = check_invariants(session)
    assert [one.facts for one in found if says in one.message]
