"""Payloads of bars that were refused: kept for inspection, each with a JSON beside it that says what is wrong."""

import hashlib
import json
from dataclasses import dataclass

from core.errors import GantryError
from integrations.store import BarsStore


@dataclass(frozen=True, slots=True)
class PutAside:
    """A payload that is kept under quarantine/. path: below the store's root."""

    path: str
    sha256: str


def put_aside(
    store: BarsStore, payload: bytes, error: GantryError, *, name: str, provider: str | None = None
) -> PutAside:
    """Keep a refused payload and why it was refused; the same payload again takes the place of the first.

    name: of the payload, such as `ES-2024-01.dbn.zst`. provider: who sent it, None for a file that was imported.

    Raises:
        GantryError: ENVIRONMENT_INVALID for a folder that is full or can't be written.

    """
    sha256 = hashlib.sha256(payload).hexdigest()
    if provider is None:
        kept_as, origin = f"{sha256[:16]}.{name}", {"source_name": name, "source_sha256": sha256}
    else:
        kept_as, origin = f"{sha256[:16]}.{provider}.{name}", {"provider": provider}
    path = store.put_aside(kept_as, payload)
    why = {**origin, "message": error.message, "facts": error.facts}
    store.put_aside(f"{kept_as}.json", json.dumps(why, indent=2, default=str).encode())
    return PutAside(path, sha256)
