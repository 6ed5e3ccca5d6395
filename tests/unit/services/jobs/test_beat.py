"""A beat continues until it is stopped or the block ends; then nothing is called any more."""

import threading

import pytest

from services.jobs.beat import Beat

SOON_S = 10.0


def test_it_calls_again_and_again_while_the_block_runs_and_never_after_it() -> None:
    calls: list[threading.Thread] = []
    thrice = threading.Event()

    def act() -> bool:
        calls.append(threading.current_thread())
        if len(calls) == 3:
            thrice.set()
        return True

    with Beat(act, name="test-beat", every_s=0.001, join_s=SOON_S) as beat:
        assert thrice.wait(SOON_S)
    assert not beat.ended.is_set()
    (thread,) = set(calls)
    assert (thread.name, thread.is_alive(), thread is threading.current_thread()) == ("test-beat", False, False)


def test_it_ends_once_the_function_says_so() -> None:
    calls: list[int] = []

    def act() -> bool:
        calls.append(1)
        return len(calls) < 3

    with Beat(act, name="test-beat", every_s=0.001, join_s=SOON_S) as beat:
        assert beat.ended.wait(SOON_S)
    assert len(calls) == 3


def test_the_first_call_comes_after_a_pause_which_the_blocks_end_cuts_short() -> None:
    calls: list[int] = []

    def act() -> bool:
        calls.append(1)
        return True

    with Beat(act, name="test-beat", every_s=3_600, join_s=SOON_S) as beat:
        pass
    assert (calls, beat.ended.is_set()) == ([], False)
    assert "test-beat" not in {thread.name for thread in threading.enumerate()}


def test_the_blocks_end_waits_for_a_call_under_way_but_not_for_ever() -> None:
    under_way, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def act() -> bool:
        under_way.set()
        go_on.wait(SOON_S)
        done.set()
        return False

    with Beat(act, name="test-beat", every_s=0.001, join_s=0.01):
        assert under_way.wait(SOON_S)
    assert not done.is_set(), "the call outlasts the patience of the block"
    go_on.set()
    assert done.wait(SOON_S)

    under_way.clear()
    with Beat(act, name="test-beat", every_s=0.001, join_s=SOON_S) as beat:
        assert under_way.wait(SOON_S)
    assert beat.ended.is_set(), "a call under way is waited for"


def test_an_error_of_the_block_comes_out_with_the_beat_stopped() -> None:
    with pytest.raises(ZeroDivisionError), Beat(lambda: True, name="test-beat", every_s=0.001, join_s=SOON_S):
        raise ZeroDivisionError
    assert "test-beat" not in {thread.name for thread in threading.enumerate()}
