"""Bars that a vendor sent and that fail an expectation never come to count."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from services.supply.vendor_checks import require_expected
from tests.factories.bars import made_bars, with_impossible
from trading.instruments import get_instrument

ES = get_instrument("ES")


def test_sound_bars_pass() -> None:
    require_expected(made_bars(), ES)


def test_a_session_with_an_impossible_bar_is_put_aside_and_not_looked_at() -> None:
    require_expected(with_impossible(made_bars(), "2024-01-10T12:00"), ES)


def test_a_month_with_impossible_bars_is_refused_by_the_name_of_what_failed() -> None:
    bars = made_bars()
    high = bars.high.copy()
    high[::60] = bars.low[::60] - 1
    with pytest.raises(GantryError, match="Bars of ES failed their checks") as refused:
        require_expected(replace(bars, high=high), ES)
    assert refused.value.code is ErrorCode.DATA_QUALITY_FAILED
    failed = refused.value.facts["failed"]
    assert isinstance(failed, list)
    assert failed
    assert all(name in refused.value.message for name in failed)
    assert np.count_nonzero(high < bars.low) == len(high[::60])
