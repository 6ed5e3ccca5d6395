"""Gzip undone piece by piece. urllib3's own takes a stream that breaks off for a whole one."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

_GZIP_WBITS: Final = 31
_PIECE_BYTES: Final = 2**18


def gunzipped(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content in pieces of bounded size, however small the parts that they come from.

    Raises zlib.error for what isn't gzip, EOFError where the stream breaks off.
    """
    decoder = None
    for part in parts:
        rest = part
        while rest:
            if decoder is None or decoder.eof:  # a file may have several members
                decoder = zlib.decompressobj(wbits=_GZIP_WBITS)
            yield decoder.decompress(rest, _PIECE_BYTES)
            rest = decoder.unconsumed_tail or decoder.unused_data
    if decoder is not None and not decoder.eof:
        raise EOFError
