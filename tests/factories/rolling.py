"""Real bars of ES around the roll of December 2013, so that its front contract rolls within a window."""

import numpy as np

from trading.bars.schema import Bars


def that_roll(bars: Bars) -> Bars:
    """Leave out ESH14 before its second session: the first one after a hole trades it more than ESZ13 already."""
    new, at = bars.contracts.index("ESH14"), bars.ts.astype("datetime64[ns]")
    return bars.take((bars.contract != new) | (at >= np.datetime64("2013-12-18T23:00")))
