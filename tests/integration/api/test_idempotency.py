"""Idempotency-Key: what was done under a key is done once, and answered again."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.app import create_app
from core.settings import Settings
from sql.engine import Transactions
from sql.queries.idempotency import try_lock_key
from sql.tables.requests import IdempotencyKey
from tests.factories.api import Api, calling
from tests.factories.databases import OwnerSql

BODY = {"name": "alpha", "symbol": "ES", "strategy": "sma_cross"}
KEY = {"idempotency-key": "k-1"}


def create(api: Api, headers: dict[str, str] = KEY, **changes: object) -> httpx.Response:
    return api.post("/api/bots", json={**BODY, **changes}, headers=headers)


def names(api: Api) -> list[str]:
    return [bot["name"] for bot in api.get("/api/bots").json()["data"]]


def kept(tx: Transactions) -> int:
    with tx() as session:
        return session.scalar(select(func.count()).select_from(IdempotencyKey)) or 0


def test_a_request_sent_again_answers_the_same_and_does_nothing(api: Api) -> None:
    first = create(api)
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    again = create(api)
    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert [again.headers[name] for name in ("location", "etag", "x-trace-id")] == [
        first.headers[name] for name in ("location", "etag", "x-trace-id")
    ]
    assert names(api) == ["alpha"]


def test_every_mutating_post_keeps_its_reply(api: Api) -> None:
    bot_id = create(api, headers={}).json()["data"]["id"]
    for path in ("/api/bots/starter-pack", f"/api/bots/{bot_id}/run-backtest", f"/api/bots/{bot_id}/archive"):
        first, again = (api.post(path, headers=KEY) for _ in range(2))
        assert first.status_code in {200, 201, 202}, first.text
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        assert again.headers["idempotency-replayed"] == "true"


def test_another_request_under_the_same_key_is_refused(api: Api) -> None:
    create(api)
    other = create(api, name="beta")
    assert (other.status_code, other.json()["error_code"]) == (422, "VALIDATION_FAILED")
    assert other.json()["details"][0]["field"] == "Idempotency-Key"
    assert names(api) == ["alpha"]
    beta = create(api, headers={}, name="beta").json()["data"]["id"]
    alpha = next(bot["id"] for bot in api.get("/api/bots").json()["data"] if bot["name"] == "alpha")
    assert api.post(f"/api/bots/{alpha}/archive", headers=KEY).status_code == 200
    assert api.post(f"/api/bots/{beta}/archive", headers=KEY).status_code == 422
    assert names(api) == ["beta"]


def test_a_key_belongs_to_one_caller(api: Api) -> None:
    create(api)
    admin = create(api, headers={**KEY, "x-admin-token": "dev-admin-secret"}, name="beta")
    assert admin.status_code == 201
    assert names(api) == ["beta", "alpha"]


def test_a_refusal_is_not_kept(api: Api, tx: Transactions) -> None:
    create(api, headers={})
    assert create(api).status_code == 409
    assert create(api, symbol="XX").status_code == 422
    bot_id = api.get("/api/bots").json()["data"][0]["id"]
    assert api.post(f"/api/bots/{bot_id}/run-backtest").status_code == 202
    busy = api.post(f"/api/bots/{bot_id}/run-backtest", headers=KEY)
    assert (busy.status_code, busy.json()["job"]["status"]) == (409, "QUEUED")
    assert kept(tx) == 0
    assert create(api, name="beta").status_code == 201


def test_a_commit_that_fails_keeps_neither_the_reply_nor_the_work(tx: Transactions) -> None:
    @contextmanager
    def failing() -> Iterator[Session]:
        with tx() as session:
            yield session
            raise RuntimeError("the commit failed")

    with calling(create_app(settings=Settings(), tx=failing)) as client:
        assert create(client).status_code == 500
    with calling(create_app(settings=Settings(), tx=tx)) as client:
        assert create(client).status_code == 201


def test_of_many_sent_at_once_one_does_the_work_and_all_answer_the_same(api: Api, tx: Transactions) -> None:
    app = create_app(settings=Settings(), tx=tx)
    gate = threading.Barrier(6)

    def send(_: int) -> tuple[int, Any, str | None]:
        with calling(app) as client:
            gate.wait()
            response = create(client)
            return response.status_code, response.json()["data"]["id"], response.headers.get("idempotency-replayed")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert {status for status, _, _ in answers} == {201}
    assert len({bot_id for _, bot_id, _ in answers}) == 1
    assert [replayed for _, _, replayed in answers].count(None) == 1
    assert names(api) == ["alpha"]


def test_while_the_first_is_at_work_for_long_the_second_is_409(api: Api, tx: Transactions) -> None:
    with tx() as session:
        assert try_lock_key(session, "operator:local", "POST /api/bots k-1")
        response = create(api)
    assert (response.status_code, response.json()["error_code"]) == (409, "CONFLICT")
    assert create(api).status_code == 201


def test_a_key_is_forgotten_after_a_day_and_old_ones_are_dropped(
    api: Api, tx: Transactions, owner_sql: OwnerSql
) -> None:
    create(api)
    create(api, headers={"idempotency-key": "k-2"}, name="beta")
    owner_sql("UPDATE idempotency_keys SET created_at = created_at - interval '24 hours 1 second'")
    assert create(api, name="gamma").status_code == 201
    assert kept(tx) == 1
    assert create(api, name="gamma").headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "\u00e9"])
def test_what_is_no_key_is_400(unreachable: Api, key: str) -> None:
    response = unreachable.post("/api/bots", json=BODY, headers={"idempotency-key": key.encode("latin-1")})
    assert (response.status_code, response.json()["error_code"]) == (400, "VALIDATION_FAILED")


@pytest.mark.parametrize("key", ["x" * 255, "~ !", "019a0000-0000-7000-8000-000000000000"])
def test_any_printable_text_is_a_key(api: Api, key: str) -> None:
    assert create(api, headers={"idempotency-key": key}).status_code == 201
    assert create(api, headers={"idempotency-key": key}).headers["idempotency-replayed"] == "true"


def test_an_empty_key_is_refused_not_ignored(api: Api) -> None:
    body = {"name": "one", "symbol": "ES", "strategy": "sma_cross"}
    reply = api.post("/api/bots", json=body, headers={"Idempotency-Key": ""})
    assert (reply.status_code, reply.json()["error_code"]) in {(422, "VALIDATION_FAILED"), (400, "VALIDATION_FAILED")}
    assert api.get("/api/bots").json()["data"] == []


def test_a_body_that_is_not_declared_as_json_is_refused_with_that_reason(api: Api) -> None:
    reply = api.post("/api/bots", content=b'{"name": "one"}', headers={"Content-Type": "text/plain"})
    assert reply.status_code == 422
    assert "Content-Type: application/json" in reply.json()["suggested_fix"]
