"""What a bot's backtests and improvements led to, over the API: pages of a graded bot, and of no other."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from core.ids import new_id
from fleet.closed_sets import JobType
from integrations.store import BarsStore
from services.jobs.enqueue import enqueue_job
from sql.engine import Transactions
from tests.factories import edge_bars
from tests.factories.api import Api, create, walk
from tests.factories.bots import NOW
from tests.factories.improvements import TERMS, improve, queue_improvement
from tests.factories.promotions import a_good_backtest


def test_improvements_are_listed_newest_first_with_verdict_figures_and_evidence(
    api: Api, tx: Transactions, tmp_path: Path
) -> None:
    store = BarsStore(str(tmp_path))
    edge_bars.put_in_use(tx, store, edge_bars.noise(), now=NOW)
    bot_id = create(api, strategy="bollinger_reversion")["id"]
    assert walk(api, f"/api/bots/{bot_id}/improvements", limit=1) == []
    for place, job_type in enumerate((JobType.IMPROVE, JobType.EVOLVE, JobType.IMPROVE), start=1):
        queue_improvement(tx, UUID(bot_id), job_type, place=place)
        improve(tx, store, improve=replace(TERMS.improve, sets=6))
    rows = walk(api, f"/api/bots/{bot_id}/improvements", limit=1)
    assert rows == walk(api, f"/api/bots/{bot_id}/improvements", limit=50)
    assert [row["job_type"] for row in rows] == ["IMPROVE", "EVOLVE", "IMPROVE"]
    for row in rows:
        assert (row["verdict"], row["version_id"], row["data_label"]) == ("REJECTED", None, "IMPORTED")
        assert len(row["evidence"]["folds"]) == 3
        for which, scored in (("old", "incumbent"), ("new", "candidate")):
            assert row[which]["net_usd"] == row["evidence"][scored]["net_usd"]
            assert row[which]["trades"] == row["evidence"][scored]["trades"]


def test_each_rule_of_an_improvement_is_of_the_figures_that_are_shown(
    api: Api, tx: Transactions, tmp_path: Path
) -> None:
    store = BarsStore(str(tmp_path))
    edge_bars.put_in_use(tx, store, edge_bars.noise(), now=NOW)
    bot_id = create(api, strategy="bollinger_reversion")["id"]
    queue_improvement(tx, UUID(bot_id), JobType.EVOLVE)
    improve(tx, store, improve=replace(TERMS.improve, sets=6))
    (row,) = walk(api, f"/api/bots/{bot_id}/improvements", limit=1)
    old, new = row["old"], row["new"]
    checks = {check["reason_code"]: check for check in row["evidence"]["checks"]}
    assert len(checks) == len(row["evidence"]["checks"]) == 10
    shown = {
        "LOSES_OUT_OF_SAMPLE": (new["out_net_usd"], "0.00"),
        "LOSES_ON_UNSEEN_SESSIONS": (new["unseen_net_usd"], "0.00"),
        "BEHIND_THE_INCUMBENT": (new["out_net_usd"], old["out_net_usd"]),
        "BEHIND_ON_UNSEEN_SESSIONS": (new["unseen_net_usd"], old["unseen_net_usd"]),
    }
    for rule, (observed, limit) in shown.items():
        assert (checks[rule]["observed"], checks[rule]["limit"]) == (observed, limit)
        assert checks[rule]["passed"] is (float(observed) > float(limit))
    assert "_e4" not in json.dumps(row)


def test_an_unknown_bot_and_a_foreign_cursor_are_refused(api: Api) -> None:
    assert api.get(f"/api/bots/{new_id()}/improvements").status_code == 404
    bot_id = create(api)["id"]
    assert api.get(f"/api/bots/{bot_id}/improvements", params={"cursor": "x"}).status_code == 400


def test_a_bot_that_is_improved_says_so(api: Api, tx: Transactions) -> None:
    bot_id = create(api)["id"]
    with tx() as session:
        enqueue_job(session, UUID(bot_id), kind=None, actor="test", job_type=JobType.IMPROVE)
    now = api.get(f"/api/bots/{bot_id}").json()["data"]["botNow"]
    assert (now["state"], now["activeJob"]["type"]) == ("IMPROVING_QUEUED", "IMPROVE")


def test_every_page_of_a_graded_bot_is_answered(api: Api, graded: str) -> None:
    (session,) = api.get(f"/api/bots/{graded}/backtests").json()["data"]
    assert session["status"] == "COMPLETED"
    assert session["run_id"] == "run-1"
    days = walk(api, f"/api/bots/{graded}/equity", limit=5)
    assert [day["trading_day"] for day in days] == sorted({day["trading_day"] for day in days})
    lineage = api.get(f"/api/bots/{graded}/lineage").json()["data"]
    assert lineage["session_id"] == session["id"]
    assert lineage["bars"][0]["content_hash"] == lineage["bars_hash"]
    (job,) = api.get(f"/api/bots/{graded}/jobs").json()["data"]
    assert job["session_id"] == session["id"]
    reported = [row["event_type"] for row in walk(api, f"/api/bots/{graded}/activity", limit=1)]
    assert reported == ["BACKTEST_COMPLETED", "BACKTEST_STARTED", "BACKTEST_QUEUED", "BOT_CREATED"]
    assert len(walk(api, "/api/activity", limit=2)) == 4
    (month,) = api.get("/api/bars", params={"symbol": "ES"}).json()["data"]
    assert month["id"] == lineage["bars"][0]["id"]


def test_trades_of_a_session_of_another_bot_are_404(api: Api, graded: str) -> None:
    session_id = api.get(f"/api/bots/{graded}/backtests").json()["data"][0]["id"]
    other = create(api, name="other")["id"]
    assert api.get(f"/api/bots/{other}/trades", params={"session_id": session_id}).status_code == 404
    empty = api.get(f"/api/bots/{other}/trades").json()
    assert (empty["data"], empty["session_id"]) == ([], None)


@pytest.mark.parametrize("seen", [True, False])
def test_a_backtest_on_bars_without_contracts_warns_that_rolls_are_not_seen(
    api: Api, tx: Transactions, seen: bool
) -> None:
    bot_id = create(api)["id"]
    message = "60 bars name no contract, so rolls can't be seen."
    a_good_backtest(tx, UUID(bot_id), now=NOW, analysis={"rolls_seen": {"passed": seen, "message": message}})
    (found,) = api.get(f"/api/bots/{bot_id}/backtests").json()["data"]
    assert found["warnings"] == ([] if seen else [message])
