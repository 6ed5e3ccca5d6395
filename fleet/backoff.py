"""How long a lost job waits before its next attempt."""

from datetime import timedelta
from typing import Final

SPREAD: Final = 0.1  # so that a fleet that fell together doesn't come back together


def backoff(attempt: int, jitter: float) -> timedelta:
    """Return the pause after the loss of attempt 1, 2, ...: attempt^4 seconds, plus or minus a tenth.

    jitter: from -1 (shortest) to 1 (longest).
    """
    return timedelta(seconds=attempt**4 * (1 + SPREAD * max(-1.0, min(1.0, jitter))))
