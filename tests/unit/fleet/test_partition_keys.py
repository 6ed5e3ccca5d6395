"""A bot's partition key begins with its name and is like no other."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.partition_keys import DIGITS, MAX_LENGTH, former_id, free_key, partition_key, slug

BOT = UUID("0192f3a4-1234-7abc-8def-00009c2f10ab")
FORM = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{8,32}")
names = st.text(min_size=1, max_size=100)
ids = st.uuids()


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("NQ RSI Reversion 1", "nq-rsi-reversion-1"),
        ("  ES / sma_cross (2) ", "es-sma-cross-2"),
        ("Grüße aus Köln", "grue-aus-koln"),
        ("ﬁne №5", "fine-no5"),
        ("日本", "bot"),
        ("---", "bot"),
        ("🚀 to the moon", "to-the-moon"),
    ],
)
def test_a_slug_is_what_is_left_of_a_name_in_plain_letters(name: str, made: str) -> None:
    assert slug(name) == made


def test_a_key_is_the_slug_and_the_last_eight_digits_of_the_id() -> None:
    assert partition_key("NQ RSI Reversion 1", BOT) == "nq-rsi-reversion-1-9c2f10ab"
    assert partition_key("x" * 100, BOT) == "x" * 91 + "-9c2f10ab"
    assert partition_key("x" * 90 + " yz", BOT) == "x" * 90 + "-9c2f10ab"


def test_a_taken_key_gets_more_digits_until_it_is_free() -> None:
    keys = [partition_key("one", BOT, digits=digits) for digits in DIGITS]
    assert keys == ["one-9c2f10ab", "one-8def00009c2f10ab", "one-0192f3a412347abc8def00009c2f10ab"]
    assert [free_key("one", BOT, keys[:count]) for count in range(3)] == keys
    with pytest.raises(ValueError, match="are taken"):
        free_key("one", BOT, keys)


@given(names, ids, st.sampled_from(DIGITS))
def test_every_key_has_the_form_the_database_asks_for_and_ends_with_the_id(
    name: str, bot_id: UUID, digits: int
) -> None:
    key = partition_key(name, bot_id, digits=digits)
    assert FORM.fullmatch(key)
    assert len(key) <= MAX_LENGTH
    assert key.endswith(bot_id.hex[-digits:])


@given(names, ids, st.sampled_from(DIGITS))
def test_no_key_is_mistaken_for_the_id_that_was_a_key_before(name: str, bot_id: UUID, digits: int) -> None:
    assert former_id(partition_key(name, bot_id, digits=digits)) is None
    assert former_id(partition_key(str(bot_id), bot_id, digits=digits)) is None
    assert former_id(str(bot_id)) == bot_id
    assert former_id(bot_id.hex) is None


@given(names, ids, ids)
def test_bots_of_one_name_differ_in_their_digits(name: str, one: UUID, other: UUID) -> None:
    first = partition_key(name, one)
    assert (free_key(name, other, {first}) == first) is False
