"""Wall-clock time and UTC, in nanoseconds since 1970."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MINUTE_NS: Final = 60_000_000_000
DAY_NS: Final = 1440 * MINUTE_NS


def local_ns(ts: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Return int64[T], the zone's wall clock at each instant."""
    local = pd.DatetimeIndex(ts.astype("datetime64[ns]")).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return local.to_numpy().astype("datetime64[ns]").astype(np.int64)


def utc_ns(local: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Return int64[T], the instant at which the zone's wall clock shows each time.

    Raises:
        ValueError: a time that the clock shows twice or never; no session opens or ends then.

    """
    index = pd.DatetimeIndex(local.astype("datetime64[ns]")).tz_localize(zone).tz_convert("UTC").tz_localize(None)
    return index.to_numpy().astype("datetime64[ns]").astype(np.int64)


def minutes(text: str) -> int:
    """Return minutes after midnight, 0 to 1439, of "HH:MM"."""
    return int(text[:2]) * 60 + int(text[3:])
