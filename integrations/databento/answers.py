"""What Databento's answers in JSON hold: a number of records, a cost, the range of a dataset."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from integrations.databento.errors import bad_response
from integrations.databento.unpack import kind_of
from trading.bars.span import Span
from trading.sessions import MINUTE_NS

SCHEMA: Final = "ohlcv-1m"
_MOST_RECORDS: Final = 10**12
_MOST_USD: Final = 10**9


def count_of(answer: object) -> int:
    """Return a number of records, 0 or more.

    Raises:
        GantryError: PROVIDER_BAD_RESPONSE.

    """
    if type(answer) is not int or not 0 <= answer < _MOST_RECORDS:
        raise bad_response("an impossible number of records")
    return answer


def cost_of(answer: object) -> Decimal:
    """Return a cost in US dollars, 0 or more, exactly as it was written.

    Raises:
        GantryError: PROVIDER_BAD_RESPONSE.

    """
    if type(answer) not in (int, float) or not 0 <= answer < _MOST_USD:  # type: ignore[operator]
        raise bad_response("no possible cost")
    return Decimal(str(answer))


def range_of(answer: object) -> Span:
    """Return what the dataset has of one-minute bars, in whole minutes.

    Raises:
        GantryError: PROVIDER_BAD_RESPONSE.

    """
    if isinstance(answer, Mapping):
        schemas = answer.get("schema")
        own = schemas.get(SCHEMA) if isinstance(schemas, Mapping) else None
        edges = own if isinstance(own, Mapping) else answer
        start, end = _ns(edges.get("start")), _ns(edges.get("end"))
        if start is not None and end is not None:
            return Span(-(-start // MINUTE_NS) * MINUTE_NS, end // MINUTE_NS * MINUTE_NS)
    raise bad_response("no range of its dataset")


_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "metadata.get_record_count": count_of,
    "metadata.get_cost": cost_of,
    "metadata.get_dataset_range": range_of,
}


def check_metadata(action: str, body: bytes) -> None:
    """Refuse an answer that is not what this action promises.

    Raises:
        GantryError: PROVIDER_BAD_RESPONSE.

    """
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_response(f"{kind_of(body)} in place of JSON") from None
    _READERS[action](answer)


def _ns(text: object) -> int | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(aware.timestamp()) * 1_000_000_000
