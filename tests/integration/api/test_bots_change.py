"""Bots are changed as If-Match knows them, and archived with their jobs."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from api.app import create_app
from core.errors import ErrorCode, GantryError
from core.settings import Settings
from fleet.caps import Caps
from integrations.store import BarsStore
from services.backtests.chunk import ChunkGrader
from services.backtests.grade import grade_bots
from services.bars.simulate import simulate_months
from services.jobs.claim import claim_chunk
from services.jobs.finish import fail_job
from services.jobs.lease import LeaseTerms
from services.jobs.plan import Claim
from services.jobs.read import get_job
from services.proof.invariants import check_invariants
from sql.engine import Transactions
from sql.tables.bots import BotVersion
from sql.tables.jobs import JobRunEvent
from tests.factories.api import Api, calling
from tests.factories.bots import NOW

RUN_FAILED = GantryError(ErrorCode.RUN_FAILED, "The run died.", fix="Look at its log.")
BODY = {"name": "alpha", "symbol": "ES", "strategy": "sma_cross"}


def create(api: Api, **changes: object) -> str:
    response = api.post("/api/bots", json={**BODY, **changes})
    assert response.status_code == 201, response.text
    return str(response.json()["data"]["id"])


def patch(api: Api, bot_id: str, body: dict[str, Any], *, if_match: str | None = '"1"') -> httpx.Response:
    return api.call(
        "PATCH", f"/api/bots/{bot_id}", json=body, headers={} if if_match is None else {"if-match": if_match}
    )


def until_someone_waits(tx: Transactions) -> None:
    """Wait until a transaction of this database waits for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    for _ in range(500):
        with tx() as session:
            if session.scalar(text(query)):
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def claim(tx: Transactions) -> Claim:
    with tx() as session:
        (claimed,) = claim_chunk(session, caps=Caps(), most=1, terms=LeaseTerms(), run_id="run")
    return claimed


def test_what_a_bot_is_made_of_becomes_a_new_version(api: Api, tx: Transactions) -> None:
    bot_id = create(api, params={"fast": 10}, costs={"contracts": 3}, window={"start": "2024-01"})
    body = {"params": {"slow": 200}, "costs": {"slippage_ticks": 2, "contracts": None}, "window": {"end": "2024-06"}}
    response = patch(api, bot_id, body)
    bot = response.json()["data"]
    assert (response.status_code, response.headers["etag"]) == (200, '"2"')
    assert (bot["revision"], bot["version"]) == (2, 2)
    assert bot["params"] == {"fast": 10, "slow": 200}
    assert bot["costs"] == {"slippage_ticks": 2, "commission_usd": "2.25", "contracts": 1}
    assert bot["window"] == {"start": "2024-01", "end": "2024-06"}
    assert api.get(f"/api/bots/{bot_id}").json()["data"] == bot
    with tx() as session:
        old, new = session.scalars(select(BotVersion).order_by(BotVersion.number)).all()
        assert (new.parent_id, new.reason_code, new.trace_id) == (old.id, "CHANGED", response.json()["trace_id"])
    (reported, _) = api.get(f"/api/bots/{bot_id}/activity").json()["data"]
    assert reported["event_type"] == "BOT_CHANGED"
    assert reported["payload"]["changed"]["params"] == {
        "from": {"fast": 10, "slow": 100},
        "to": {"fast": 10, "slow": 200},
    }


def test_the_promotion_mode_is_changed_by_name_only_and_makes_no_version(api: Api) -> None:
    bot_id = create(api)
    auto = patch(api, bot_id, {"promotion_mode": "AUTO"}).json()["data"]
    assert (auto["promotion_mode"], auto["revision"], auto["version"]) == ("AUTO", 2, 1)
    named = patch(api, bot_id, {"name": "beta"}, if_match='"2"').json()["data"]
    assert (named["promotion_mode"], named["revision"]) == ("AUTO", 3)
    assert patch(api, bot_id, {"promotion_mode": "SOMETIMES"}, if_match="*").status_code == 422


def test_a_new_name_makes_no_version_and_a_new_timeframe_does(api: Api) -> None:
    bot_id = create(api)
    named = patch(api, bot_id, {"name": " beta "}).json()["data"]
    assert (named["name"], named["revision"], named["version"]) == ("beta", 2, 1)
    slower = patch(api, bot_id, {"timeframe": "5m"}, if_match='"2"').json()["data"]
    assert (slower["timeframe"], slower["revision"], slower["version"]) == ("5m", 3, 2)


