"""Great Expectations in front of what a vendor sent: a month that fails is blocked before it ever counts."""

from core.errors import bad_data
from trading.bars.schema import Bars
from trading.instruments import Instrument


def require_expected(bars: Bars, instrument: Instrument) -> None:
    """Let one month of bars pass.

    Raises:
        GantryError: DATA_QUALITY_FAILED, naming the expectations that failed.

    """
    from services.bars.quality import validate_bars

    failed = [found for found in validate_bars(bars, instrument) if not found.passed]
    if failed:
        named = "; ".join(f"{one.name}: {one.unexpected_count} bars" for one in failed)
        raise bad_data(
            f"Bars of {bars.symbol} failed their checks: {named}.",
            fix="Look at the payload that was put aside; fetch the month again, or import it from elsewhere.",
            facts={"failed": [one.name for one in failed]},
        )
