"""`/api/_proof/jobs`: figures that equal the rows, in a fixed number of queries."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from fleet.closed_sets import JobStatus
from sql.engine import Transactions
from tests.factories.api import Api, create
from tests.factories.bots import make_bot
from tests.factories.databases import OwnerSql
from tests.factories.jobs import make_job, run_job
from tests.factories.statements import statements

PATH = "/api/_proof/jobs"


def test_an_empty_fleet_has_zero_counts_of_everything(api: Api) -> None:
    proof = api.get(PATH).json()
    assert proof["counts"] == {"QUEUED": 0, "RUNNING": 0, "COMPLETED": 0, "FAILED": 0, "TIMEOUT": 0, "CANCELED": 0}
    assert proof["byType"] == dict.fromkeys(("BACKTEST", "IMPROVE", "EVOLVE"), proof["counts"])
    assert proof["oldest_queued_seconds"] is None
    assert (proof["stuck"], proof["stuck_count"], proof["last_job_per_bot"]) == ([], 0, [])
    assert proof["page"] == {"next_cursor": None, "limit": 50}


def test_jobs_are_counted_by_status_and_type(api: Api, tx: Transactions) -> None:
    with tx() as session:
        for number, status in enumerate((*JobStatus, JobStatus.COMPLETED)):
            make_job(session, make_bot(session, f"bot {number}"), status)
        make_job(session, make_bot(session, "improved"), job_type="IMPROVE", kind=None)
    proof = api.get(PATH).json()
    assert proof["counts"] == {"QUEUED": 2, "RUNNING": 1, "COMPLETED": 2, "FAILED": 1, "TIMEOUT": 1, "CANCELED": 1}
    assert proof["byType"]["IMPROVE"] == {**dict.fromkeys(proof["counts"], 0), "QUEUED": 1}
    assert proof["byType"]["BACKTEST"] == {**proof["counts"], "QUEUED": 1}
    assert 0 <= proof["oldest_queued_seconds"] < 60


def test_what_should_have_moved_on_is_stuck_and_what_waits_for_its_time_is_not(
    api: Api, tx: Transactions, owner_sql: OwnerSql
) -> None:
    with tx() as session:
        jobs = {name: make_job(session, make_bot(session, name)) for name in ("lost", "long", "late", "later", "new")}
        run_job(session, jobs["lost"], lease_s=-5)
        run_job(session, jobs["long"])
        make_job(session, make_bot(session, "well"), JobStatus.RUNNING)
        ids = {name: job.id for name, job in jobs.items()}
    owner_sql("UPDATE bot_jobs SET started_at = now() - interval '31 minutes' WHERE id = %s", ids["long"])
    owner_sql("ALTER TABLE bot_jobs DISABLE TRIGGER legal_transition")
    owner_sql("UPDATE bot_jobs SET created_at = now() - interval '11 minutes' WHERE id = %s", ids["late"])
    owner_sql(
        "UPDATE bot_jobs SET created_at = now() - interval '1 hour', not_before = now() - interval '9 minutes' "
        "WHERE id = %s",
        ids["later"],
    )
    proof = api.get(PATH).json()
    found = {row["job_id"]: row for row in proof["stuck"]}
    assert list(found) == [str(ids[name]) for name in ("long", "late", "lost")]
    assert proof["stuck_count"] == 3
    assert 31 * 60 <= found[str(ids["long"])]["age_seconds"] < 32 * 60
    assert found[str(ids["long"])]["last_heartbeat_at"]
    assert 11 * 60 <= found[str(ids["late"])]["age_seconds"] < 12 * 60
    assert found[str(ids["late"])]["status"] == "QUEUED"
    assert proof["oldest_queued_seconds"] >= 3600


def test_each_bots_newest_job_is_shown_page_by_page_while_bots_are_made(api: Api, tx: Transactions) -> None:
    with tx() as session:
        bots = [make_bot(session, f"bot {number}") for number in range(5)]
        for bot in bots:
            make_job(session, bot, JobStatus.FAILED)
        newest = {str(bot.id): str(make_job(session, bot, iteration=2).id) for bot in bots}
        make_bot(session, "without a job")
    seen: list[dict[str, Any]] = []
    cursor = None
    for _ in range(10):
        body = api.get(PATH, params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += body["last_job_per_bot"]
        create(api, name=f"late {len(seen)}")
        cursor = body["page"]["next_cursor"]
        if cursor is None:
            break
    assert {row["bot_id"]: row["job_id"] for row in seen} == newest
    assert len(seen) == 5
    assert {(row["job_type"], row["status"], row["attempt"], row["iteration"]) for row in seen} == {
        ("BACKTEST", "QUEUED", 1, 2)
    }


def test_an_archived_bots_job_is_counted_and_shown_no_more(api: Api, tx: Transactions) -> None:
    bot_id = create(api)["id"]
    api.post(f"/api/bots/{bot_id}/run-backtest")
    api.post(f"/api/bots/{bot_id}/archive")
    proof = api.get(PATH).json()
    assert proof["counts"]["CANCELED"] == 1
    assert proof["last_job_per_bot"] == []


@pytest.mark.parametrize("query", ["limit=0", "cursor=x", "limit=many"])
def test_what_can_not_be_asked_is_400(unreachable: Api, query: str) -> None:
    assert unreachable.get(f"{PATH}?{query}").status_code == 400


def test_a_fleet_of_hundreds_takes_as_many_queries_as_none(api: Api, engine: Engine, tx: Transactions) -> None:
    with statements(engine) as none:
        api.get(PATH)
    api.post("/api/bots/starter-pack", json={"count": 300})
    with tx() as session:
        session.execute(text("ANALYZE bot_jobs"))
    with statements(engine) as hundreds:
        assert len(api.get(f"{PATH}?limit=200").json()["last_job_per_bot"]) == 200
    assert len(hundreds) == len(none) <= 5
