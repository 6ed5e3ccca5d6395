"""Which bots the work at hand serves; the gate notes them with every attempt on the wire."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_bots: ContextVar[tuple[str, ...]] = ContextVar("gantry_bots_served", default=())


def bots_served() -> list[str]:
    """Return the ids of the bots that this context serves, sorted, each once; empty when none were named."""
    return list(_bots.get())


@contextmanager
def serving(bot_ids: Iterable[object]) -> Iterator[None]:
    """Run a block on behalf of these bots, in place of those named further out.

    New threads start without them: hand a copy of the context to a thread, or open the block inside it.
    """
    token = _bots.set(tuple(sorted({str(bot_id) for bot_id in bot_ids})))
    try:
        yield
    finally:
        _bots.reset(token)
