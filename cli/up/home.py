"""The data folder: where everything `gantry up` writes has its place."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from core.errors import ErrorCode, GantryError, Kind

MIN_FREE_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Home:
    """Folders and files under GANTRY_HOME that belong to the supervisor."""

    root: Path

    @property
    def state_file(self) -> Path:
        """What the supervisor last knew of its processes."""
        return self.root / "run" / "up.json"

    @property
    def lock_file(self) -> Path:
        """Held for as long as a supervisor lives."""
        return self.root / "run" / "up.lock"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.root / "logs"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME."""
        return self.root / "dagster"


def open_home(root: Path) -> Home:
    """Make the folders, and see that they can be written to.

    Raises GantryError ENVIRONMENT_INVALID: a file in the way, a folder that may not be written, a full disk.
    """
    home = Home(root.absolute())
    try:
        for folder in (home.state_file.parent, home.logs, home.dagster):
            folder.mkdir(parents=True, exist_ok=True)
        probe = home.state_file.with_name(f".probe-{os.getpid()}")
        probe.write_bytes(b"0" * 4096)
        probe.unlink()
    except OSError as error:
        raise _unusable(home.root, error.strerror or str(error)) from error
    free = shutil.disk_usage(home.root).free
    if free < MIN_FREE_BYTES:
        raise _unusable(home.root, f"only {free // 1024**2} MiB are free on its disk")
    return home


def _unusable(root: Path, why: str) -> GantryError:
    return GantryError(
        ErrorCode.ENVIRONMENT_INVALID,
        f"The data folder {root} can't be used: {why}.",
        fix="Make it writable with 200 MiB free, or set GANTRY_HOME to another folder.",
        kind=Kind.UNAVAILABLE,
    )
