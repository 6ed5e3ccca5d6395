"""Bots over the API: what is asked, what is answered, and what it costs the database."""

import json
import re
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from sql.engine import Transactions
from tests.factories.api import BODY, Api, create, walk
from tests.factories.statements import statements


def test_a_created_bot_is_answered_whole_with_location_and_etag(api: Api) -> None:
    response = api.post("/api/bots", json={**BODY, "params": {"fast": 10}, "costs": {"commission_usd": "1.00"}})
    bot = response.json()["data"]
    assert response.headers["location"] == f"/api/bots/{bot['id']}"
    assert response.headers["etag"] == '"1"'
    assert UUID(bot["id"]).version == 7
    assert bot["params"] == {"fast": 10, "slow": 100}
    assert bot["costs"]["commission_usd"] == "1.00"
    assert api.get(response.headers["location"]).json()["data"] == bot


def test_a_bot_without_a_backtest_has_null_metrics_and_the_reason(api: Api) -> None:
    bot = create(api)
    assert bot["metrics"]["net_pnl"] is None
    assert bot["metrics"]["total_trades"] is None
    assert bot["metrics"]["reason"] == "NEEDS_BACKTEST"
    assert set(bot["metrics"]["by_stage"]) == {"LAB", "PAPER", "SHADOW", "CANARY", "LIVE"}
    assert bot["data_label"] is None
    assert bot["botNow"] == {"state": "IDLE", "activeJob": None, "isNew": True, "alerts": []}


def test_unknown_fields_are_refused(api: Api) -> None:
    for body in ({**BODY, "color": "red"}, {**BODY, "costs": {"tax": 1}}, {**BODY, "window": {"from": "2024-01"}}):
        response = api.post("/api/bots", json=body)
        assert response.status_code == 422
        assert response.json()["error_code"] == "VALIDATION_FAILED"
        assert response.json()["details"][0]["code"] == "extra_forbidden"


WRONG: list[dict[str, Any]] = [
    {"name": ""},
    {"name": "a\x00b"},
    {"symbol": "XX"},
    {"params": {"fast": 10**9}},
    {"params": {"fast": [1]}},
    {"strategy": "donchian_breakout", "params": {"entry_from": "08:30\x00"}},
    {"window": {"start": "Jan"}},
    {"costs": {"commission_usd": 2.25}},
    {"costs": {"commission_usd": "1_0"}},
    {"strategy": None},
    {"timeframe": "\ud800"},
    {"params": {"\ud800": 1}},
    {"\ud800": 1},
    {"strategy": "rsi_reversion", "params": {"lower": 10**400}},
]


