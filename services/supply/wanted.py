"""Which months the fleet's windows want, whether or not they are there."""

from datetime import datetime

from sqlalchemy.orm import Session

from fleet.history import months_wanted
from services.supply.top_up import Supply
from sql.queries.supply import fetches as queries


def months_of_fleet(session: Session, supply: Supply, now: datetime) -> tuple[tuple[str, str], ...]:
    """Return the (symbol, month) that active bots' windows want, by symbol and month.

    A window with an open end takes what there is, and wants more only where a vendor could send it.
    """
    return tuple(
        (symbol, month)
        for symbol, windows in sorted(queries.windows_of_fleet(session).items())
        for month in months_wanted(
            [window for window in windows if supply.sources or (window["start"] and window["end"])],
            now,
            supply.history_months,
        )
    )
