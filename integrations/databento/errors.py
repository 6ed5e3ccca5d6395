"""Databento's refusals and defects as Gantry's errors.

What the vendor says of a refusal is passed on, cut short and without the key, should it echo it.
"""

from collections.abc import Mapping
from typing import Final

from core.errors import ErrorCode, GantryError, Kind

PROVIDER_ID: Final = "databento"
HIDDEN: Final = "[key]"
_PLACEHOLDER: Final = "YOUR_API_KEY"  # of the vendor's examples; its client refuses it
_LONGEST_WORDS: Final = 200  # characters of the vendor's own message
_KEY_FIX: Final = "Set DATABENTO_API_KEY to a valid key from the vendor's portal."
_NONE_FIX: Final = "Check the symbol and the month, or fetch from another provider."
_LATER_FIX: Final = "Try again later; if that fails too, fetch from another provider."
_NONE: Final = (ErrorCode.DATA_UNAVAILABLE, "has no data for the request", _NONE_FIX)
_MEANING: Final = {
    401: (ErrorCode.INTEGRATION_VERIFY_FAILED, "does not know the key", _KEY_FIX),
    402: (
        ErrorCode.PROVIDER_ENTITLEMENT,
        "requires the account to be funded first",
        "Add funds in the vendor's portal, or fetch from another provider.",
    ),
    403: (
        ErrorCode.PROVIDER_ENTITLEMENT,
        "does not license this data to the account",
        "Get the licence in the vendor's portal, or fetch from another provider.",
    ),
    404: _NONE,
    422: _NONE,
}
_NOT_THERE: Final = ("data_", "symbology_")  # cases about what exists, whatever their status


def usable_key(key: str) -> str:
    """Return the key without the blanks around it.

    Raises:
        GantryError: INTEGRATION_KEY_MISSING for an empty one or the vendor's placeholder, INTEGRATION_VERIFY_FAILED
            for one that can't be a key.

    """
    bare = key.strip()
    if bare in {"", _PLACEHOLDER}:
        missing = "Databento's key is not set."
        raise GantryError(ErrorCode.INTEGRATION_KEY_MISSING, missing, fix=_KEY_FIX, kind=Kind.UNAVAILABLE)
    if not (bare.isascii() and bare.isprintable()) or " " in bare or ":" in bare:  # a colon ends a name in basic auth
        wrong = "Databento's key has characters that a key can't have."
        raise GantryError(ErrorCode.INTEGRATION_VERIFY_FAILED, wrong, fix=_KEY_FIX, kind=Kind.UNAVAILABLE)
    return bare


def bad_response(what: str) -> GantryError:
    """PROVIDER_BAD_RESPONSE: an answer that is not what the vendor promises. what: follows "Databento sent"."""
    return GantryError(
        ErrorCode.PROVIDER_BAD_RESPONSE, f"Databento sent {what}.", fix=_LATER_FIX, kind=Kind.UNAVAILABLE
    )


def refusal(status: int, answer: object, *, key: str) -> GantryError:
    """Return the error for a 4xx.

    INTEGRATION_VERIFY_FAILED (401), PROVIDER_ENTITLEMENT (402, 403), DATA_UNAVAILABLE (404, 422, and cases about data
    or symbols with another status), else PROVIDER_BAD_RESPONSE. answer: the body's JSON, or None. facts: http_status,
    case, and the vendor's available_start and available_end where it names them. key: never part of any.
    """
    detail = answer.get("detail") if isinstance(answer, Mapping) else None
    fields = detail if isinstance(detail, Mapping) else {"message": detail}
    case, message = (_plain(fields.get(name), key) for name in ("case", "message"))
    other = (ErrorCode.PROVIDER_BAD_RESPONSE, f"answered with status {status}", _LATER_FIX)
    code, what, fix = _MEANING.get(status, _NONE if case.startswith(_NOT_THERE) else other)
    message = ": ".join(words for words in (case, message) if words)
    facts: dict[str, object] = {"http_status": status}
    if case:
        facts["case"] = case
    payload = fields.get("payload")
    if isinstance(payload, Mapping):
        edges = {name: _plain(payload.get(name), key) for name in ("available_start", "available_end")}
        facts |= {name: edge for name, edge in edges.items() if edge}
    ending = f": {message.rstrip('.')}." if message else "."
    return GantryError(code, f"Databento {what}{ending}", fix=fix, kind=Kind.UNAVAILABLE, facts=facts)


def words_of(text: str, key: str) -> str:
    """Return the vendor's words on one line, cut short, without the key."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text.replace(key, HIDDEN))
    return " ".join(shown.split())[:_LONGEST_WORDS]


def _plain(words: object, key: str) -> str:
    return words_of(words, key) if isinstance(words, str) else ""