@pytest.mark.parametrize("changes", WRONG)
def test_a_wrong_body_is_422_before_the_database_is_asked(unreachable: Api, changes: dict[str, Any]) -> None:
    content = json.dumps({**BODY, **changes}).encode()
    response = unreachable.post("/api/bots", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 422, response.text
    assert response.json()["details"]


@pytest.mark.parametrize(
    ("asked", "stored"), [("0E-999999", "0.00"), ("-0", "0.00"), ("0E+999999", "0.00"), ("2.2500000", "2.25")]
)
def test_a_commission_is_stored_as_the_money_it_is_however_it_was_written(api: Api, asked: str, stored: str) -> None:
    assert create(api, costs={"commission_usd": asked})["costs"]["commission_usd"] == stored


def test_a_taken_name_is_409(api: Api) -> None:
    create(api)
    response = api.post("/api/bots", json=BODY)
    assert response.status_code == 409
    assert response.json()["error_code"] == "CONFLICT"


def test_an_unknown_bot_is_404_on_every_route(api: Api) -> None:
    tails = ("", "/backtests", "/trades", "/equity", "/lineage", "/jobs", "/activity")
    for bot_id in ("019a0000-0000-7000-8000-000000000000", "no-id"):
        for tail in tails:
            response = api.get(f"/api/bots/{bot_id}{tail}")
            assert (response.status_code, response.json()["error_code"]) == (404, "NOT_FOUND"), tail


def test_run_backtest_queues_a_job_and_a_second_time_names_it(api: Api) -> None:
    bot_id = create(api)["id"]
    first = api.post(f"/api/bots/{bot_id}/run-backtest")
    assert first.status_code == 202
    job = first.json()["job"]
    assert (job["status"], job["kind"], job["attempt"]) == ("QUEUED", "MANUAL", 1)
    assert job["trace_id"] == first.json()["trace_id"]
    second = api.post(f"/api/bots/{bot_id}/run-backtest")
    assert second.status_code == 409
    assert second.json()["error_code"] == "CONFLICT"
    assert second.json()["job"]["id"] == job["id"]
    bot = api.get(f"/api/bots/{bot_id}").json()["data"]
    assert bot["botNow"]["state"] == "BACKTEST_QUEUED"
    assert bot["botNow"]["activeJob"]["id"] == job["id"]
    assert bot["botNow"]["isNew"] is False


def test_run_backtest_on_an_unknown_bot_is_404(api: Api) -> None:
    assert api.post(f"/api/bots/{UUID(int=9)}/run-backtest").status_code == 404


def test_a_graded_bot_shows_its_metrics_and_the_sum_of_its_trades_is_its_net_pnl(api: Api, graded: str) -> None:
    (bot,) = api.get("/api/bots").json()["data"]
    assert bot["data_label"] == "SIMULATED"
    assert bot["metrics"]["reason"] is None
    assert re.fullmatch(r"-?\d+\.\d{2}", bot["metrics"]["net_pnl"])
    trades = walk(api, f"/api/bots/{graded}/trades", limit=37)
    assert len(trades) == bot["metrics"]["total_trades"]
    assert len({trade["id"] for trade in trades}) == len(trades)
    cents = sum(round(float(trade["net_pnl"]) * 100) for trade in trades)
    assert cents == round(float(bot["metrics"]["net_pnl"]) * 100)
    assert [a["code"] for a in bot["botNow"]["alerts"]] == ["SIMULATED_DATA"]
    assert 0 <= bot["autonomy_score"] <= 100


def test_net_and_open_pnl_of_a_graded_bot_are_its_last_equity(api: Api, graded: str) -> None:
    metrics = api.get(f"/api/bots/{graded}").json()["data"]["metrics"]
    (backtest,) = api.get(f"/api/bots/{graded}/backtests").json()["data"]
    last = walk(api, f"/api/bots/{graded}/equity", limit=50)[-1]
    for shown in (metrics, metrics["by_stage"]["LAB"], backtest):
        assert Decimal(shown["net_pnl"]) + Decimal(shown["open_pnl"]) == Decimal(last["equity_usd"])


def test_open_pnl_that_nobody_measured_is_missing_with_a_reason(api: Api, graded: str, tx: Transactions) -> None:
    with tx() as session:
        session.execute(text("UPDATE bot_metrics_rollups SET open_pnl = NULL"))
    metrics = api.get(f"/api/bots/{graded}").json()["data"]["metrics"]
    assert (metrics["open_pnl"], metrics["reason"]) == (None, "NO_OPEN_PNL")
    assert metrics["net_pnl"] is not None


def test_after_a_reset_the_old_epochs_metrics_are_not_shown(api: Api, graded: str, tx: Transactions) -> None:
    with tx() as session:
        session.execute(text("UPDATE bot_boundaries SET epoch = epoch + 1 WHERE source = 'BACKTEST'"))
    bot = api.get(f"/api/bots/{graded}").json()["data"]
    assert bot["metrics"]["net_pnl"] is None
    assert bot["metrics"]["reason"] == "NEEDS_BACKTEST"
    assert bot["autonomy_score"] is None, "a score rests on the session whose metrics are shown"
    assert api.get(f"/api/bots/{graded}/trades").json()["data"] == []
    assert len(api.get(f"/api/bots/{graded}/backtests").json()["data"]) == 1


def test_walking_while_bots_are_made_neither_repeats_nor_skips(api: Api) -> None:
    names = [create(api, name=f"bot {number}")["name"] for number in range(7)]
    seen: list[str] = []
    cursor: str | None = None
    for round_number in range(10):
        body = api.get("/api/bots", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [bot["name"] for bot in body["data"]]
        create(api, name=f"late {round_number}")
        cursor = body["page"]["next_cursor"]
        if cursor is None:
            break
    assert seen == names[::-1]


def test_a_cursor_is_bound_to_its_list_and_filter(api: Api) -> None:
    for number in range(3):
        create(api, name=f"bot {number}")
    cursor = api.get("/api/bots", params={"limit": 1}).json()["page"]["next_cursor"]
    for path, params in (("/api/bots", {"symbol": "ES"}), ("/api/activity", {}), ("/api/bars", {})):
        response = api.get(path, params={**params, "cursor": cursor})
        assert response.status_code == 400
        assert response.json()["details"][0]["field"] == "cursor"


@pytest.mark.parametrize("cursor", ["", "x", "%%%", "WzEsMl0", "bnVsbA", "W10", "\u00e9", "A" * 5000])
def test_what_is_no_cursor_is_400(unreachable: Api, cursor: str) -> None:
    assert unreachable.get("/api/bots", params={"cursor": cursor}).status_code == 400


@pytest.mark.parametrize(("limit", "status"), [("0", 400), ("-1", 400), ("many", 400), ("1.5", 400), ("1", 503)])
def test_a_limit_below_one_is_400(unreachable: Api, limit: str, status: int) -> None:
    assert unreachable.get("/api/bots", params={"limit": limit}).status_code == status


def test_a_limit_above_the_maximum_is_lowered_to_it(api: Api) -> None:
    for limit in ("201", "99999999999999999999"):
        assert api.get("/api/bots", params={"limit": limit}).json()["page"]["limit"] == 200


def test_bots_are_filtered_by_stage_and_symbol(api: Api) -> None:
    create(api)
    create(api, name="euro", symbol="6E")
    assert [b["name"] for b in api.get("/api/bots", params={"symbol": "6E"}).json()["data"]] == ["euro"]
    assert api.get("/api/bots", params={"stage": "LIVE"}).json()["data"] == []
    assert api.get("/api/bots", params={"stage": "MOON"}).status_code == 400
    assert api.get("/api/bots", params={"symbol": "E\x00"}).status_code == 400


def test_a_page_of_sixty_bots_takes_as_many_queries_as_a_page_of_one(api: Api, engine: Engine) -> None:
    create(api)
    with statements(engine) as one:
        api.get("/api/bots?limit=100")
    for number in range(59):
        create(api, name=f"bot {number}")
    with statements(engine) as sixty:
        assert len(api.get("/api/bots?limit=100").json()["data"]) == 60
    assert len(sixty) == len(one) <= 4
