"""Python's search for garbage cycles, put off where it would cost more than it finds."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def garbage_kept() -> Iterator[None]:
    """Put the search off while the block goes on; what no cycle holds is freed as ever.

    For seconds of work that makes hundreds of thousands of objects: each full search walks over all of them and over
    everything that was ever imported. Of a plan for 10,000 bots a third was that.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
