"""What a stand-in was asked, and what it is going to answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One HTTP request. path: without the query. params: of the query and of a form. headers: lower-case names."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the vendor sees it, each attempt on its own.

    action: such as timeseries.get_range or futures.aggs. month: YYYY-MM in which the range asked for begins.
    has_bars: whether its answer carries bars. status: None while it is not yet known, and where none was sent.
    fault: name of the fault that struck it.
    """

    action: str
    params: Mapping[str, str]
    month: str | None = None
    has_bars: bool = False
    status: int | None = None
    fault: str | None = None


class Delivery(Enum):
    """How an answer goes out on the wire."""

    WHOLE = auto()
    SILENT = auto()
    DRIP_HEAD = auto()
    DRIP_BODY = auto()
    CUT = auto()
    RESET = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """chunked: sent in chunks, else with its length."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    chunked: bool = False
    delivery: Delivery = Delivery.WHOLE


class Refusal(Exception):  # noqa: N818 - an answer of the vendor's, no error of the stand-in's
    """What was asked can't be answered. case, message, payload: as the vendor words it."""

    def __init__(self, status: int, case: str, message: str, payload: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status, self.case, self.message, self.payload = status, case, message, payload
