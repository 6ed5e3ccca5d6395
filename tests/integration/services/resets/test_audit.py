"""A bulk change is audited whole: one id leads from its event to a row and a line of the feed of every bot."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from fleet.closed_sets import BacktestKind, MetricsScope
from services.jobs.enqueue import enqueue_job
from services.resets.reset import ResetRequest, reset_metrics
from services.resets.revert import revert_to_lab
from sql.engine import Transactions
from tests.factories.bots import NOW, MakeBot
from tests.factories.databases import OwnerSql

LATER = NOW + timedelta(hours=1)
Act = Callable[[Transactions], UUID]


def reset(tx: Transactions) -> UUID:
    with tx() as session:
        asked = ResetRequest(MetricsScope.ALL, None, "TEST", rebase_equity=False)
        return reset_metrics(session, asked, dry_run=False, actor="admin", now=LATER).request_id


def revert(tx: Transactions) -> UUID:
    with tx() as session:
        return revert_to_lab(
            session, None, lock_hours=24, reason_code="TEST", dry_run=False, actor="admin", now=LATER
        ).request_id


@dataclass(frozen=True)
class Written:
    """What a change writes beside its request's id: keys of the audit rows' payload, and what else is recorded."""

    act: Act
    table: str
    event: str
    of_bot: set[str]
    in_feed: dict[str, Any]
    of_all: dict[str, Any]


WRITTEN = {
    "reset": Written(
        act=reset,
        table="bot_metrics_events",
        event="METRICS_RESET",
        of_bot={"epochs", "before", "equity_rebased", "canceled_job_id"},
        in_feed={"scope": "ALL"},
        of_all={"bots": 2, "scope": "ALL", "reason_code": "TEST"},
    ),
    "revert": Written(
        act=revert,
        table="bot_stage_events",
        event="REVERTED_TO_LAB",
        of_bot={"before", "after", "canceled_job_id"},
        in_feed={"locked_until": (LATER + timedelta(hours=24)).isoformat()},
        of_all={"bots": 2},
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_one_id_leads_from_the_event_to_the_row_and_the_line_of_each_bot(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql, name: str
) -> None:
    written = WRITTEN[name]
    busy, idle = make_bot("busy"), make_bot("idle")
    with tx() as session:
        job_id = enqueue_job(session, busy, kind=BacktestKind.MANUAL, actor="test")
    request = {"request_id": str(written.act(tx))}
    canceled = {busy: str(job_id), idle: None}
    rows = owner_sql(
        f"SELECT bot_id, payload_json, reason_code, actor, trace_id FROM {written.table} WHERE event_type = %s",
        written.event,
    )
    assert {bot_id: payload["canceled_job_id"] for bot_id, payload, *_ in rows} == canceled
    assert {row[2:4] for row in rows} == {("TEST", "admin")}
    for _bot_id, payload, *_ in rows:
        assert set(payload) == written.of_bot | set(request)
        assert payload["request_id"] == request["request_id"]
    lines = owner_sql(
        "SELECT bot_id, actor, job_id, payload, trace_id FROM activity_events WHERE event_type = %s ORDER BY bot_id",
        written.event,
    )
    assert [row[:4] for row in lines] == [
        (bot_id, "admin", None, request | written.in_feed) for bot_id in sorted([busy, idle])
    ]
    [whole] = owner_sql("SELECT actor, payload, trace_id FROM system_events WHERE event_type = %s", written.event)
    assert whole[:2] == ("admin", request | written.of_all)
    assert {row[4] for row in rows} == {row[4] for row in lines} == {whole[2]}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_change_of_no_bot_leaves_its_event_alone(tx: Transactions, owner_sql: OwnerSql, name: str) -> None:
    written = WRITTEN[name]
    written.act(tx)
    assert owner_sql("SELECT payload -> 'bots' FROM system_events WHERE event_type = %s", written.event) == [(0,)]
    assert owner_sql(f"SELECT count(*) FROM {written.table}") == [(0,)]
    assert owner_sql("SELECT count(*) FROM activity_events") == [(0,)]
