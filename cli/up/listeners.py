"""Who listens on a port: an answer proves nothing when another program gives it."""

import os
import sys
from pathlib import Path

LISTENING = "0A"


def listens(pid: int, port: int) -> bool:
    """Whether this very process listens on the loopback port; True where the kernel doesn't tell (not Linux)."""
    if sys.platform != "linux":
        return True
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    try:
        return any(_link(entry) in inodes for entry in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it ended meanwhile
        return False


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
            found.add(fields[9])
    return found


def _link(path: Path) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - a name of the kernel's, not a path
    except OSError:
        return ""
