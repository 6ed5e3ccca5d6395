"""The list of bots over the API: filters, orders and their cursors; the overview has the same ones, and the counts."""

import base64
import json
from collections.abc import Mapping
from uuid import UUID

import pytest
from sqlalchemy import Engine

from sql.engine import Transactions
from tests.factories.api import Api
from tests.factories.shown_fleet import KINDS, shown_fleet
from tests.factories.statements import statements

# One of each kind of value that a cursor holds.
ORDERS = ("created_at", "-name", "stage", "-total_trades", "net_pnl", "-win_rate")


@pytest.fixture
def fleet(tx: Transactions) -> Mapping[str, UUID]:
    with tx() as session:
        return {name: bot.id for name, bot in shown_fleet(session).items()}


def names(api: Api, path: str = "/api/bots", **params: object) -> list[str]:
    """Return the names of a list, all of its pages."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        body = api.get(path, params=params | cursor).json()
        found += [bot["name"] for bot in body["data"]]
        if body["page"]["next_cursor"] is None:
            return found
        cursor = {"cursor": body["page"]["next_cursor"]}


@pytest.mark.usefixtures("fleet")
def test_each_filter_narrows_the_list(api: Api) -> None:
    assert names(api, state="BLOCKED") == names(api, alert="BLOCKED")
    assert names(api, state="BLOCKED", label="SIMULATED") == ["lost", "broken"]
    assert names(api, alert="LOOK_AHEAD") == ["doubly blocked", "reads ahead"]
    assert names(api, alert="STRATEGY_ERROR") == ["doubly blocked", "broken"]
    assert names(api, label="SIMULATED") == names(api, alert="SIMULATED_DATA") == ["lost", "broken", "simulated"]
    assert sorted(names(api, tier="SUPERVISED")) == ["graded", "twin"]
    assert names(api, stage="LIVE") == ["live"]
    assert names(api, archived="true") == ["gone"]
    assert names(api, archived="true", stage="LIVE") == []
    (gone,) = api.get("/api/bots", params={"archived": "true"}).json()["data"]
    assert (gone["revision"], gone["archived_at"]) == (1, "2024-03-01T13:00:00Z")
    assert {bot["archived_at"] for bot in api.get("/api/bots").json()["data"]} == {None}


@pytest.mark.usefixtures("fleet")
def test_an_order_is_kept_over_its_pages(api: Api) -> None:
    for order in ORDERS:
        whole = names(api, sort=order, limit=200)
        assert len(whole) == len(KINDS) - 1
        assert names(api, sort=order, limit=7) == whole, order
    without = {"fresh", "reset", "changed", "queued", "canceled", "reads ahead", "unguarded", "doubly blocked"}
    assert names(api, sort="-net_pnl", limit=200)[-1] in without
    assert names(api, sort="stage", limit=200)[-1] == "live"


@pytest.mark.usefixtures("fleet")
def test_a_cursor_belongs_to_its_order_and_its_filters(api: Api) -> None:
    cursor = api.get("/api/bots", params={"sort": "name", "limit": 2}).json()["page"]["next_cursor"]
    for other in ({"sort": "-name"}, {"sort": "symbol"}, {"sort": "name", "state": "IDLE"}, {}):
        response = api.get("/api/bots", params={**other, "cursor": cursor})
        assert (response.status_code, response.json()["details"][0]["field"]) == (400, "cursor"), other


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("sort", "value"), [("name", "\ud800"), ("net_pnl", "1e-20000"), ("net_pnl", "1e20000"), ("sharpe", "1e-999999")]
)
def test_a_changed_cursor_with_a_value_no_column_holds_is_400(api: Api, sort: str, value: str) -> None:
    own = api.get("/api/bots", params={"sort": sort, "limit": 1}).json()["page"]["next_cursor"]
    mark, (_value, row_id) = json.loads(base64.urlsafe_b64decode(own + "=" * (-len(own) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps([mark, [value, row_id]]).encode()).decode().rstrip("=")
    response = api.get("/api/bots", params={"sort": sort, "cursor": changed})
    assert (response.status_code, response.json()["message"]) == (400, "Invalid cursor.")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort", "nothing"),
        ("sort", "--name"),
        ("state", "BUSY"),
        ("tier", "TOP"),
        ("alert", "x"),
        *(("symbol", wrong) for wrong in ("es", "XX")),
    ],
)
def test_a_value_that_is_none_of_the_known_ones_is_400(unreachable: Api, name: str, value: str) -> None:
    response = unreachable.get("/api/bots", params={name: value})
    assert (response.status_code, response.json()["details"][0]["field"]) == (400, name)


@pytest.mark.parametrize(
    ("query", "message", "rule"),
    [
        ("symbol=es", "Unknown symbol 'es'.", "Use one of ES, NQ, "),
        ("sort=pnl", "Bots can't be sorted by 'pnl'.", "net_pnl, win_rate"),
        ("alert=x", "Unknown alert 'x'.", "WARN, DEGRADED, BLOCKED"),
        ("stage=lab", "Query parameter stage: Input should be 'LAB', 'PAPER', 'SHADOW', 'CANARY' or 'LIVE'.", "query"),
        ("limit=many", "Query parameter limit: Input should be a valid integer", "query parameters"),
    ],
)
@pytest.mark.parametrize("path", ["/api/bots", "/api/bots-overview"])
def test_a_refused_query_parameter_is_named_with_what_it_may_be(
    unreachable: Api, path: str, query: str, message: str, rule: str
) -> None:
    body = unreachable.get(f"{path}?{query}").json()
    assert body["message"].startswith(message)
    assert rule in body["suggested_fix"]
    assert body["details"][0]["field"] == query.partition("=")[0]
    assert "^" not in f"{body}"
    assert "JSON as" not in body["suggested_fix"]


def test_bars_of_an_unknown_symbol_are_refused_not_missing(api: Api) -> None:
    response = api.get("/api/bars", params={"symbol": "XX"})
    assert (response.status_code, response.json()["message"]) == (400, "Unknown symbol 'XX'.")
    assert api.get("/api/bars", params={"symbol": "CL"}).json()["data"] == []


@pytest.mark.usefixtures("fleet")
def test_filters_and_orders_cost_no_further_statement(api: Api, engine: Engine) -> None:
    counts = set()
    for params in ({}, {"sort": "-net_pnl"}, {"alert": "BLOCKED", "tier": "LOCKED", "sort": "state"}):
        with statements(engine) as seen:
            api.get("/api/bots", params=params)
        counts.add(len(seen))
    assert len(counts) == 1


@pytest.mark.usefixtures("fleet")
def test_the_overview_counts_the_fleet_and_lists_what_the_filters_match(api: Api) -> None:
    body = api.get("/api/bots-overview", params={"state": "BLOCKED", "limit": 1, "sort": "name"}).json()
    assert (body["total"], body["matching"], body["archived"]) == (len(KINDS) - 1, 5, 1)
    assert [bot["name"] for bot in body["data"]] == ["broken"]
    assert body["page"]["next_cursor"] is not None
    assert body["byStage"] == {"LAB": 18, "PAPER": 1, "SHADOW": 0, "CANARY": 0, "LIVE": 1}
    assert sum(body["byAutonomyTier"].values()) + body["not_scored"] == body["total"]
    assert body["by_state"]["BACKTEST_RUNNING"] == body["by_state"]["IMPROVING_RUNNING"] == 1
    assert body["by_data_label"]["SIMULATED"] == {"bots": 3, "net_pnl": "-150.51"}
    assert body["alerts"] == {
        "GUARD_FAILED": 1,
        "LOOK_AHEAD": 2,
        "RETRIES_EXHAUSTED": 1,
        "SIMULATED_DATA": 3,
        "STRATEGY_ERROR": 2,
    }
    assert body["runners"] is None
    assert body["runners_reason"]
    assert names(api, "/api/bots-overview", limit=4) == names(api)


def test_an_overview_of_no_bots_is_whole_too(api: Api) -> None:
    body = api.get("/api/bots-overview").json()
    assert (body["total"], body["matching"], body["data"]) == (0, 0, [])
    assert set(body["byStage"].values()) == {0}


def test_versions_are_listed_newest_first(api: Api, fleet: Mapping[str, UUID]) -> None:
    path = f"/api/bots/{fleet['changed']}/versions"
    second, first = api.get(path).json()["data"]
    assert [(one["number"], one["is_current"]) for one in (second, first)] == [(2, True), (1, False)]
    assert first["metrics"]["reason"] is None
    assert (second["session_id"], second["metrics"]["net_pnl"], second["metrics"]["reason"]) == (
        None,
        None,
        "NEEDS_BACKTEST",
    )
    page = api.get(path, params={"limit": 1}).json()
    rest = api.get(path, params={"limit": 1, "cursor": page["page"]["next_cursor"]}).json()
    assert [one["number"] for one in page["data"] + rest["data"]] == [2, 1]
    assert rest["page"]["next_cursor"] is None
    assert api.get(f"/api/bots/{UUID(int=9)}/versions").status_code == 404