@pytest.mark.parametrize("body", [{}, {"name": "alpha"}, {"params": {"fast": 20}}, {"costs": {}}, {"window": {}}])
def test_a_change_that_changes_nothing_leaves_the_revision(api: Api, body: dict[str, Any]) -> None:
    bot_id = create(api)
    response = patch(api, bot_id, body)
    assert (response.status_code, response.headers["etag"]) == (200, '"1"')
    assert [row["event_type"] for row in api.get("/api/activity").json()["data"]] == ["BOT_CREATED"]


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        (None, 428),
        ('"2"', 412),
        ('W/"1"', 412),
        ("1", 400),
        ("abc", 400),
        ('"x"', 412),
        ("", 400),
        ('"7", "1"', 200),
        ("*", 200),
        (' "1" ', 200),
    ],
)
def test_if_match_says_which_revision_is_meant(api: Api, if_match: str | None, status: int) -> None:
    bot_id = create(api)
    response = patch(api, bot_id, {"name": "beta"}, if_match=if_match)
    assert response.status_code == status, response.text
    assert (
        response.json().get("error_code")
        == {428: "VALIDATION_FAILED", 400: "VALIDATION_FAILED", 412: "CONFLICT", 200: None}[status]
    )
    assert api.get(f"/api/bots/{bot_id}").json()["data"]["name"] == ("beta" if status == 200 else "alpha")


@pytest.mark.parametrize(
    "body",
    [
        {"symbol": "NQ"},
        {"strategy": "rsi_reversion"},
        {"stage": "LIVE"},
        {"revision": 7},
        {"name": ""},
        {"name": None},
        {"name": "  "},
        {"timeframe": "2m"},
        {"params": {"fast": 100}},
        {"params": {"speed": 1}},
        {"costs": {"tax": 1}},
        {"costs": {"contracts": 0}},
        {"window": {"start": "Jan"}},
        {"window": {"start": "2024-07"}},
        {"window": {"from": "2024-07"}},
    ],
)
def test_what_can_not_be_is_422_and_changes_nothing(api: Api, body: dict[str, Any]) -> None:
    bot_id = create(api, window={"end": "2024-06"})
    response = patch(api, bot_id, body)
    assert (response.status_code, response.json()["error_code"]) == (422, "VALIDATION_FAILED"), response.text
    assert response.json()["details"]
    assert api.get(f"/api/bots/{bot_id}").headers["etag"] == '"1"'


def test_a_name_in_use_is_409_and_an_unknown_bot_404(api: Api) -> None:
    create(api)
    other = create(api, name="other")
    assert patch(api, other, {"name": "alpha"}).status_code == 409
    assert patch(api, str(UUID(int=9)), {"name": "alpha"}).status_code == 404


def test_of_changes_at_once_to_one_revision_one_is_made(api: Api, tx: Transactions) -> None:
    bot_id = create(api)
    app = create_app(settings=Settings(), tx=tx)

    def rename(number: int) -> int:
        with calling(app) as client:
            return patch(client, bot_id, {"name": f"beta {number}"}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(rename, range(6))) == [200, *[412] * 5]


def test_a_running_job_ends_under_the_version_it_began_with(api: Api, tx: Transactions, tmp_path: Path) -> None:
    store = BarsStore(str(tmp_path))
    simulate_months(tx, store, ["ES"], ["2024-01"], actor="test", now=NOW)
    bot_id = create(api)
    api.post(f"/api/bots/{bot_id}/run-backtest")
    begun = claim(tx)
    assert patch(api, bot_id, {"params": {"fast": 5}}).status_code == 200
    with tx() as session:
        running = get_job(session, begun.job_id)
        assert (running.status, running.version_id) == ("RUNNING", begun.version_id)


def test_a_changed_bot_has_no_metrics_until_it_is_graded_again(api: Api, tx: Transactions, tmp_path: Path) -> None:
    store = BarsStore(str(tmp_path))
    simulate_months(tx, store, ["ES"], ["2024-01"], actor="test", now=NOW)
    bot_id = create(api)
    grade_bots(tx, store, [UUID(bot_id)], run_id=None, actor="test", now=NOW)
    assert api.get(f"/api/bots/{bot_id}").json()["data"]["metrics"]["reason"] is None
    assert patch(api, bot_id, {"params": {"fast": 5}}).json()["data"]["metrics"]["reason"] == "NEEDS_BACKTEST"
    grade_bots(tx, store, [UUID(bot_id)], run_id=None, actor="test", now=NOW)
    assert api.get(f"/api/bots/{bot_id}").json()["data"]["metrics"]["reason"] is None


