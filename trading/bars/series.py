"""What a backtest runs on: windows of one contract at a time, with the rolls between contracts.

Made from `Bars` by `trading.bars.front`. Signals see prices adjusted by the sum of the roll differences so
far, subtracted forward from the first contract on, so that no price depends on a later roll; fills and
equity use the real contract's prices.
"""

from dataclasses import dataclass

from trading.bars.schema import Bars, IntArray


@dataclass(frozen=True, slots=True)
class Roll:
    """A change of contract inside a window.

    index: first bar on the new contract. old_exit_ticks: price, in ticks, at which the old contract is
    closed at that bar: the old contract's open where both traded then, else its last close.
    difference_ticks: new open minus old_exit, in ticks; the new contract is opened at its open.
    """

    index: int
    old_contract: str
    new_contract: str
    old_exit_ticks: int
    difference_ticks: int


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Window:
    """T bars of one front contract at a time, strictly increasing ts, never bridging a missing overlap.

    bars: real prices. open_ticks, high_ticks, low_ticks, close_ticks: the same as int64[T] ticks.
    adjustment_ticks: int64[T], to subtract from real ticks to get the signals' ticks.
    session: int64[T], ordinal of the trading day (days since 1970) each bar belongs to.
    session_last: int64[T] ns: open time of the last bar the calendar allows in that session (for flatten);
    rolls: in order of index.
    """

    bars: Bars
    open_ticks: IntArray
    high_ticks: IntArray
    low_ticks: IntArray
    close_ticks: IntArray
    adjustment_ticks: IntArray
    session: IntArray
    session_last: IntArray
    rolls: tuple[Roll, ...]

    def __len__(self) -> int:
        return len(self.bars)
