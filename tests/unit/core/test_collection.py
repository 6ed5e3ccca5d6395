"""The search for garbage cycles is put off for a while, and never for good."""

import gc

import pytest

from core.collection import garbage_kept


def test_the_search_is_off_within_and_on_again_afterwards_whatever_happens() -> None:
    assert gc.isenabled()
    seen: list[bool] = []

    def fail() -> None:
        with garbage_kept():
            seen.append(gc.isenabled())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [False]
    assert gc.isenabled()


def test_one_that_was_off_before_stays_off() -> None:
    with garbage_kept():
        with garbage_kept():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
