"""A loop notes every round it went, and says of one that broke no more than any reader may know."""

import pytest

from core.errors import data_unavailable
from services.planner.loops import round_of
from sql.engine import Transactions
from sql.queries.planner import loops as loop_queries


def noted(tx: Transactions) -> loop_queries.LoopAge:
    with tx() as session:
        (found,) = loop_queries.ages(session)
    return found


def test_the_newest_round_stands_and_a_good_one_clears_the_error(tx: Transactions) -> None:
    with pytest.raises(ZeroDivisionError), round_of(tx, "one", every_s=2.0):
        raise ZeroDivisionError("a value nobody should read: hunter2")
    assert noted(tx).error == "ZeroDivisionError; the daemon's log has the rest."
    with round_of(tx, "one", every_s=2.0) as this:
        this.message = "all well"
    assert (noted(tx).error, noted(tx).message) == (None, "all well")


def test_a_domain_error_is_recorded_whole(tx: Transactions) -> None:
    with pytest.raises(Exception, match="no bars"), round_of(tx, "one", every_s=2.0):
        raise data_unavailable("There are no bars.", fix="Import some.")
    assert noted(tx).error == "DATA_UNAVAILABLE: There are no bars."
