"""A provider's rate of calls, kept by all processes of this machine together (GCRA)."""

import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_SECOND_NS: Final = 1_000_000_000
_RECORD_BYTES: Final = 64
_LOCK_POLL_S: Final = 0.002
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

_Change = Callable[[int], int | None]


class Limiter:
    """Gives out turns. folder: holds one small file a provider, shared by processes; None: this object alone counts.

    A turn is given to who asks first; who asks for one that would come too late takes none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._in_memory: dict[str, int] = {}
        self._boot = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "unknown"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def acquire(self, provider_id: str, per_minute: float, burst: int, timeout_s: float) -> bool:
        """Wait for a turn and return True, or return False when none comes within timeout_s seconds.

        per_minute: turns a minute in the long run. burst: turns that may follow each other at once after a pause.
        provider_id: a plain word, as it names the file.
        """
        interval_ns = int(60 * _SECOND_NS / per_minute)
        ends_at = time.monotonic_ns() + int(timeout_s * _SECOND_NS)
        turn_at = 0

        def take(full_at: int) -> int | None:
            # full_at: when the allowance will be whole again. It can be ahead by the burst and by those who wait.
            nonlocal turn_at
            now = time.monotonic_ns()
            turn_at = max(now, full_at - (burst - 1) * interval_ns)
            return None if turn_at > ends_at else max(now, full_at) + interval_ns

        if not self._change(provider_id, take, ends_at):
            return False
        # Outside the lock, so that others may take later turns meanwhile.
        time.sleep(max(0, turn_at - time.monotonic_ns()) / _SECOND_NS)
        return True

    def _change(self, provider_id: str, take: _Change, ends_at: int) -> bool:
        if self._folder is not None:
            return self._change_file(self._folder / f"{provider_id}.calls", take, ends_at)
        with self._lock:
            after = take(self._in_memory.get(provider_id, 0))
            if after is not None:
                self._in_memory[provider_id] = after
        return after is not None

    def _change_file(self, path: Path, take: _Change, ends_at: int) -> bool:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _locked(descriptor, ends_at):
                return False
            after = take(self._read(descriptor))
            if after is not None:
                os.pwrite(descriptor, f"{self._boot} {after}".ljust(_RECORD_BYTES).encode(), 0)
        finally:
            os.close(descriptor)  # ends the lock
        return after is not None

    def _read(self, descriptor: int) -> int:
        boot, _, full_at = os.pread(descriptor, _RECORD_BYTES, 0).decode("ascii", "replace").strip().partition(" ")
        # The monotonic clock starts anew with the machine: a moment of an earlier boot means nothing.
        return int(full_at) if boot == self._boot and full_at.isdecimal() else 0


def _locked(descriptor: int, ends_at: int) -> bool:
    # Never a plain wait: the holder may have been stopped in mid-turn, and our deadline goes on.
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic_ns() >= ends_at:
                return False
            time.sleep(_LOCK_POLL_S)
        else:
            return True
