"""Every attempt at a call is one row, no matter how the work it was made for ends."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import ErrorCode, GantryError
from fleet.closed_sets import CallStatus
from integrations.ports import UsageEvent
from services.usage import UsageLog, calling_for
from sql.engine import Transactions, unavailable
from sql.tables.usage import IntegrationUsage
from tests.factories.bots import TRACE, make_bot


def event(metadata: Mapping[str, object] | None = None) -> UsageEvent:
    return UsageEvent("databento", "get_range", CallStatus.ERROR, 12, "PROVIDER_TIMEOUT", TRACE, metadata or {})


def rows(tx: Transactions) -> list[IntegrationUsage]:
    with tx() as session:
        found = list(session.scalars(select(IntegrationUsage).order_by(IntegrationUsage.id)))
        session.expunge_all()
        return found


def test_an_attempt_is_noted_with_all_that_is_known_of_it(tx: Transactions) -> None:
    UsageLog(tx).record(event({"attempt": 2}))
    [row] = rows(tx)
    assert (row.provider_id, row.action, row.status, row.latency_ms) == ("databento", "get_range", "ERROR", 12)
    assert (row.error_code, row.trace_id, row.usage_metadata) == ("PROVIDER_TIMEOUT", TRACE, {"attempt": 2})
    assert (row.bot_id, row.run_id) == (None, None)


def test_a_bot_is_named_where_the_call_serves_it_alone(tx: Transactions) -> None:
    with tx() as session:
        one, other = (str(make_bot(session, name).id) for name in ("one", "other"))
    for served in ([one], [one, other], []):
        UsageLog(tx).record(event({"bot_ids": served}))
    assert [str(row.bot_id) if row.bot_id else None for row in rows(tx)] == [one, None, None]


def test_calls_in_a_run_of_dagsters_name_it(tx: Transactions) -> None:
    log = UsageLog(tx)
    with calling_for("outer"):
        with calling_for("inner"):
            log.record(event())
        log.record(event())
    log.record(event())
    assert [row.run_id for row in rows(tx)] == ["inner", "outer", None]


def test_what_is_rolled_back_later_was_called_all_the_same(tx: Transactions) -> None:
    def work() -> None:
        with tx():
            UsageLog(tx).record(event())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert len(rows(tx)) == 1


@pytest.mark.parametrize(("patience_s", "noted"), [(10.0, 1), (0.0, 0)])
def test_a_busy_database_is_asked_again_for_some_time(
    tx: Transactions, monkeypatch: pytest.MonkeyPatch, patience_s: float, noted: int
) -> None:
    monkeypatch.setattr("services.usage.PATIENCE_S", patience_s)
    refusals: list[GantryError] = [unavailable("busy")]

    @contextmanager
    def busy() -> Iterator[Session]:
        if refusals:
            raise refusals.pop()
        with tx() as session:
            yield session

    if noted:
        UsageLog(busy).record(event())
    else:
        with pytest.raises(GantryError) as refused:
            UsageLog(busy).record(event())
        assert refused.value.code is ErrorCode.DATABASE_UNAVAILABLE
    assert len(rows(tx)) == noted
