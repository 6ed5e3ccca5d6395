"""Proof of what was planned: the newest ticks, and the newest one that made jobs however long ago that was."""

import pytest

from services.proof import autonomy
from services.proof.autonomy import autonomy_proof
from sql.engine import Transactions
from tests.factories.bots import MakeBot
from tests.factories.rounds import tick


def shown(tx: Transactions) -> list[object]:
    with tx() as session:
        return [run.id for run in autonomy_proof(session).runs]


def test_before_the_first_tick_there_is_nothing_to_prove(tx: Transactions) -> None:
    with tx() as session:
        proof = autonomy_proof(session)
    assert (proof.latest_run, list(proof.runs)) == (None, [])


def test_the_newest_ticks_are_shown_newest_first(tx: Transactions, make_bot: MakeBot) -> None:
    make_bot()
    ids = [tick(tx).id for _ in range(3)]
    assert shown(tx) == ids[::-1]
    with tx() as session:
        latest = autonomy_proof(session).latest_run
    assert latest is not None
    assert latest.id == ids[-1]


def test_the_tick_that_made_jobs_stays_in_sight_behind_the_newest(
    tx: Transactions, make_bot: MakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autonomy, "MOST_RUNS", 2)
    make_bot()
    busy, *idle = [tick(tx).id for _ in range(5)]
    assert shown(tx) == [idle[-1], idle[-2], busy]
