"""A value that is fetched once, however many threads need it at once."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Once(Generic[Value]):
    """ask: called by the first thread; those that come meanwhile wait for its answer, or its failure.

    A failure isn't kept: a later caller asks again. So no thread waits longer than for one question.
    """

    def __init__(self, ask: Callable[[], Value]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answer: Future[Value] | None = None

    def get(self) -> Value:
        """Return the value; raises what `ask` raises."""
        with self._lock:
            answer, first = self._answer, self._answer is None
            if answer is None:
                answer = self._answer = Future()
        if first:
            try:
                answer.set_result(self._ask())
            except BaseException as error:  # noqa: BLE001 -- raised below, in every thread that waits
                with self._lock:
                    self._answer = None
                answer.set_exception(error)
        return answer.result()
