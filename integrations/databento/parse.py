"""From the DBN of a range to the month's bars, or a refusal that carries the bytes."""

from base64 import b64encode
from dataclasses import replace
from datetime import datetime
from typing import Final

from core.errors import ErrorCode, GantryError, bad_data
from core.words import counted
from integrations.databento.asked import BarsRequest
from integrations.databento.errors import HIDDEN, bad_response
from integrations.files.dbn import read_dbn
from integrations.files.payload import Payload
from integrations.files.types import FileBars, Stamp
from integrations.ports import BadPayload
from trading.bars.quality_types import stamp

_AGAIN: Final = "Fetch the month again; if that fails too, fetch it from another provider."


def bars_of(payload: Payload, asked: BarsRequest, *, promised: int, partly: bool, now: datetime) -> FileBars:
    """Return the bars of a range, all those that were promised.

    partly: the vendor says that it resolved the symbol for some of the days only.

    Raises:
        GantryError: PROVIDER_BAD_RESPONSE for DBN of another kind than requested; DATA_QUALITY_FAILED for another
            number of bars than promised, and for bars that are impossible, doubled, unsorted, outside of what was
            requested or later than now.

    """
    try:
        (found,) = read_dbn(payload, symbol=asked.product, tz=None, stamp=Stamp.OPEN)
    except GantryError as error:
        if error.code is ErrorCode.DATA_QUALITY_FAILED:
            raise bad_data(error.message, fix=_AGAIN, facts=error.facts) from None
        raise bad_response(f"other DBN than requested: {error.message.rstrip('.')}") from None
    _check_number(found, asked, promised, partly=partly)
    _check_times(found, asked, now)
    if asked.contract is not None and found.bars.contracts != (asked.contract,):
        raise bad_response(f"bars of {', '.join(found.bars.contracts)} in place of {asked.contract}")
    return found


def refused(error: GantryError, asked: BarsRequest, body: bytes, *, key: str) -> BadPayload:
    """Return the error with what was sent, to be put aside; a key in it, should a page echo one, is hidden."""
    return BadPayload(
        error.code,
        error.message,
        payload=hidden(body, key),
        payload_name=asked.name,
        fix=error.fix,
        kind=error.kind,
        facts=error.facts,
    )


def hidden(body: bytes, key: str) -> bytes:
    """Return bytes without the key, plain or as basic authentication sends it."""
    basic = b64encode(f"{key}:".encode())
    return body.replace(key.encode(), HIDDEN.encode()).replace(basic, HIDDEN.encode())


def with_origin(found: FileBars, asked: BarsRequest, *, partly: bool, warnings: list[str]) -> FileBars:
    """Return the bars with the request, and what the vendor reports about it, among their details."""
    origin = {
        "vendor_symbol": asked.vendor_symbol,
        "start": asked.start.isoformat(),
        "end": asked.end.isoformat(),
        "partly_resolved": partly,
        "warnings": warnings,
    }
    return replace(found, source_details=found.source_details | origin)


def _check_number(found: FileBars, asked: BarsRequest, promised: int, *, partly: bool) -> None:
    received = len(found.bars)
    facts: dict[str, object] = {"promised": promised, "received": received, "partly_resolved": partly}
    if received != promised:
        why = " and reports that it knows the symbol for some of the days only" if partly else ""
        raise bad_data(
            f"{found.source_name}: Databento counts {counted(promised, 'bar')} and sent {received:,}{why}.",
            fix=_AGAIN,
            facts=facts,
        )
    # A single contract is listed and expires within a month; a product has a front on every day.
    if partly and asked.contract is None:
        raise bad_data(
            f"{found.source_name}: Databento knows {asked.vendor_symbol} for some of the days only.",
            fix=_AGAIN,
            facts=facts,
        )


def _check_times(found: FileBars, asked: BarsRequest, now: datetime) -> None:
    ts, name = found.bars.ts, found.source_name
    outside = (ts < asked.span.start_ns) | (ts >= asked.span.end_ns)
    if outside.any():
        worst = int(ts[outside].max())
        where = "in the future" if worst > now.timestamp() * 1e9 else "outside the requested span"
        raise bad_data(
            f"{name}: the bar of {stamp(worst)} lies {where} ({int(outside.sum())} such bars).",
            fix=_AGAIN,
            facts={"problem": "MIS_STAMPED", "count": int(outside.sum())},
        )
    if found.bars.per_expiry:
        raise bad_data(f"{name}: several contracts have bars of the same minute.", fix=_AGAIN)
