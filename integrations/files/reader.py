"""Read a file of one-minute bars, whatever its format: DBN, Parquet or CSV, packed or not."""

from pathlib import Path

from core.errors import bad_data, invalid
from integrations.files.dbn import read_dbn
from integrations.files.parquet import read_parquet
from integrations.files.payload import Payload, read_payload
from integrations.files.text import read_text
from integrations.files.types import FileBars, Stamp
from trading.instruments import get_instrument


def read_bars_file(
    path: Path | str, *, symbol: str | None = None, tz: str | None = None, stamp: Stamp | str = Stamp.OPEN
) -> tuple[FileBars, ...]:
    """Return the file's bars, one FileBars per symbol found, in order of symbol.

    symbol: which instrument the bars are of; needed where the file doesn't say. tz: IANA time zone of stamps
    that state none. stamp: whether stamps name the bar's open or its close; bars come out stamped at their open.
    Prices come out exactly on the instrument's ticks. Whether minutes or sessions are missing is not judged
    here but by `trading.bars.quality`.

    Raises:
        GantryError: NOT_FOUND for no such file; VALIDATION_FAILED for a wrong argument, an unknown symbol, or a
            file that isn't one-minute bars; DATA_QUALITY_FAILED, naming the row, for a file that is truncated,
            damaged or empty, or whose bars are unsorted, duplicated or impossible.

    """
    if symbol is not None:
        get_instrument(symbol)
    try:
        stamped = Stamp(stamp)
    except ValueError:
        raise invalid(f"Unknown stamp {stamp!r}.", fix="Use open or close.", field="stamp") from None
    zone = "UTC" if tz is not None and tz.upper() in ("UTC", "Z") else tz
    payload = read_payload(Path(path))
    _refuse_other_formats(payload)
    if payload.content.startswith(b"DBN"):
        found = read_dbn(payload, symbol=symbol, tz=zone, stamp=stamped)
    elif payload.content.startswith(b"PAR1"):
        found = read_parquet(payload, symbol=symbol, tz=zone, stamp=stamped)
    else:
        found = read_text(payload, symbol=symbol, tz=zone, stamp=stamped)
    return tuple(sorted(found, key=lambda one: one.bars.symbol))


def _refuse_other_formats(payload: Payload) -> None:
    start = payload.content[:512].lstrip().lower()
    if start.startswith((b"<", b"{", b"[")):
        what = "a web page or XML" if start.startswith(b"<") else "JSON, perhaps a vendor's error message"
        raise bad_data(
            f"{payload.name} holds {what}, not bars.", fix="Download the bars again, as DBN, Parquet or CSV."
        )
    if payload.content.startswith(b"PK\x03\x04"):
        raise invalid(f"{payload.name} is a zip archive.", fix="Unpack it and give the file inside.", field="path")
