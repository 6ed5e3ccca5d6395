"""Months that arrived and are not in the catalogue yet: kept, so that a fetch killed in between pays for none twice.

One file a provider, symbol and month under incoming/; it goes as soon as its month is in use, or was refused.
"""

import io
import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from core.log import get_logger
from integrations.files.types import FileBars
from integrations.ports import FetchedMonth
from integrations.store import BarsStore
from trading.bars.schema import Bars, Timeframe

_DETAILS: Final = "details"
_OLD_DETAILS: Final = "told"  # in files that were staged before the name changed: what was paid for is kept
_COLUMNS: Final = ("ts", "open", "high", "low", "close", "volume", "contract")


def stage(store: BarsStore, fetched: FetchedMonth) -> None:
    """Keep a month that arrived."""
    bars = fetched.bars.bars
    details = {
        "bars_symbol": bars.symbol,
        "contracts": list(bars.contracts),
        "source_name": fetched.bars.source_name,
        "source_sha256": fetched.bars.source_sha256,
        "source_details": fetched.bars.source_details,
        "payload_name": fetched.payload_name,
        "details": fetched.details,
    }
    columns = {name: getattr(bars, name) for name in _COLUMNS}
    made = io.BytesIO()
    np.savez(
        made,
        allow_pickle=False,
        payload=np.frombuffer(fetched.payload, np.uint8),
        **{_DETAILS: np.frombuffer(json.dumps(details).encode(), np.uint8)},
        **columns,
    )
    store.keep_incoming(_name(fetched.provider, fetched.symbol, fetched.month), made.getvalue())


def staged(store: BarsStore, provider: str, symbol: str, month: str) -> FetchedMonth | None:
    """Return a month that arrived and didn't get further; None for none, or for a file that is damaged."""
    kept = store.incoming(_name(provider, symbol, month))
    if kept is None:
        return None
    try:
        with np.load(io.BytesIO(kept), allow_pickle=False) as found:
            details: Mapping[str, Any] = json.loads(found[_DETAILS if _DETAILS in found else _OLD_DETAILS].tobytes())
            columns = {name: found[name] for name in _COLUMNS}
            payload = found["payload"].tobytes()
        bars = Bars(
            symbol=details["bars_symbol"], timeframe=Timeframe.M1, contracts=tuple(details["contracts"]), **columns
        )
        source = FileBars(bars, details["source_name"], details["source_sha256"], details["source_details"])
        return FetchedMonth(provider, symbol, month, source, payload, details["payload_name"], details["details"])
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the month is fetched instead
        get_logger("fetching").warning("staged_month_damaged", symbol=symbol, month=month, error=str(error))
        forget(store, provider, symbol, month)
        return None


def kept(store: BarsStore) -> tuple[tuple[str, str, str], ...]:
    """Return provider, symbol and month of every month that is kept."""
    parts = [name.split(".") for name in store.all_incoming()]
    return tuple((one[0], one[1], one[2]) for one in parts if len(one) == 4 and one[3] == "npz")


def forget(store: BarsStore, provider: str, symbol: str, month: str) -> None:
    """Let go of a month that is in use now, or was refused."""
    store.forget_incoming(_name(provider, symbol, month))


def _name(provider: str, symbol: str, month: str) -> str:
    return f"{provider}.{symbol}.{month}.npz"
