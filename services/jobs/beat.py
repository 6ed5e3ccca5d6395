"""A beat: something done every few seconds from a thread of its own, while a block of code runs."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Beat:
    """Calls a function every so many seconds, the first time after one pause, until the block ends.

    The function returns whether to go on: once it does not, `ended` is set and it is not called again. It deals with
    its own failures: an exception ends the beat too, and leaves `ended` unset.
    """

    def __init__(self, act: Callable[[], bool], *, name: str, every_s: float, join_s: float) -> None:
        """Prepare a beat. name: the thread's. join_s: how long the block's end waits for a call that is under way."""
        self._act, self._every_s, self._join_s = act, every_s, join_s
        self._stop = threading.Event()
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=self._join_s)

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            if not self._act():
                self.ended.set()
                return
