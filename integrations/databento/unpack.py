"""A body's bytes, unpacked from zstd to the last one or refused."""

import hashlib
from typing import Final

import zstandard

from integrations.databento.errors import bad_response
from integrations.files.payload import Payload

_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_LARGEST_BYTES: Final = 2**28  # over fifty times a month of single minutes
_CHUNK: Final = 1 << 12  # packed bytes unpacked at once: at the worst 128 MiB come of them
_MOST_LOOKED_AT: Final = 200


def unpacked(name: str, body: bytes) -> Payload:
    """Unpack a body of DBN in zstd to its last byte.

    Raises:
        GantryError: PROVIDER_BAD_RESPONSE for anything else, and for a stream that is cut or damaged.

    """
    if not body.startswith(_ZSTD):
        raise bad_response(f"{kind_of(body)} in place of {name}")
    parts: list[bytes] = []
    rest, size = body, 0
    while rest:  # one zstd frame after another
        frame, at = zstandard.ZstdDecompressor().decompressobj(), 0
        try:
            while not frame.eof and at < len(rest):
                parts.append(frame.decompress(rest[at : at + _CHUNK]))
                at += _CHUNK
                size += len(parts[-1])
                if size > _LARGEST_BYTES:
                    raise bad_response(f"more than {_LARGEST_BYTES:,} bytes as {name}")
        except zstandard.ZstdError:
            raise bad_response(f"a damaged zstd stream as {name}") from None
        if not frame.eof:
            raise bad_response(f"a zstd stream without its end as {name}")
        rest = frame.unused_data + rest[at:]
    content = b"".join(parts)
    if not content.startswith(b"DBN"):
        raise bad_response(f"{kind_of(content)} in zstd in place of {name}")
    return Payload(name, hashlib.sha256(body).hexdigest(), content, "zstd")


def kind_of(body: bytes) -> str:
    """Say what a body is that is not what it should be."""
    start = body[:_MOST_LOOKED_AT].lstrip()
    if not start:
        return "nothing"
    if start.startswith(b"<"):
        return "a web page"
    return "other JSON" if start.startswith((b"{", b"[")) else "something unreadable"
