"""The name of a bot's partition in Dagster: what a person types to find the bot, unique, fixed at the bot's creation.

A key is the slug of the bot's name and the last hexadecimal digits of its id, `nq-rsi-reversion-1-9c2f10ab`. UUIDv7
begins with a clock, so bots that were made together differ in their last digits only.
"""

import re
import unicodedata
from collections.abc import Container
from typing import Final
from uuid import UUID

MAX_LENGTH: Final = 100
# Never 12, the last group of a UUID: a key is not mistaken for the id that was a bot's key before it had a name.
DIGITS: Final = (8, 16, 32)
NAMELESS: Final = "bot"
_UUID_LENGTH: Final = 36


def slug(name: str) -> str:
    """Return a name in [a-z0-9-], "bot" if nothing of it is left.

    Accents go, as do letters that are not ASCII without them; each run of other characters becomes one hyphen.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or NAMELESS


def partition_key(name: str, bot_id: UUID, *, digits: int = DIGITS[0]) -> str:
    """Return a bot's key of at most 100 characters; a long name is cut, the digits are not."""
    return f"{slug(name)[: MAX_LENGTH - 1 - digits].rstrip('-')}-{bot_id.hex[-digits:]}"


def free_key(name: str, bot_id: UUID, taken: Container[str]) -> str:
    """Return the shortest of a bot's keys that is not taken.

    Raises:
        ValueError: even the key with the whole id is taken.

    """
    for digits in DIGITS:
        key = partition_key(name, bot_id, digits=digits)
        if key not in taken:
            return key
    raise ValueError(f"All partition keys of {bot_id} are taken.")


def former_id(key: str) -> UUID | None:
    """Return the bot's id where a key is of the kind used before: the id itself."""
    if len(key) != _UUID_LENGTH:  # nearly always, and sooner than by parsing it
        return None
    try:
        bot_id = UUID(key)
    except ValueError:
        return None
    return bot_id if str(bot_id) == key else None
