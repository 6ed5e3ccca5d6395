"""ETags: a bot's revision in quotes. A change says in If-Match which revision it is meant for (RFC 9110, 13.1.1)."""

import re
from typing import Annotated

from fastapi import Depends, Header

from core.errors import ErrorCode, GantryError

_STRONG = re.compile(r'"([0-9]{1,9})"')


class IfMatchMissing(GantryError):  # noqa: N818 - named for what it is
    """A change without If-Match would overwrite what its sender never saw: 428."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.VALIDATION_FAILED,
            "If-Match is missing.",
            fix="Read the bot, and send its ETag in If-Match; * means whatever it is now.",
        )


def etag(revision: int) -> str:
    """Return the ETag of a revision."""
    return f'"{revision}"'


def _revisions(
    if_match: Annotated[str | None, Header(description="The bot's ETag, or *.", max_length=1000)] = None,
) -> frozenset[int] | None:
    """Read If-Match: the revisions it names, None for any. What is no ETag of ours names none, so nothing matches."""
    if if_match is None:
        raise IfMatchMissing
    if if_match.strip() == "*":
        return None
    found = (_STRONG.fullmatch(part.strip()) for part in if_match.split(","))
    return frozenset(int(match[1]) for match in found if match)


Revisions = Annotated[frozenset[int] | None, Depends(_revisions)]
