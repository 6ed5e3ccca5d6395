"""Which code made a number: the package's version and a hash of every source line that decides it."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What decides a number: a change of any other line must not grade a whole fleet again.
DECIDING = ("trading", "fleet/autonomy_score.py", "services/backtests", "services/bars", "services/improve")


def deciding_files() -> list[Path]:
    """Return the source files that decide numbers, in order."""
    places = [ROOT / place for place in DECIDING]
    return sorted(path for place in places for path in (place.rglob("*.py") if place.is_dir() else [place]))


@cache
def code_version() -> str:
    """Return e.g. "0.1.0+src.1f2e3d4c5b6a": the same text means the same source of `DECIDING`."""
    digest = hashlib.sha256()
    for path in deciding_files():
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{version('gantry')}+src.{digest.hexdigest()[:12]}"
