"""Which code made a number: the package's version and a hash of every source line that decides it."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DECIDING = ("core", "trading", "fleet", "services")


@cache
def code_version() -> str:
    """Return e.g. "0.1.0+src.1f2e3d4c5b6a": the same text means the same source of `DECIDING`."""
    digest = hashlib.sha256()
    for path in sorted(path for package in DECIDING for path in (ROOT / package).rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{version('gantry')}+src.{digest.hexdigest()[:12]}"
