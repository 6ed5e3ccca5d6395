"""A file's bytes, with its hash, unpacked from gzip or zstd to the last byte or refused."""

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Final

import zstandard

from core.errors import GantryError, bad_data, invalid, not_found

LARGEST_BYTES: Final = 8 * 2**30
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE: Final = range(0x184D2A50, 0x184D2A60)
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Payload:
    """name: of the file. sha256: of the file as it is. content: unpacked bytes. compression: gzip, zstd or none."""

    name: str
    sha256: str
    content: bytes
    compression: str


def read_payload(path: Path) -> Payload:
    """Read and unpack a file.

    Raises:
        GantryError: NOT_FOUND, VALIDATION_FAILED when it can't be read, DATA_QUALITY_FAILED when it is empty or
            its compressed stream is cut or damaged.

    """
    try:
        kind = path.stat()  # first of all: to open a pipe waits for its writer, and /dev/zero has no end
        if not S_ISREG(kind.st_mode):
            raise invalid(
                f"{path} is not a regular file.", fix="Give a file of bars, not a folder or pipe.", field="path"
            )
        _limited(kind.st_size, 0, path.name)
        packed = path.read_bytes()
    except FileNotFoundError:
        raise not_found("file", path, fix="Give the path of an existing file.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise invalid(f"{path} can't be read: {reason}.", fix="Give a readable file of bars.", field="path") from None
    if not packed:
        raise bad_data(f"{path.name} is empty.", fix="Download or export the file again.")
    content, compression = packed, "none"
    if packed.startswith(_GZIP):
        content, compression = _gunzip(packed, path.name), "gzip"
    elif packed.startswith(_ZSTD) or int.from_bytes(packed[:4], "little") in _ZSTD_SKIPPABLE:
        content, compression = _unzstd(packed, path.name), "zstd"
    if not content:
        raise bad_data(f"{path.name} unpacks to nothing.", fix="Download or export the file again.")
    name = path.name.encode("utf-8", "replace").decode()  # Linux takes any bytes for a name, Postgres doesn't
    return Payload(name, hashlib.sha256(packed).hexdigest(), content, compression)


def cut(name: str, what: str) -> GantryError:
    """Return the error for a file that ends too early."""
    return bad_data(f"{name} is truncated: {what}.", fix="Download or export the file again, whole.")


def _gunzip(packed: bytes, name: str) -> bytes:
    parts: list[bytes] = []
    rest, size = packed, 0
    while rest:
        if not rest.startswith(_GZIP):
            raise bad_data(f"{name} has bytes after its gzip stream's end.", fix="Download or export the file again.")
        stream = zlib.decompressobj(wbits=31)
        try:
            while not stream.eof and rest:
                parts.append(stream.decompress(rest, _CHUNK * 64))
                size += _limited(len(parts[-1]), size, name)
                rest = stream.unconsumed_tail or (stream.unused_data if stream.eof else b"")
        except zlib.error as error:
            raise bad_data(f"{name} is damaged: {error}.", fix="Download or export the file again.") from None
        if not stream.eof:
            raise cut(name, "its gzip stream has no end")
    return b"".join(parts)


def _unzstd(packed: bytes, name: str) -> bytes:
    parts: list[bytes] = []
    rest, size = packed, 0
    while rest:
        stream = zstandard.ZstdDecompressor(max_window_size=2**31).decompressobj()
        at = 0
        try:
            while not stream.eof and at < len(rest):
                parts.append(stream.decompress(rest[at : at + _CHUNK]))
                size += _limited(len(parts[-1]), size, name)
                at += _CHUNK
        except zstandard.ZstdError as error:
            raise bad_data(f"{name} is damaged: {error}.", fix="Download or export the file again.") from None
        if not stream.eof:
            raise cut(name, "its zstd stream has no end")
        rest = stream.unused_data + rest[at:]
    return b"".join(parts)


def _limited(grown: int, size: int, name: str) -> int:
    if size + grown > LARGEST_BYTES:
        raise invalid(f"{name} holds over 8 GiB.", fix="Split the file, by month for example.")
    return grown
