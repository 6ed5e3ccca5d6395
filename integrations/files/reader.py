"""Read a file of one-minute bars, whatever its format: DBN, Parquet or CSV, packed or not."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.errors import bad_data, invalid
from integrations.files.dbn import read_dbn
from integrations.files.parquet import read_parquet
from integrations.files.payload import Payload, read_payload
from integrations.files.text import read_text
from integrations.files.types import FileBars, ReadOptions, Stamp
from trading.day_session import Hours
from trading.instruments import get_instrument

_BRACKETED: Final = re.compile(rb"<\w+>\s*[,;\t|]")  # MetaTrader's header line puts each name into angle brackets


def read_bars_file(
    path: Path | str,
    *,
    symbol: str | None = None,
    tz: str | None = None,
    epoch_tz: str | None = None,
    stamp: Stamp | str = Stamp.OPEN,
    hours: Hours | str = Hours.ALL,
) -> tuple[FileBars, ...]:
    """Return the file's bars, one FileBars per symbol found, in order of symbol.

    symbol: which instrument the bars are of; needed where the file doesn't say. tz: IANA time zone of stamps
    that state none. epoch_tz: the zone whose clock counts since 1970 were made from, where it isn't UTC. stamp:
    whether stamps name the bar's open or its close; bars come out stamped at their open. hours: which part of each
    session the file covers. Prices come out exactly on the instrument's ticks. Whether minutes or sessions are
    missing is not judged here but by `trading.bars.quality`.

    Raises:
        GantryError: NOT_FOUND for no such file; VALIDATION_FAILED for a wrong argument, an unknown symbol, or a
            file that isn't one-minute bars; DATA_QUALITY_FAILED, naming the row, for a file that is truncated,
            damaged or empty, or whose bars are unsorted, duplicated or impossible.

    """
    return read_as(Path(path), read_options(symbol=symbol, tz=tz, epoch_tz=epoch_tz, stamp=stamp, hours=hours))


def read_options(
    *, symbol: str | None, tz: str | None, epoch_tz: str | None, stamp: Stamp | str, hours: Hours | str
) -> ReadOptions:
    """Return what a user says of a file, as `read_bars_file` takes it.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol, stamp or hours.

    """
    if symbol is not None:
        get_instrument(symbol)
    return ReadOptions(symbol, _zone(tz), _zone(epoch_tz), _stamp(stamp), _hours(hours))


def read_as(path: Path, options: ReadOptions) -> tuple[FileBars, ...]:
    """Return the file's bars; see `read_bars_file`."""
    payload = read_payload(path)
    _refuse_other_formats(payload)
    found = _read(payload, options)
    if options.hours is Hours.RTH:
        found = [replace(one, source_details=one.source_details | {"hours": options.hours.value}) for one in found]
    return tuple(sorted(found, key=lambda one: one.bars.symbol))


def _read(payload: Payload, options: ReadOptions) -> list[FileBars]:
    if payload.content.startswith(b"DBN"):
        if options.epoch_tz is not None:
            raise invalid(
                f"{payload.name} is DBN, which is stamped in UTC.", fix="Leave --epoch-tz away.", field="epoch_tz"
            )
        return read_dbn(payload, symbol=options.symbol, tz=options.tz, stamp=options.stamp)
    if payload.content.startswith(b"PAR1"):
        return read_parquet(payload, options)
    return read_text(payload, options)


def _zone(name: str | None) -> str | None:
    return "UTC" if name is not None and name.upper() in ("UTC", "Z") else name


def _stamp(text: str) -> Stamp:
    try:
        return Stamp(text)
    except ValueError:
        raise invalid(f"Unknown stamp {text!r}.", fix="Use open or close.", field="stamp") from None


def _hours(text: str) -> Hours:
    try:
        return Hours(text)
    except ValueError:
        raise invalid(f"Unknown hours {text!r}.", fix="Use all or rth.", field="hours") from None


def _refuse_other_formats(payload: Payload) -> None:
    start = payload.content[:512].lstrip().lower()
    if start.startswith((b"<", b"{", b"[")) and not _BRACKETED.match(start):
        what = "a web page or XML" if start.startswith(b"<") else "JSON, perhaps a vendor's error message"
        raise bad_data(
            f"{payload.name} holds {what}, not bars.", fix="Download the bars again, as DBN, Parquet or CSV."
        )
    if payload.content.startswith(b"PK\x03\x04"):
        raise invalid(f"{payload.name} is a zip archive.", fix="Unpack it and give the file inside.", field="path")
