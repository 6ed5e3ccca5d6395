"""What can be wrong with a vendor's answer, and the list of answers that are to be so."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from tests.standins.calls import Call


class Fault(Enum):
    """One way to go wrong. Those of bars wait for an answer that carries bars; all others strike any answer."""

    # A status of the vendor's own, with its own error body
    UNAUTHORIZED = auto()  # 401
    NO_FUNDS = auto()  # 402
    FORBIDDEN = auto()  # 403
    NOT_FOUND = auto()  # 404
    REQUEST_TIMEOUT = auto()  # 408
    UNPROCESSABLE = auto()  # 422
    RATE_LIMITED = auto()  # 429 with Retry-After
    SERVER_ERROR = auto()  # 500
    BAD_GATEWAY = auto()  # 502
    UNAVAILABLE = auto()  # 503
    GATEWAY_TIMEOUT = auto()  # 504
    ECHOED_KEY = auto()  # 403 whose message repeats the key
    REDIRECT = auto()  # 302 to a port where nobody listens
    # The connection
    BLACKHOLE = auto()  # no connection is accepted any more, until `heal`; times and when don't apply
    SILENCE = auto()  # the question is taken, nothing is answered until the client goes
    DRIP_HEAD = auto()  # one byte each `drip_s` seconds from the status line on
    DRIP_BODY = auto()  # a whole head, then one byte of the body each `drip_s` seconds
    CUT_HTTP = auto()  # half of the promised body, then the connection is closed
    RESET = auto()  # the connection is reset in place of an answer
    # 200 with another body
    HTML = auto()
    WRONG_JSON = auto()  # valid JSON of another shape
    EMPTY = auto()  # no body at all
    # Bars, in a body that ends well for HTTP
    CUT_MID_RECORD = auto()  # Databento: a zstd frame without its end; Polygon: JSON without its end
    CUT_BETWEEN_RECORDS = auto()
    CUT_WHOLE_FRAME = auto()  # ends within a record, in a zstd frame that is whole; Databento only
    NO_RECORDS = auto()  # a whole answer with no bar in it
    MISSING = auto()  # 100 bars from the middle are not there
    DUPLICATES = auto()  # five bars stand twice
    UNSORTED = auto()  # five bars have changed places with the next five
    FUTURE = auto()  # the last five bars are ten years ahead
    IMPOSSIBLE = auto()  # in every session there are bars whose high is under their low
    OTHER_SCHEMA = auto()  # Databento: the metadata say ohlcv-1s; Polygon: bars of another ticker
    PARTIAL = auto()  # Databento: 206, the second half of the days isn't resolved
    # Pages; Polygon only
    NO_RESULTS = auto()  # 200 and no key `results`
    NEXT_LOOP = auto()  # next_url leads to the same page
    NEXT_ELSEWHERE = auto()  # next_url leads to another host


STATUS_OF: Final = {
    Fault.UNAUTHORIZED: 401,
    Fault.NO_FUNDS: 402,
    Fault.FORBIDDEN: 403,
    Fault.NOT_FOUND: 404,
    Fault.REQUEST_TIMEOUT: 408,
    Fault.UNPROCESSABLE: 422,
    Fault.RATE_LIMITED: 429,
    Fault.SERVER_ERROR: 500,
    Fault.BAD_GATEWAY: 502,
    Fault.UNAVAILABLE: 503,
    Fault.GATEWAY_TIMEOUT: 504,
}
OF_BARS: Final = frozenset(
    (
        Fault.CUT_MID_RECORD,
        Fault.CUT_BETWEEN_RECORDS,
        Fault.CUT_WHOLE_FRAME,
        Fault.NO_RECORDS,
        Fault.MISSING,
        Fault.DUPLICATES,
        Fault.UNSORTED,
        Fault.FUTURE,
        Fault.IMPOSSIBLE,
        Fault.OTHER_SCHEMA,
        Fault.PARTIAL,
    )
)
OF_PAGES: Final = frozenset((Fault.NO_RESULTS, Fault.NEXT_LOOP, Fault.NEXT_ELSEWHERE))


@dataclass(slots=True)
class Scripted:
    """left: answers still to strike, None for all to come. retry_after: the header of RATE_LIMITED, None for none."""

    fault: Fault
    left: int | None
    when: Callable[[Call], bool]
    retry_after: str | None


@dataclass(slots=True)
class Script:
    """The faults to come, in the order in which they were scripted. Safe for threads."""

    _waiting: list[Scripted] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, scripted: Scripted) -> None:
        with self._lock:
            self._waiting.append(scripted)

    def take(self, call: Call) -> Scripted | None:
        """Return the first fault that is for this call and count it."""
        with self._lock:
            for scripted in self._waiting:
                if (scripted.fault in OF_BARS and not call.has_bars) or not scripted.when(call):
                    continue
                if scripted.left is not None:
                    scripted.left -= 1
                    if not scripted.left:
                        self._waiting.remove(scripted)
                return scripted
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    @property
    def left(self) -> list[Fault]:
        """What hasn't struck as often as it should have."""
        with self._lock:
            return [scripted.fault for scripted in self._waiting]
