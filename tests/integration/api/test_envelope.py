"""Every answer has the envelope, its true status and a trace id; the client checks the schema of each."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.app import create_app
from core.settings import Settings
from sql.engine import Transactions, connect, transactions
from tests.factories.api import Api, calling

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def no_database() -> AbstractContextManager[Session]:
    raise AssertionError("this route needs no database")


@pytest.fixture
def bare() -> Iterator[Api]:
    with calling(create_app(settings=Settings(), tx=no_database)) as client:
        yield client


def test_healthz_asks_no_database(bare: Api) -> None:
    assert bare.get("/api/healthz").status_code == 200


def test_an_unknown_path_is_404_in_the_envelope(bare: Api) -> None:
    response = bare.get("/api/nothing-here")
    assert response.status_code == 404
    assert response.json()["error_code"] == "NOT_FOUND"
    assert response.json()["suggested_fix"]


def test_a_trailing_slash_is_404_and_no_redirect(bare: Api) -> None:
    assert bare.get("/api/healthz/").status_code == 404


def test_a_wrong_method_is_405_and_names_the_right_ones(bare: Api) -> None:
    response = bare.call("DELETE", "/api/healthz")
    assert response.status_code == 405
    assert response.json()["error_code"] == "METHOD_NOT_ALLOWED"
    assert response.headers["allow"] == "GET"


def test_a_valid_traceparent_gives_the_trace_id(bare: Api) -> None:
    response = bare.get("/api/healthz", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    assert response.json()["trace_id"] == TRACE


@pytest.mark.parametrize(
    "header", ["00-" + "0" * 32 + "-00f067aa0ba902b7-01", "junk", f"ff-{TRACE}-00f067aa0ba902b7-01"]
)
def test_an_invalid_traceparent_gives_a_new_trace_id(bare: Api, header: str) -> None:
    assert bare.get("/api/healthz", headers={"traceparent": header}).json()["trace_id"] not in {TRACE, "0" * 32}


def test_two_requests_have_two_trace_ids(bare: Api) -> None:
    assert bare.get("/api/healthz").json()["trace_id"] != bare.get("/api/healthz").json()["trace_id"]


def test_a_body_over_one_mebibyte_is_413(bare: Api) -> None:
    response = bare.post("/api/bots", content=b"x" * ((1 << 20) + 1), headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert response.json()["error_code"] == "PAYLOAD_TOO_LARGE"


def test_a_chunked_body_over_one_mebibyte_is_413(bare: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * (1 << 16)

    response = bare.post("/api/bots", content=chunks(), headers={"content-type": "application/json"})
    assert response.status_code == 413


def test_a_body_of_exactly_one_mebibyte_is_read(bare: Api) -> None:
    response = bare.post("/api/bots", content=b"[" * (1 << 20), headers={"content-type": "application/json"})
    assert response.status_code == 400


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b'{"name": }'])
def test_a_body_that_is_not_json_is_refused(unreachable: Api, body: bytes) -> None:
    response = unreachable.post("/api/bots", content=body, headers={"content-type": "application/json"})
    assert response.status_code in {400, 422}
    assert response.json()["error_code"] == "VALIDATION_FAILED"


def test_a_body_without_a_json_content_type_is_422(unreachable: Api) -> None:
    response = unreachable.post("/api/bots", content=b'{"name": "x"}', headers={"content-type": "text/plain"})
    assert response.status_code == 422


@pytest.mark.parametrize(
    "host", ["evil.example", "gantry.local:5000", "", "[", "[::1", "localhost.evil", "localhost@evil"]
)
def test_a_foreign_host_is_refused_in_development(bare: Api, host: str) -> None:
    response = bare.get("/api/healthz", headers={"host": host})
    assert response.status_code == 403
    assert response.json()["error_code"] == "FORBIDDEN"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:5000", "[::1]:5000"])
def test_this_machines_own_names_are_answered(bare: Api, host: str) -> None:
    assert bare.get("/api/healthz", headers={"host": host}).status_code == 200


def test_a_page_of_another_site_is_refused(bare: Api) -> None:
    assert bare.get("/api/healthz", headers={"origin": "https://evil.example"}).status_code == 403
    assert bare.get("/api/healthz", headers={"origin": "null"}).status_code == 403
    assert bare.get("/api/healthz", headers={"origin": "http://["}).status_code == 403
    assert bare.get("/api/healthz", headers={"origin": "http://localhost:5000"}).status_code == 200


def test_a_wrong_admin_token_is_401_also_from_this_machine(unreachable: Api) -> None:
    response = unreachable.get("/api/bots", headers={"x-admin-token": "wrong"})
    assert response.status_code == 401
    assert response.json()["error_code"] == "UNAUTHENTICATED"


def test_the_admin_token_acts_as_admin(api: Api) -> None:
    assert api.get("/api/bots", headers={"x-admin-token": "dev-admin-secret"}).status_code == 200


def test_a_caller_from_elsewhere_without_credentials_is_401(tx: Transactions) -> None:
    with calling(create_app(settings=Settings(), tx=tx), peer="10.1.2.3") as client:
        assert client.get("/api/bots").status_code == 401
        assert client.get("/api/healthz").status_code == 200


def test_in_production_this_machine_needs_credentials_too(tx: Transactions) -> None:
    settings = Settings(
        APP_ENV="production",
        ADMIN_TOKEN="0123456789abcdef0123456789abcdef",
        APP_ENC_KEY="0123456789abcdef0123456789abcdef",
        DATABASE_URL="postgresql://never-connected-to/gantry",
    )
    with calling(create_app(settings=settings, tx=tx)) as client:
        assert client.get("/api/bots").status_code == 401
        assert client.get("/api/bots", headers={"x-admin-token": "dev-admin-secret"}).status_code == 401
        token = {"x-admin-token": "0123456789abcdef0123456789abcdef", "host": "gantry.example"}
        assert client.get("/api/bots", headers=token).status_code == 200


def test_a_defect_answers_500_with_the_trace_id_and_nothing_else() -> None:
    with calling(create_app(settings=Settings(), tx=no_database)) as client:
        response = client.get("/api/bots")
    assert response.status_code == 500
    assert response.json()["error_code"] == "INTERNAL"
    assert "database" not in response.text


def test_a_commit_that_fails_is_a_500_and_not_a_created_bot(tx: Transactions) -> None:
    @contextmanager
    def failing() -> Iterator[Session]:
        with tx() as session:
            yield session
            raise RuntimeError("the commit failed")

    body = {"name": "late", "symbol": "ES", "strategy": "sma_cross"}
    with calling(create_app(settings=Settings(), tx=failing)) as client:
        assert client.post("/api/bots", json=body).status_code == 500
    with calling(create_app(settings=Settings(), tx=tx)) as client:
        assert client.get("/api/bots").json()["data"] == []


def test_an_unreachable_database_is_503(unreachable: Api) -> None:
    response = unreachable.get("/api/bots")
    assert response.status_code == 503
    assert response.json()["error_code"] == "DATABASE_UNAVAILABLE"
    assert response.headers["retry-after"] == "1"


def test_an_exhausted_pool_is_503(database_url: str) -> None:
    engine = connect(database_url, pool_size=1)
    with engine.connect(), calling(create_app(settings=Settings(), tx=transactions(engine))) as client:
        response = client.get("/api/bots")
    engine.dispose()
    assert response.status_code == 503
    assert response.json()["error_code"] == "DATABASE_UNAVAILABLE"


def test_a_backend_killed_in_the_middle_of_a_request_is_503(tx: Transactions, session: Session) -> None:
    @contextmanager
    def cut() -> Iterator[Session]:
        with tx() as doomed:
            pid = doomed.scalar(text("SELECT pg_backend_pid()"))
            session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            yield doomed

    with calling(create_app(settings=Settings(), tx=cut)) as client:
        assert client.get("/api/bots").status_code == 503