def test_archiving_takes_a_bot_out_of_every_list_and_a_second_time_answers_the_same(api: Api) -> None:
    bot_id = create(api)
    assert api.get(f"/api/bots/{bot_id}").json()["data"]["archived_at"] is None
    assert api.post(f"/api/bots/{bot_id}/archive", headers={"if-match": '"99"'}).status_code == 412
    first = api.post(f"/api/bots/{bot_id}/archive", headers={"if-match": '"1"'})
    assert first.status_code == 200, first.text
    assert api.get(f"/api/bots/{bot_id}").json()["data"]["archived_at"] == first.json()["data"]["archived_at"]
    assert first.json()["data"]["archived_at"]
    assert api.get("/api/bots").json()["data"] == []
    again = api.post(f"/api/bots/{bot_id}/archive")
    assert (again.status_code, again.headers["etag"]) == (200, first.headers["etag"])
    assert again.json()["data"] == first.json()["data"]
    reported = [row["event_type"] for row in api.get(f"/api/bots/{bot_id}/activity").json()["data"]]
    assert reported == ["BOT_ARCHIVED", "BOT_CREATED"]
    assert api.post(f"/api/bots/{bot_id}/run-backtest").status_code == 409
    assert patch(api, bot_id, {"name": "beta"}, if_match="*").status_code == 409
    assert create(api) != bot_id
    assert api.post(f"/api/bots/{UUID(int=9)}/archive").status_code == 404


def test_archiving_cancels_a_queued_job(api: Api, tx: Transactions) -> None:
    bot_id = create(api)
    job_id = api.post(f"/api/bots/{bot_id}/run-backtest").json()["job"]["id"]
    bot = api.post(f"/api/bots/{bot_id}/archive").json()["data"]
    assert bot["botNow"]["activeJob"] is None
    (job,) = api.get(f"/api/bots/{bot_id}/jobs").json()["data"]
    assert (job["id"], job["status"]) == (job_id, "CANCELED")
    assert job["completed_at"]
    reported = [row["event_type"] for row in api.get(f"/api/bots/{bot_id}/activity").json()["data"]]
    assert reported == ["BOT_ARCHIVED", "BACKTEST_CANCELED", "BACKTEST_QUEUED", "BOT_CREATED"]
    with tx() as session:
        ledger = session.scalars(select(JobRunEvent).order_by(JobRunEvent.id)).all()
        moves = [(row.from_status, row.to_status, row.reason_code) for row in ledger]
        assert moves == [(None, "QUEUED", "REQUESTED"), ("QUEUED", "CANCELED", "ARCHIVED")]
        assert check_invariants(session, quiet=True) == ()


def test_a_worker_that_is_late_writes_nothing_for_an_archived_bot(api: Api, tx: Transactions, tmp_path: Path) -> None:
    store = BarsStore(str(tmp_path))
    simulate_months(tx, store, ["ES"], ["2024-01"], actor="test", now=NOW)
    bot_id = create(api)
    api.post(f"/api/bots/{bot_id}/run-backtest")
    begun = claim(tx)
    assert api.post(f"/api/bots/{bot_id}/archive").status_code == 200
    (graded,) = ChunkGrader(tx, store, None, LeaseTerms()).grade([begun], NOW)
    assert graded.session_id is None
    with tx() as session, pytest.raises(GantryError, match="lease"):
        fail_job(session, begun, RUN_FAILED, session_id=None)
    assert api.get(f"/api/bots/{bot_id}/backtests").json()["data"] == []
    (job,) = api.get(f"/api/bots/{bot_id}/jobs").json()["data"]
    assert job["status"] == "CANCELED"
    with tx() as session:
        assert check_invariants(session, quiet=True) == ()


def test_an_archive_that_meets_a_rescue_cancels_the_retry_too(api: Api, tx: Transactions) -> None:
    bot_id = create(api)
    api.post(f"/api/bots/{bot_id}/run-backtest")
    begun = claim(tx)
    app = create_app(settings=Settings(), tx=tx)

    def archive() -> int:
        with calling(app) as client:
            return client.post(f"/api/bots/{bot_id}/archive").status_code

    with ThreadPoolExecutor(1) as pool:
        with tx() as session:
            session.execute(text("SELECT id FROM bot_jobs WHERE id = :id FOR UPDATE"), {"id": begun.job_id})
            waiting = pool.submit(archive)
            until_someone_waits(tx)
            fail_job(session, begun, RUN_FAILED, session_id=None)
        assert waiting.result() == 200
    statuses = [job["status"] for job in api.get(f"/api/bots/{bot_id}/jobs").json()["data"]]
    assert statuses == ["CANCELED", "FAILED"]
    with tx() as session:
        assert check_invariants(session, quiet=True) == ()


@pytest.mark.parametrize("act", ["archive", "run-backtest", "promote", "demote"])
@pytest.mark.parametrize("body", [b'{"dryRun": true}', b'{"to": "LIVE"}', b"{{{", b"[]"])
def test_a_body_that_a_route_would_ignore_is_refused(api: Api, act: str, body: bytes) -> None:
    bot_id = create(api)
    before = api.get(f"/api/bots/{bot_id}").json()["data"]
    headers = {"content-type": "application/json"}
    response = api.post(f"/api/bots/{bot_id}/{act}", content=body, headers=headers)
    unreadable = act == "demote" and body == b"{{{"  # the only one of them that reads a body
    assert response.status_code == (400 if unreadable else 422)
    assert response.json()["error_code"] == "VALIDATION_FAILED"
    assert api.get(f"/api/bots/{bot_id}").json()["data"] == before
