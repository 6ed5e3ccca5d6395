"""`/api/_proof/autonomy`: ticks whose counts equal the jobs they made, and what was decided of each bot."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from fleet.closed_sets import JobStatus, JobType, NotEnqueued, NotStarted, TickCause
from sql.engine import Transactions
from tests.factories.api import Api, create
from tests.factories.bots import make_bot
from tests.factories.databases import OwnerSql
from tests.factories.jobs import make_job
from tests.factories.rounds import tick
from tests.factories.statements import statements

PATH = "/api/_proof/autonomy"
DECISIONS = f"{PATH}/decisions"
MADE_BY = (
    "SELECT j.job_type, count(*)::int FROM bot_jobs j JOIN autonomy_bot_decisions d ON d.job_id = j.id "
    "WHERE d.planner_run_id = %s GROUP BY j.job_type"
)


def test_before_the_first_tick_there_is_no_run_and_none_is_made_up(api: Api) -> None:
    proof = api.get(PATH).json()
    assert (proof["latestRun"], proof["runs"]) == (None, [])
    assert api.get(DECISIONS).json()["data"] == []


def test_the_counts_of_a_tick_are_those_of_the_jobs_there_are(api: Api, tx: Transactions, owner_sql: OwnerSql) -> None:
    for number in range(7):
        create(api, name=f"bot {number}", symbol=("ES", "CL")[number % 2])
    with tx() as session:
        make_job(session, make_bot(session, "busy"), JobStatus.RUNNING)
    gone = create(api, name="gone")["id"]
    api.post(f"/api/bots/{gone}/archive")
    made = tick(tx, TickCause.PERSON)
    proof = api.get(PATH).json()
    run, summary = proof["latestRun"], proof["latestRun"]["summary"]
    assert (run["id"], run["cause"]) == (str(made.id), "PERSON")
    assert run["started_at"] <= run["finished_at"]
    assert proof["runs"] == [run]
    rows: dict[str, int] = dict(owner_sql(MADE_BY, UUID(run["id"])))
    assert rows == {"BACKTEST": 7}
    assert summary["jobs_enqueued_by_type"] == dict.fromkeys(JobType, 0) | rows
    assert summary["jobs_enqueued"] == sum(rows.values()) == summary["eligible_candidates_count"]
    assert owner_sql("SELECT count(*)::int FROM bot_jobs WHERE status = 'QUEUED'") == [(7,)]
    assert owner_sql("SELECT DISTINCT trace_id FROM bot_jobs WHERE actor = 'planner'") == [(run["trace_id"],)]
    assert summary["currently_running_jobs_by_type"] == {"BACKTEST": 1, "IMPROVE": 0, "EVOLVE": 0}
    assert summary["concurrency_caps"] == {
        "maxBacktestsRunning": 3, "maxImproveRunning": 2, "maxTotalJobs": 6, "perBot": 1, "perSymbol": None,
    }  # fmt: skip
    assert summary["not_enqueued_reasons"] == dict.fromkeys(NotEnqueued, 0) | {"ACTIVE_JOB_EXISTS": 1, "ARCHIVED": 1}
    assert set(summary["not_started_reasons"]) == set(NotStarted)
    assert summary["bots_evaluated"] == 9 == summary["jobs_enqueued"] + sum(summary["not_enqueued_reasons"].values())


def test_the_next_tick_makes_nothing_and_says_of_every_bot_why(api: Api, tx: Transactions) -> None:
    for number in range(4):
        create(api, name=f"bot {number}")
    tick(tx)
    tick(tx)
    latest, first = api.get(PATH).json()["runs"]
    assert (first["summary"]["jobs_enqueued"], latest["summary"]["jobs_enqueued"]) == (4, 0)
    assert latest["summary"]["not_enqueued_reasons"]["ACTIVE_JOB_EXISTS"] == 4
    assert latest["summary"]["not_started_reasons"]["CAP_REACHED_TYPE"] == 1


def test_the_last_fifty_runs_are_shown_and_the_newest_that_made_jobs_stays_in_sight(
    api: Api, tx: Transactions, owner_sql: OwnerSql
) -> None:
    create(api)
    busy = tick(tx)
    for _ in range(50):
        tick(tx)
    runs = api.get(PATH).json()["runs"]
    assert len(runs) == 51
    assert runs[-1]["id"] == str(busy.id)
    times = [run["started_at"] for run in runs]
    assert times == sorted(times, reverse=True)
    owner_sql("UPDATE autonomy_planner_runs SET jobs_enqueued = 1 WHERE id = %s", UUID(runs[3]["id"]))
    assert [run["id"] for run in api.get(PATH).json()["runs"]] == [run["id"] for run in runs[:50]]


def test_a_code_that_came_after_a_tick_stands_there_at_zero(api: Api, tx: Transactions, owner_sql: OwnerSql) -> None:
    tick(tx)
    owner_sql("UPDATE autonomy_planner_runs SET summary = summary #- '{not_enqueued_reasons,BACKOFF}'")
    assert api.get(PATH).json()["latestRun"]["summary"]["not_enqueued_reasons"]["BACKOFF"] == 0


def test_each_bots_newest_decision_is_listed_page_by_page_while_bots_are_made(api: Api, tx: Transactions) -> None:
    bots = [create(api, name=f"bot {number}")["id"] for number in range(5)]
    tick(tx)
    tick(tx)
    seen: list[dict[str, Any]] = []
    cursor = None
    while not seen or cursor:
        body = api.get(DECISIONS, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += body["data"]
        create(api, name=f"late {len(seen)}")
        tick(tx)
        cursor = body["page"]["next_cursor"]
    assert [row["bot_id"] for row in seen] == bots[::-1]
    assert {(row["enqueued"], row["reason_code"]) for row in seen} == {(False, "ACTIVE_JOB_EXISTS")}
    assert [row["not_started"] for row in seen] == ["CAP_REACHED_TYPE"] * 2 + [None] * 3


def test_decisions_of_one_reason_are_as_many_as_the_tick_counted(api: Api, tx: Transactions) -> None:
    for number in range(5):
        create(api, name=f"bot {number}")
    gone = create(api, name="gone")["id"]
    api.post(f"/api/bots/{gone}/archive")
    tick(tx)
    tick(tx)
    summary = api.get(PATH).json()["latestRun"]["summary"]
    for code, count in {**summary["not_enqueued_reasons"], **summary["not_started_reasons"]}.items():
        found = api.get(DECISIONS, params={"reason": code, "limit": 200}).json()["data"]
        assert len(found) == count, code
        assert {code} <= {code for row in found for code in (row["reason_code"], row["not_started"])} or not count
    assert summary["not_enqueued_reasons"]["ARCHIVED"] == 1


def test_a_bots_decisions_tell_its_story_newest_first(api: Api, tx: Transactions) -> None:
    bot_id = create(api)["id"]
    create(api, name="another")
    first = tick(tx)
    for _ in range(3):  # nothing changes any more after the first of these
        tick(tx)
    api.post(f"/api/bots/{bot_id}/archive")
    tick(tx)
    story: list[dict[str, Any]] = []
    cursor = None
    while not story or cursor:
        asked = {"bot_id": bot_id, "limit": 1} | ({"cursor": cursor} if cursor else {})
        body = api.get(DECISIONS, params=asked).json()
        story += body["data"]
        cursor = body["page"]["next_cursor"]
    assert [row["reason_code"] for row in story] == ["ARCHIVED", "ACTIVE_JOB_EXISTS", "NO_BASELINE"]
    assert [row["enqueued"] for row in story] == [False, False, True]
    assert story[-1]["planner_run_id"] == str(first.id)
    (job,) = api.get(f"/api/bots/{bot_id}/jobs").json()["data"]
    assert (story[-1]["job_id"], story[-1]["job_type"]) == (job["id"], "BACKTEST")


@pytest.mark.parametrize("query", ["limit=0", "cursor=x", "limit=many", "bot_id=one", "reason=BECAUSE"])
def test_what_can_not_be_asked_is_400(unreachable: Api, query: str) -> None:
    assert unreachable.get(f"{DECISIONS}?{query}").status_code == 400


def test_decisions_of_no_bot_are_404(api: Api) -> None:
    assert api.get(f"{DECISIONS}?bot_id=019a0000-0000-7000-8000-000000000000").status_code == 404


def test_a_cursor_of_the_fleet_is_none_of_a_bot(api: Api, tx: Transactions) -> None:
    bots = [create(api, name=f"bot {number}")["id"] for number in range(2)]
    tick(tx)
    cursor = api.get(f"{DECISIONS}?limit=1").json()["page"]["next_cursor"]
    assert api.get(f"{DECISIONS}?bot_id={bots[0]}&cursor={cursor}").status_code == 400


def test_a_fleet_of_hundreds_takes_as_many_queries_as_none(api: Api, engine: Engine, tx: Transactions) -> None:
    paths = (PATH, f"{DECISIONS}?limit=200")
    with statements(engine) as none:
        for path in paths:
            api.get(path)
    api.post("/api/bots/starter-pack", json={"count": 300})
    for _ in range(3):
        tick(tx)
    with statements(engine) as hundreds:
        assert len([api.get(path).json() for path in paths][1]["data"]) == 200
    assert len(hundreds) == len(none) == 3
