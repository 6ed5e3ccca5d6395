"""How patiently and how often a provider is called."""

import math
from dataclasses import dataclass, fields

from core.errors import invalid


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """Limits of the calls to one provider; all above zero, backoff_s zero or more.

    deadline_s: of a call as a whole, with its attempts and waits. connect_s: of finding and reaching the host in one
    attempt. attempts: at most. backoff_s: wait before the second attempt, doubled each time, +-20 %. calls_per_minute
    and burst: of all processes of this machine together; every attempt counts. max_bytes: of a decoded body.

    Raises:
        GantryError: VALIDATION_FAILED for a limit out of its range.

    """

    deadline_s: float = 30
    connect_s: float = 5
    attempts: int = 3
    backoff_s: float = 0.5
    calls_per_minute: float = 600
    burst: int = 10
    max_bytes: int = 2**30

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not math.isfinite(value) or value < 0 or (value == 0 and field.name != "backoff_s"):
                raise invalid(f"{field.name} can't be {value}.", fix="Use a number above zero.", field=field.name)
