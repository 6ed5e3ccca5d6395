"""A reply is kept in the transaction of its work, for one caller, one request and one day."""

import pytest
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from core.trace import current_trace_id
from services.idempotency import KeptReply, keep, recall
from sql.engine import Transactions
from tests.factories.databases import OwnerSql

BODY = {"success": True}


def kept(session: Session, actor: str = "one", key: str = "k", *, request_hash: str = "h") -> None:
    keep(session, actor, key, request_hash=request_hash, status=201, body=BODY, headers={"etag": '"1"'})


def test_a_kept_reply_is_given_again_as_it_was(tx: Transactions) -> None:
    with tx() as session:
        assert recall(session, "one", "k", request_hash="h") is None
        kept(session)
    with tx() as session:
        found = recall(session, "one", "k", request_hash="h")
    assert found == KeptReply(201, BODY, {"etag": '"1"'}, current_trace_id())


def test_a_reply_whose_work_was_rolled_back_was_never_kept(tx: Transactions) -> None:
    def work() -> None:
        with tx() as session:
            kept(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    with tx() as session:
        assert recall(session, "one", "k", request_hash="h") is None


def test_a_key_belongs_to_its_caller_and_to_its_request(session: Session) -> None:
    kept(session)
    assert recall(session, "other", "k", request_hash="h") is None
    with pytest.raises(GantryError, match="another request") as refused:
        recall(session, "one", "k", request_hash="another")
    assert refused.value.code is ErrorCode.VALIDATION_FAILED


def test_a_reply_is_forgotten_after_a_day(tx: Transactions, owner_sql: OwnerSql) -> None:
    with tx() as session:
        kept(session, key="old")
    owner_sql("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'")
    with tx() as session:
        assert recall(session, "one", "old", request_hash="h") is None
        kept(session, key="new")
    assert owner_sql("SELECT key FROM idempotency_keys") == [("new",)], "what is too old is dropped"


def test_a_request_that_is_still_at_work_is_waited_for_and_then_a_conflict(
    tx: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.idempotency.WAIT_S", 0.1)
    with tx() as first:
        recall(first, "one", "k", request_hash="h")
        with tx() as second:
            with pytest.raises(GantryError, match="still being processed") as refused:
                recall(second, "one", "k", request_hash="h")
            assert refused.value.code is ErrorCode.CONFLICT
            assert recall(second, "one", "another", request_hash="h") is None
