"""Resets of the last hour whose new baselines somebody may want to follow."""

from uuid import UUID

import pytest

from core.ids import new_id
from fleet.closed_sets import MetricsScope
from services.bots.change import archive_bot
from services.resets.recent import backfill_id, bots_of_reset, recent_resets
from sql.engine import Transactions
from tests.factories.bots import NOW, MakeBot
from tests.factories.databases import OwnerSql
from tests.factories.resets import reset


def recent(tx: Transactions) -> list[UUID]:
    with tx() as session:
        return [found.request_id for found in recent_resets(session)]


@pytest.mark.parametrize("scope", list(MetricsScope))
def test_only_a_reset_that_covers_backtests_is_followed(
    tx: Transactions, make_bot: MakeBot, scope: MetricsScope
) -> None:
    made = reset(tx, make_bot(), scope=scope)
    expected = [made.request_id] if scope in {MetricsScope.ALL, MetricsScope.BACKTEST_ONLY} else []
    assert recent(tx) == expected


def test_resets_come_oldest_first_and_go_after_an_hour(
    tx: Transactions, make_bot: MakeBot, owner_sql: OwnerSql
) -> None:
    make_bot()
    first, second = reset(tx), reset(tx)
    assert recent(tx) == [first.request_id, second.request_id]
    with tx() as session:
        assert {(found.reason_code, found.actor) for found in recent_resets(session)} == {("TEST", "admin")}
    owner_sql("ALTER TABLE system_events DISABLE TRIGGER USER")
    owner_sql(
        "UPDATE system_events SET created_at = now() - interval '61 minutes' WHERE payload->>'request_id' = %s",
        str(first.request_id),
    )
    assert recent(tx) == [second.request_id]


def test_the_bots_of_a_reset_are_its_active_ones_in_order_of_their_creation(
    tx: Transactions, make_bot: MakeBot
) -> None:
    one, gone, last, _other = (make_bot(name) for name in ("one", "gone", "last", "other"))
    made = reset(tx, last, gone, one)
    with tx() as session:
        archive_bot(session, gone, actor="test", now=NOW)
        assert bots_of_reset(session, made.request_id) == [one, last]
        assert bots_of_reset(session, new_id()) == []


def test_dagster_knows_a_reset_by_its_id_in_32_characters() -> None:
    request_id = new_id()
    assert len(backfill_id(request_id)) == 32
    assert UUID(backfill_id(request_id)) == request_id
