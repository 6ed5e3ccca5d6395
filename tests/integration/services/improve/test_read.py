"""Improvements as they are read: newest first, old and new side by side."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from core.errors import ErrorCode, GantryError
from core.ids import new_id
from integrations.store import BarsStore
from services.improve.read import beside, improvements_of_jobs, page_improvements
from sql.engine import Transactions
from tests.factories.improvements import TERMS, improve, queue_improvement


def test_old_and_new_have_their_own_figures_in_usd() -> None:
    old = {"net_usd": "1.00", "unseen_net_usd": "0.00", "sharpe": None, "trades": 3}
    new = {"net_usd": "2.01", "unseen_net_usd": "0.0002", "sharpe": 1.5, "trades": 4}
    fold = {"out_net_usd": "0.0001", "incumbent_out_net_usd": "-1.25"}
    before, after = beside({"incumbent": old, "candidate": new, "folds": [fold, fold]})
    assert (before.net_usd, before.out_net_usd, before.sharpe) == (Decimal(1), Decimal("-2.5"), None)
    assert after.as_json() == {
        "net_usd": "2.01", "out_net_usd": "0.00", "unseen_net_usd": "0.00", "sharpe": 1.5, "trades": 4
    }  # fmt: skip


@pytest.mark.usefixtures("noise")
def test_a_bots_improvements_are_walked_newest_first_and_found_by_their_jobs(
    tx: Transactions, store: BarsStore, far_off: UUID
) -> None:
    jobs = []
    for place in (1, 2, 3):
        jobs.append(queue_improvement(tx, far_off, place=place))
        improve(tx, store, improve=replace(TERMS.improve, sets=6))
    with tx() as session:
        first = page_improvements(session, far_off, after=None, limit=2)
        rest = page_improvements(session, far_off, after=first.following, limit=2)
        by_job = improvements_of_jobs(session, [jobs[0], new_id()])
        assert improvements_of_jobs(session, []) == {}
    assert [row.job_id for row in (*first.rows, *rest.rows)] == jobs[::-1]
    assert rest.following is None
    assert by_job == {jobs[0]: rest.rows[0]}
    assert {(row.bot_id, row.data_label) for row in first.rows} == {(far_off, "IMPORTED")}


def test_improvements_of_no_bot_are_not_found(tx: Transactions) -> None:
    with tx() as session, pytest.raises(GantryError) as refused:
        page_improvements(session, new_id(), after=None, limit=2)
    assert refused.value.code is ErrorCode.NOT_FOUND
