"""In-process materialization covers the wanted bots with as few ranges as it may."""

from hypothesis import given
from hypothesis import strategies as st

from assets.ranges import ranges


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 7))
def test_ranges_cover_the_wanted_keys_and_no_others(flags: list[bool], at_most: int) -> None:
    every = [f"k{index}" for index in range(len(flags))]
    wanted = [key for key, flag in zip(every, flags, strict=True) if flag]
    found = ranges(every, wanted, at_most=at_most)
    assert [key for part in found for key in part.keys] == wanted
    for part in found:
        begin, end = every.index(part.first), every.index(part.last)
        assert every[begin : end + 1] == list(part.keys)
        assert len(part.keys) <= at_most
