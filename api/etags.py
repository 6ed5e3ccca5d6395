"""ETags: a bot's revision in quotes. A change says in If-Match which revision it is meant for (RFC 9110, 13.1.1)."""

import re
from typing import Annotated

from fastapi import Depends, Header

from core.errors import ErrorCode, GantryError

_STRONG = re.compile(r'"([0-9]{1,9})"')
_ETAG = re.compile(r'(W/)?"[!#-~\x80-\xff]*"')


class IfMatchMissing(GantryError):  # noqa: N818 - named for what it is
    """A change without If-Match would overwrite what its sender never saw: 428."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.VALIDATION_FAILED,
            "If-Match is missing.",
            fix="Read the bot and send its ETag in If-Match; * matches any revision.",
        )


def etag(revision: int) -> str:
    """Return the ETag of a revision."""
    return f'"{revision}"'


class IfMatchMalformed(GantryError):  # noqa: N818 - named for what it is
    """If-Match is not a valid ETag: 400."""

    def __init__(self) -> None:
        super().__init__(
            ErrorCode.VALIDATION_FAILED,
            "If-Match is not a valid ETag.",
            fix='Send the ETag with its quotes, such as "3", or *.',
        )


IfMatch = Annotated[str | None, Header(description="The bot's ETag, or *.", max_length=1000)]


def _revisions(if_match: IfMatch = None) -> frozenset[int] | None:
    """Read If-Match: the revisions it names, None for any. An ETag that isn't ours names none, so nothing matches."""
    if if_match is None:
        raise IfMatchMissing
    return _named(if_match)


def _any_revisions(if_match: IfMatch = None) -> frozenset[int] | None:
    """Read If-Match where it may be left out."""
    return None if if_match is None else _named(if_match)


def _named(if_match: str) -> frozenset[int] | None:
    if if_match.strip() == "*":
        return None
    parts = [part.strip() for part in if_match.split(",")]
    if not all(_ETAG.fullmatch(part) for part in parts):
        raise IfMatchMalformed
    return frozenset(int(match[1]) for part in parts if (match := _STRONG.fullmatch(part)))


Revisions = Annotated[frozenset[int] | None, Depends(_revisions)]
AnyRevisions = Annotated[frozenset[int] | None, Depends(_any_revisions)]
