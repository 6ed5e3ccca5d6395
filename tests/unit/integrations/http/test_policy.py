"""Limits that can't be meant are refused, and the bots served belong to their context."""

import threading
from contextvars import copy_context

import pytest

from core.errors import ErrorCode, GantryError
from integrations.http.policy import CallPolicy
from integrations.http.serving import bots_served, serving


@pytest.mark.parametrize("field", ["deadline_s", "connect_s", "attempts", "calls_per_minute", "burst", "max_bytes"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_limit_is_a_number_above_zero(field: str, value: float) -> None:
    with pytest.raises(GantryError) as raised:
        CallPolicy(**{field: value})  # type: ignore[arg-type]
    assert raised.value.code is ErrorCode.VALIDATION_FAILED
    assert raised.value.details[0].field == field


def test_no_wait_between_attempts_is_a_policy() -> None:
    assert CallPolicy(backoff_s=0).backoff_s == 0


def test_bots_are_served_within_the_block_alone_and_the_inner_block_counts() -> None:
    assert bots_served() == []
    with serving(["b", "a"]):
        with serving(["c"]):
            assert bots_served() == ["c"]
        assert bots_served() == ["a", "b"]
    assert bots_served() == []


def test_a_thread_serves_those_of_the_context_it_was_given() -> None:
    seen: list[list[str]] = []
    with serving(["a"]):
        context = copy_context()
    threads = [
        threading.Thread(target=lambda: seen.append(bots_served())),
        threading.Thread(target=lambda: seen.append(context.run(bots_served))),
    ]
    for thread in threads:
        thread.start()
        thread.join()
    assert seen == [[], ["a"]]
