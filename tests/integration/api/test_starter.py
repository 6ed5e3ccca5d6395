"""The starter pack over the API: 201 when something was added, 200 when not."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.app import create_app
from core.settings import Settings
from sql.engine import Transactions
from tests.factories.api import Api, calling

PATH = "/api/bots/starter-pack"


def test_one_call_with_nothing_touched_seeds_the_fleet_and_a_second_adds_nothing(api: Api) -> None:
    first = api.post(PATH)
    assert first.status_code == 201, first.text
    pack = first.json()
    assert (len(pack["bots"]), len(pack["jobs"]), pack["made_bots"], pack["made_jobs"]) == (20, 20, 20, 20)
    assert {job["kind"] for job in pack["jobs"]} == {"BASELINE"}
    assert [job["bot_id"] for job in pack["jobs"]] == [bot["id"] for bot in pack["bots"]]
    assert {job["trace_id"] for job in pack["jobs"]} == {pack["trace_id"]}
    assert {bot["botNow"]["state"] for bot in pack["bots"]} == {"BACKTEST_QUEUED"}
    again = api.post(PATH, json={})
    assert again.status_code == 200
    assert (again.json()["made_bots"], again.json()["made_jobs"]) == (0, 0)
    assert [bot["id"] for bot in again.json()["bots"]] == [bot["id"] for bot in pack["bots"]]
    assert len(api.get("/api/bots?limit=100").json()["data"]) == 20
    reported = [row["event_type"] for row in api.get("/api/activity?limit=200").json()["data"]]
    assert sorted(set(reported)) == ["BACKTEST_QUEUED", "BOT_CREATED", "STARTER_PACK_CREATED"]
    assert (reported.count("STARTER_PACK_CREATED"), len(reported)) == (1, 41)


def test_symbols_and_count_are_as_asked(api: Api) -> None:
    pack = api.post(PATH, json={"symbols": ["6E", "GC"], "count": 7}).json()
    assert len(pack["bots"]) == 7
    assert {bot["symbol"] for bot in pack["bots"]} == {"6E", "GC"}
    assert len({bot["strategy"] for bot in pack["bots"]}) == 6


def test_a_reset_lets_the_packs_metrics_begin_anew_with_a_new_baseline_for_each(api: Api) -> None:
    first = api.post(PATH, json={"count": 3}).json()
    other = api.post("/api/bots", json={"name": "mine", "symbol": "ES", "strategy": "sma_cross"}).json()["data"]["id"]
    again = api.post(PATH, json={"count": 3, "resetExisting": True})
    assert again.status_code == 201
    pack = again.json()
    assert [bot["id"] for bot in pack["bots"]] == [bot["id"] for bot in first["bots"]]
    assert (pack["made_bots"], pack["made_jobs"]) == (0, 3)
    assert {job["id"] for job in pack["jobs"]} & {job["id"] for job in first["jobs"]} == set()
    assert all(bot["metrics_reset_at"] for bot in pack["bots"])
    assert api.get(f"/api/bots/{other}").json()["data"]["metrics_reset_at"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"count": 0},
        {"count": 1001},
        {"count": "20"},
        {"count": 2.5},
        {"symbols": []},
        {"symbols": ["XX"]},
        {"symbols": "ES"},
        {"reset_existing": False},
        {"resetExisting": "yes"},
        {"resetExisting": 1},
        {"extra": 1},
        [],
    ],
)
def test_a_wrong_body_is_422(unreachable: Api, body: Any) -> None:
    response = unreachable.post(PATH, json=body)
    assert (response.status_code, response.json()["error_code"]) == (422, "VALIDATION_FAILED")


def test_calls_at_once_make_one_pack(tx: Transactions) -> None:
    app = create_app(settings=Settings(), tx=tx)

    def ask(_: int) -> tuple[int, int]:
        with calling(app) as client:
            response = client.post(PATH, json={"count": 6})
            return response.status_code, response.json()["made_bots"]

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(ask, range(4)))
    assert answers == [(200, 0), (200, 0), (200, 0), (201, 6)]


def test_a_pack_of_a_thousand_is_answered_within_seconds(api: Api) -> None:
    began = time.perf_counter()
    pack = api.post(PATH, json={"count": 1_000}).json()
    assert len({bot["name"] for bot in pack["bots"]}) == len({job["id"] for job in pack["jobs"]}) == 1_000
    assert time.perf_counter() - began < 30
