"""Reading and checking any bytes ends in bars or in one GantryError, never in another error."""

import gzip
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from core.errors import GantryError
from integrations.files.reader import read_bars_file
from tests.factories.bars import made_bars
from tests.factories.bars_files import csv_of, dbn_of, packed, parquet_of
from tests.factories.written_bars import Way, file_of
from trading.bars.front import windows
from trading.bars.quality import assess
from trading.instruments import get_instrument

SHORT = made_bars("2024-01-09T23:00", "2024-01-10T00:00")
DBN = dbn_of(SHORT, {"ESH4": [("2024-01-01", "2025-01-01", 118)]})
TEXT = csv_of(SHORT)
SEEDS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "dbn": (DBN, {}),
    "dbn.zst": (packed(DBN), {}),
    "parquet": (parquet_of(SHORT), {}),
    "local.parquet": (parquet_of(SHORT, ts=pa.array(SHORT.ts, pa.timestamp("ns"))), {"tz": "America/Chicago"}),
    "csv": (TEXT, {"symbol": "ES"}),
    "csv.gz": (gzip.compress(TEXT, mtime=0), {"symbol": "ES"}),
    "local.csv": (csv_of(SHORT, zone=""), {"symbol": "ES", "tz": "America/Chicago", "stamp": "close"}),
    "counts.csv": (file_of(SHORT, Way(counts="ns", symbol="ESH4")), {}),
    "excel.csv": (
        b"sep=;\n" + file_of(SHORT, Way(delimiter=";", zone="America/Chicago", offset=" US/Central")),
        {"symbol": "ES"},
    ),
    "noise": (np.random.default_rng(1).bytes(2000), {"symbol": "ES", "tz": "UTC"}),
}
_TEXT_BYTES = b'0123456789,;.-"\n\r\x00\xff eTZ'


def spoiled(content: bytes, dice: random.Random) -> bytes:
    """Cut the bytes, drop or repeat a stretch of them, or change some."""
    kind = dice.randrange(4)
    at = dice.randrange(len(content))
    until = min(len(content), at + dice.randrange(1, 64))
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + content[until:]
    if kind == 2:
        return content[:until] + content[at:]
    changed = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        place = dice.randrange(len(changed))
        changed[place] = dice.choice(_TEXT_BYTES) if dice.random() < 0.4 else changed[place] ^ (1 << dice.randrange(8))
    return bytes(changed)


@pytest.mark.parametrize("name", SEEDS)
def test_spoiled_files_end_in_bars_or_in_a_gantry_error(tmp_path: Path, name: str) -> None:
    content, options = SEEDS[name]
    dice = random.Random(f"{name} 2024")
    path = tmp_path / name
    refusals: list[GantryError] = []
    for _ in range(600):
        path.write_bytes(spoiled(content, dice))
        try:
            for found in read_bars_file(path, **options):
                instrument = get_instrument(found.bars.symbol)
                assess(found.bars, instrument)
                windows(found.bars, instrument)
        except GantryError as error:
            refusals.append(error)
    assert len(refusals) > 300
    assert all(error.message and error.fix for error in refusals)
