"""Polygon's refusals and defects as Gantry's errors.

What the vendor says of a refusal is passed on, cut short and without the key, should it echo it.
"""

import json
from typing import Final

from core.errors import ErrorCode, GantryError, Kind

PROVIDER_ID: Final = "polygon"
_LONGEST_WORDS: Final = 200  # characters of the vendor's own message
_KEY_FIX: Final = "Set POLYGON_API_KEY (or MASSIVE_API_KEY) to a valid key from the vendor's dashboard."
_PLAN_FIX: Final = "Choose a plan that includes futures and goes back that far, or fetch from another provider."
_NONE_FIX: Final = "Check the symbol and the month, or fetch from another provider."
_LATER_FIX: Final = "Try again later; if that fails too, fetch from another provider."
_MEANING: Final = {
    401: (ErrorCode.INTEGRATION_VERIFY_FAILED, "does not know the key", _KEY_FIX),
    402: (ErrorCode.PROVIDER_ENTITLEMENT, "does not include this in the account's plan", _PLAN_FIX),
    403: (ErrorCode.PROVIDER_ENTITLEMENT, "does not include this in the account's plan", _PLAN_FIX),
    404: (ErrorCode.DATA_UNAVAILABLE, "has no data there", _NONE_FIX),
    422: (ErrorCode.DATA_UNAVAILABLE, "has no data for the request", _NONE_FIX),
}
HIDDEN: Final = "[key]"


def usable_key(key: str) -> str:
    """Return the key without the blanks around it.

    Raises:
        GantryError: INTEGRATION_KEY_MISSING for an empty one, INTEGRATION_VERIFY_FAILED for one that can't be a key.

    """
    bare = key.strip()
    if not bare:
        missing = "Polygon's key is empty."
        raise GantryError(ErrorCode.INTEGRATION_KEY_MISSING, missing, fix=_KEY_FIX, kind=Kind.UNAVAILABLE)
    if not (bare.isascii() and bare.isprintable()) or " " in bare:  # a header would be refused, and shown in full
        wrong = "Polygon's key has characters that a key can't have."
        raise GantryError(ErrorCode.INTEGRATION_VERIFY_FAILED, wrong, fix=_KEY_FIX, kind=Kind.UNAVAILABLE)
    return bare


def bad_response(what: str) -> GantryError:
    """PROVIDER_BAD_RESPONSE: an answer that is not what the vendor promises. what: follows "Polygon sent"."""
    return GantryError(ErrorCode.PROVIDER_BAD_RESPONSE, f"Polygon sent {what}.", fix=_LATER_FIX, kind=Kind.UNAVAILABLE)


def refusal(status: int, body: bytes, *, key: str) -> GantryError:
    """Return the error for an answer whose status is not 200.

    INTEGRATION_VERIFY_FAILED (401), PROVIDER_ENTITLEMENT (402, 403), DATA_UNAVAILABLE (404, 422), else
    PROVIDER_BAD_RESPONSE. key: never part of the message.
    """
    words = _words(body).replace(key, HIDDEN) if key else _words(body)
    other = (ErrorCode.PROVIDER_BAD_RESPONSE, f"answered with status {status}", _LATER_FIX)
    code, what, fix = _MEANING.get(status, other)
    message = f": {words[:_LONGEST_WORDS]}" if words else ""
    facts = {"http_status": status}
    return GantryError(code, f"Polygon {what}{message.rstrip('.')}.", fix=fix, kind=Kind.UNAVAILABLE, facts=facts)


def _words(body: bytes) -> str:
    """What the vendor says in its error body; empty where it is another body."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict):
        return ""
    words = answer.get("message") or answer.get("error")
    return "".join(letter for letter in words if letter.isprintable()) if isinstance(words, str) else ""
