"""A refused payload is kept under its hash and name, with a JSON beside it that says where it came from and why."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import ErrorCode, GantryError
from integrations.store import BarsStore
from services.bars.files.quarantine import put_aside

PAYLOAD = b"no bars at all"
SHA256 = hashlib.sha256(PAYLOAD).hexdigest()
ERROR = GantryError(ErrorCode.DATA_QUALITY_FAILED, "It holds no bars.", fix="Ask again.", facts={"problems": ["EMPTY"]})
WHY = {"message": "It holds no bars.", "facts": {"problems": ["EMPTY"]}}


@pytest.mark.parametrize(
    ("provider", "kept_as", "origin"),
    [
        (None, f"{SHA256[:16]}.es.csv", {"source_name": "es.csv", "source_sha256": SHA256}),
        ("polygon", f"{SHA256[:16]}.polygon.es.csv", {"provider": "polygon"}),
    ],
    ids=["a file that was imported", "what a provider sent"],
)
def test_a_payload_is_kept_byte_for_byte_with_its_reason_beside_it(
    tmp_path: Path, provider: str | None, kept_as: str, origin: dict[str, Any]
) -> None:
    aside = put_aside(BarsStore(str(tmp_path)), PAYLOAD, ERROR, name="es.csv", provider=provider)
    assert (aside.path, aside.sha256) == (f"quarantine/{kept_as}", SHA256)
    assert (tmp_path / aside.path).read_bytes() == PAYLOAD
    assert (tmp_path / f"{aside.path}.json").read_text() == json.dumps(origin | WHY, indent=2)


def test_the_same_payload_again_is_the_same_file(tmp_path: Path) -> None:
    store = BarsStore(str(tmp_path))
    first, second = (put_aside(store, PAYLOAD, ERROR, name="es.csv") for _ in range(2))
    assert first == second
    assert len(list((tmp_path / "quarantine").iterdir())) == 2
