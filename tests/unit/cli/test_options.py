"""Texts of options are read alike by every command."""

import pytest

from cli.options import member_of, parameters_of
from core.errors import GantryError
from fleet.closed_sets import Stage


def test_a_member_of_a_closed_set_is_read_and_anything_else_is_answered_with_the_members() -> None:
    assert member_of(Stage, "PAPER", field="stage") is Stage.PAPER
    with pytest.raises(GantryError, match="Unknown stage 'MOON'") as refused:
        member_of(Stage, "MOON", field="stage")
    assert refused.value.fix == "Use one of LAB, PAPER, SHADOW, CANARY, LIVE."
    assert [problem.field for problem in refused.value.details] == ["stage"]


def test_parameters_are_read_in_order_and_a_value_may_hold_an_equals_sign() -> None:
    assert list(parameters_of(["fast=20", "when=a=b", "slow="]).items()) == [
        ("fast", "20"),
        ("when", "a=b"),
        ("slow", ""),
    ]


@pytest.mark.parametrize(
    ("texts", "message"), [(["fast"], "isn't k=v"), (["=3"], "isn't k=v"), (["a=1", "a=2"], "a is given twice")]
)
def test_a_parameter_without_name_or_value_or_given_twice_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(GantryError, match=message):
        parameters_of(texts)
