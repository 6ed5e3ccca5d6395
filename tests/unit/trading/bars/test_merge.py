"""Merging: equal bars once, contradictions refused, or replaced when asked."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ErrorCode, GantryError
from tests.factories.bars import equal, made_bars
from trading.bars.merge import merge
from trading.instruments import get_instrument

ES = get_instrument("ES")


def test_the_same_bars_again_add_nothing() -> None:
    merged = merge(made_bars(), made_bars(), ES)
    assert (merged.added, merged.replaced) == (0, 0)
    assert equal(merged.bars, made_bars())


def test_disjoint_and_overlapping_parts_make_the_whole() -> None:
    whole = made_bars()
    merged = merge(whole.take(slice(0, 2000)), whole.take(slice(1500, None)), ES)
    assert equal(merged.bars, whole)
    assert merged.added == len(whole) - 2000


def test_another_contract_at_the_same_times_is_no_contradiction() -> None:
    merged = merge(made_bars(), made_bars(contract="ESM24", first_tick=30_000), ES)
    assert merged.added == len(made_bars())
    assert merged.bars.contracts == ("ESH24", "ESM24")


def test_contradicting_bars_are_refused_with_the_way_out() -> None:
    other = replace(made_bars(), volume=np.where(np.arange(len(made_bars())) == 7, 1, 100).astype(np.int64))
    with pytest.raises(GantryError, match="1 bar of ES differs from") as caught:
        merge(made_bars(), other, ES)
    assert caught.value.code is ErrorCode.CONFLICT
    assert "--replace" in caught.value.fix
    merged = merge(made_bars(), other, ES, replace=True)
    assert (merged.added, merged.replaced) == (0, 1)
    assert equal(merged.bars, other)


def test_named_and_unnamed_contracts_dont_mix() -> None:
    with pytest.raises(GantryError, match="only one of them names its contracts"):
        merge(made_bars(), replace(made_bars(), contracts=("",)), ES)


def test_contracts_named_by_expiry_and_by_id_dont_mix() -> None:
    with pytest.raises(GantryError, match="only one of them names its contracts by expiry") as caught:
        merge(made_bars(), made_bars(contract="118"), ES)
    assert caught.value.code is ErrorCode.CONFLICT
    assert merge(made_bars(contract="118"), made_bars(contract="119"), ES).added == len(made_bars())
