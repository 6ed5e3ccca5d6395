"""Stages over the API: who may, which refusals a client gets, and what they contain."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from api.app import create_app
from core.settings import AppEnv, Settings
from fleet.closed_sets import DataLabel, Stage, TradeSource
from fleet.promotion.gates import LIMITS
from services.bots.create import NewBot, create_bot
from services.proof.invariants import check_invariants
from sql.engine import Transactions
from sql.tables.bots import Bot
from tests.factories.api import Api, calling
from tests.factories.bots import NOW
from tests.factories.databases import OwnerSql
from tests.factories.promotions import a_good_backtest, adopted, put_in, traded

TOKEN = {"X-Admin-Token": "dev-admin-secret"}


@pytest.fixture
def bot_id(tx: Transactions) -> str:
    with tx() as session:
        made = create_bot(session, NewBot(name="one", symbol="ES", strategy="sma_cross"), actor="test", now=NOW)
    return str(made)


@pytest.fixture
def ready(tx: Transactions, bot_id: str) -> str:
    a_good_backtest(tx, UUID(bot_id), now=NOW)
    return bot_id


@pytest.fixture
def production(tx: Transactions) -> Iterator[Api]:
    settings = Settings(
        APP_ENV=AppEnv.PRODUCTION,
        ADMIN_TOKEN="a-token-that-nobody-else-knows-0123456789",
        APP_ENC_KEY="k" * 44,
        DATABASE_URL="postgresql://x@127.0.0.1:1/x",
    )
    with calling(create_app(settings=settings, tx=tx)) as client:
        yield client


def put(tx: Transactions, bot_id: str, stage: Stage) -> None:
    with tx() as session:
        put_in(session, UUID(bot_id), stage, at=NOW + timedelta(hours=1))


def test_a_promoted_bot_is_answered_whole_with_its_gates(api: Api, ready: str) -> None:
    response = api.post(f"/api/bots/{ready}/promote", headers={"if-match": '"1"'})
    assert (response.status_code, response.headers["etag"]) == (200, '"2"'), response.text
    body = response.json()
    assert (body["data"]["stage"], body["data"]["stage_reason_code"], body["request"]) == ("PAPER", "GATES_MET", None)
    assert {gate["met"] for gate in body["gates"]} == {True}
    assert api.get(f"/api/bots/{ready}").json()["data"] == body["data"]
    [event, _created] = api.get(f"/api/bots/{ready}/stage-events").json()["data"]
    assert (event["from_stage"], event["to_stage"], event["actor"]) == ("LAB", "PAPER", "operator:local")
    assert event["trace_id"] == body["trace_id"]


def test_stage_events_are_paged_newest_first(api: Api, tx: Transactions, bot_id: str) -> None:
    put(tx, bot_id, Stage.LIVE)
    path = f"/api/bots/{bot_id}/stage-events"
    first = api.get(path, params={"limit": 3}).json()
    second = api.get(path, params={"limit": 3, "cursor": first["page"]["next_cursor"]}).json()
    rows = [row["to_stage"] for row in (*first["data"], *second["data"])]
    assert (rows, second["page"]["next_cursor"]) == (["LIVE", "CANARY", "SHADOW", "PAPER", "LAB"], None)
    assert api.get(f"/api/bots/{UUID(int=9)}/stage-events").status_code == 404
    assert api.get(path, params={"limit": 0}).status_code == 400


def test_a_refusal_is_409_with_each_gate_what_was_observed_and_its_limit(api: Api, bot_id: str) -> None:
    response = api.post(f"/api/bots/{bot_id}/promote")
    body = response.json()
    assert (response.status_code, body["error_code"]) == (409, "GATE_NOT_MET")
    assert len(body["gates"]) == 10
    assert [detail["field"] for detail in body["details"]] == [
        gate["gate"] for gate in body["gates"] if not gate["met"]
    ]
    trades = body["gates"][0]
    assert (trades["gate"], trades["observed"], trades["limit"], trades["met"]) == ("TRADES", None, 50, False)


def test_the_gates_are_shown_as_they_stand_to_every_reader(api: Api, ready: str, tx: Transactions) -> None:
    shown = api.get(f"/api/bots/{ready}/gates").json()["data"]
    assert (shown["stage"], shown["next_stage"], shown["promotion_mode"]) == ("LAB", "PAPER", "MANUAL")
    assert (shown["all_met"], shown["stage_locked_until"], shown["request"]) == (True, None, None)
    put(tx, ready, Stage.LIVE)
    last = api.get(f"/api/bots/{ready}/gates").json()["data"]
    assert (last["next_stage"], last["gates"], last["all_met"]) == (None, [], False)
    assert api.get(f"/api/bots/{UUID(int=9)}/gates").status_code == 404


def test_simulated_bars_lead_to_paper_in_development_and_nowhere_in_production(
    api: Api, production: Api, tx: Transactions, bot_id: str
) -> None:
    a_good_backtest(tx, UUID(bot_id), now=NOW, label=DataLabel.SIMULATED)
    token = {"X-Admin-Token": "a-token-that-nobody-else-knows-0123456789"}
    refused = production.post(f"/api/bots/{bot_id}/promote", headers=token)
    assert (refused.status_code, [one["field"] for one in refused.json()["details"]]) == (409, ["DATA_LABEL"])
    assert production.post(f"/api/bots/{bot_id}/promote").status_code == 401
    assert api.post(f"/api/bots/{bot_id}/promote").status_code == 200


@pytest.mark.parametrize("path", ["promote", "promote/approve", "demote"])
def test_each_change_is_refused_for_what_is_not_there_archived_stale_or_locked(
    api: Api, ready: str, tx: Transactions, owner_sql: OwnerSql, path: str
) -> None:
    put(tx, ready, Stage.PAPER)
    assert api.post(f"/api/bots/{UUID(int=9)}/{path}").status_code == 404
    assert api.post(f"/api/bots/none/{path}").status_code == 404
    assert api.post(f"/api/bots/{ready}/{path}", headers={"if-match": '"7"'}).status_code == 412
    assert api.post(f"/api/bots/{ready}/{path}", headers={"if-match": "seven"}).status_code == 400
    with tx() as session:
        session.get_one(Bot, UUID(ready)).stage_locked_until = datetime.now(UTC) + timedelta(hours=1)
    locked = api.post(f"/api/bots/{ready}/{path}")
    assert (locked.status_code, locked.json()["error_code"]) == (409, "STAGE_LOCKED")
    assert api.post(f"/api/bots/{ready}/archive").status_code == 200
    gone = api.post(f"/api/bots/{ready}/{path}")
    assert (gone.status_code, gone.json()["error_code"]) == (409, "CONFLICT")
    assert owner_sql("SELECT stage FROM bots") == [("PAPER",)]


@pytest.mark.parametrize(
    ("stage", "path"),
    [
        (Stage.SHADOW, "promote"),
        (Stage.SHADOW, "promote/approve"),
        (Stage.CANARY, "promote"),
        (Stage.CANARY, "demote"),
        (Stage.LIVE, "demote"),
    ],
)
def test_the_operator_on_this_machine_brings_no_bot_into_or_out_of_canary_or_live(
    api: Api, bot_id: str, tx: Transactions, stage: Stage, path: str
) -> None:
    put(tx, bot_id, stage)
    refused = api.post(f"/api/bots/{bot_id}/{path}")
    assert (refused.status_code, refused.json()["error_code"]) == (403, "FORBIDDEN")
    wrong = api.post(f"/api/bots/{bot_id}/{path}", headers={"X-Admin-Token": "guess"})
    assert (wrong.status_code, wrong.json()["error_code"]) == (401, "UNAUTHENTICATED")
    allowed = api.post(f"/api/bots/{bot_id}/{path}", headers=TOKEN)
    assert allowed.status_code == (200 if path == "demote" else 409)


def test_a_promotion_into_canary_is_202_until_somebody_else_approves_it(
    api: Api, ready: str, tx: Transactions, owner_sql: OwnerSql
) -> None:
    bot_id = ready
    put(tx, bot_id, Stage.SHADOW)
    with tx() as session:
        bot = session.get_one(Bot, UUID(bot_id))
        traded(session, bot, TradeSource.SHADOW, LIMITS[Stage.CANARY].trades)
        adopted(session, bot)
    asked = api.post(f"/api/bots/{bot_id}/promote", headers={**TOKEN, "Idempotency-Key": "once"})
    assert (asked.status_code, asked.json()["data"]["stage"]) == (202, "SHADOW"), asked.text
    request = asked.json()["request"]
    assert (request["to_stage"], request["requested_by"]) == ("CANARY", "admin:token")
    again = api.post(f"/api/bots/{bot_id}/promote", headers={**TOKEN, "Idempotency-Key": "once"})
    assert (again.status_code, again.json()["request"]) == (202, request)
    assert api.get(f"/api/bots/{bot_id}/gates").json()["data"]["request"] == request
    own = api.post(f"/api/bots/{bot_id}/promote/approve", headers=TOKEN)
    assert (own.status_code, own.json()["error_code"]) == (403, "FORBIDDEN")
    owner_sql("UPDATE promotion_requests SET requested_by = 'operator:other'")
    done = api.post(f"/api/bots/{bot_id}/promote/approve", headers=TOKEN)
    assert (done.status_code, done.json()["data"]["stage"], done.json()["request"]) == (200, "CANARY", None), done.text
    late = api.post(f"/api/bots/{bot_id}/promote/approve", headers=TOKEN)
    assert (late.status_code, late.json()["error_code"]) == (409, "CONFLICT")
    with tx() as session:
        assert check_invariants(session) == ()


def test_a_demotion_is_one_stage_back_with_its_reason_and_by_hand_from_then_on(
    api: Api, bot_id: str, tx: Transactions
) -> None:
    put(tx, bot_id, Stage.SHADOW)
    named = api.post(f"/api/bots/{bot_id}/demote", json={"reasonCode": "TIRED"})
    assert (named.status_code, named.headers["etag"]) == (200, '"2"'), named.text
    bot = named.json()["data"]
    assert (bot["stage"], bot["stage_reason_code"], bot["promotion_mode"]) == ("PAPER", "TIRED", "MANUAL")
    plain = api.post(f"/api/bots/{bot_id}/demote")
    assert (plain.json()["data"]["stage"], plain.json()["data"]["stage_reason_code"]) == ("LAB", "DEMOTED_BY_PERSON")
    assert api.post(f"/api/bots/{bot_id}/demote").status_code == 409
    reported = [row["event_type"] for row in api.get(f"/api/bots/{bot_id}/activity").json()["data"]]
    assert reported == ["STAGE_CHANGED", "STAGE_CHANGED", "BOT_CREATED"]


@pytest.mark.parametrize("body", [{"reasonCode": ""}, {"reasonCode": "bell\x07"}, {"reason": "x"}, {"reasonCode": 1}])
def test_a_demotion_for_no_reason_is_422(api: Api, bot_id: str, tx: Transactions, body: dict[str, object]) -> None:
    put(tx, bot_id, Stage.PAPER)
    response = api.post(f"/api/bots/{bot_id}/demote", json=body)
    assert (response.status_code, response.json()["error_code"]) == (422, "VALIDATION_FAILED")
    assert api.get(f"/api/bots/{bot_id}").json()["data"]["stage"] == "PAPER"


def test_the_same_key_promotes_once(api: Api, ready: str, owner_sql: OwnerSql) -> None:
    headers = {"Idempotency-Key": "once"}
    first = api.post(f"/api/bots/{ready}/promote", headers=headers)
    again = api.post(f"/api/bots/{ready}/promote", headers=headers)
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert again.headers["etag"] == first.headers["etag"]
    assert owner_sql("SELECT count(*) FROM bot_stage_events WHERE event_type = 'PROMOTED'") == [(1,)]
