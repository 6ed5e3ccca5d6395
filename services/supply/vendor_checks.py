"""Great Expectations in front of what a vendor sent: a month that fails is blocked before it ever counts."""

from core.errors import bad_data
from trading.bars.aside import without_sessions
from trading.bars.quality import assess
from trading.bars.schema import Bars
from trading.instruments import Instrument


def require_expected(bars: Bars, instrument: Instrument) -> None:
    """Let one month of bars pass; sessions that are put aside aren't looked at.

    Raises:
        GantryError: DATA_QUALITY_FAILED, naming the expectations that failed.

    """
    from services.bars.quality import validate_bars

    aside = {one.session for one in assess(bars, instrument).aside}
    fit = without_sessions(bars, instrument, aside)
    failed = [found for found in validate_bars(fit, instrument) if not found.passed]
    if failed:
        named = "; ".join(f"{one.name}: {one.unexpected_count} bars" for one in failed)
        raise bad_data(
            f"Bars of {bars.symbol} failed their checks: {named}.",
            fix="Look at the payload that was put aside; fetch the month again, or import it from elsewhere.",
            facts={"failed": [one.name for one in failed]},
        )
