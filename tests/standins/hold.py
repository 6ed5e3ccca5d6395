"""Calls that wait for their answer until they are let go: how many there are at once can be seen without sleeping."""

import threading


class Hold:
    """Open at first: nobody waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed = False
        self._waiting = 0

    def begin(self) -> None:
        with self._changed:
            self._closed = True

    def release(self) -> None:
        with self._changed:
            self._closed = False
            self._changed.notify_all()

    def wait(self) -> None:
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._closed)
            self._waiting -= 1

    def until(self, calls: int, timeout_s: float) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._waiting >= calls, timeout_s):
                raise TimeoutError(f"{self._waiting} calls were waiting, not {calls}.")
