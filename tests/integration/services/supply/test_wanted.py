"""Which months the fleet's windows want."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from services.bots.create import NewBot, create_bot
from services.supply.top_up import Supply
from services.supply.wanted import months_of_fleet
from sql.tables.bots import Bot
from tests.factories.bots import NOW
from tests.fakes.bars_source import PricedSource

AT = datetime(2024, 3, 15, tzinfo=UTC)


def make(session: Session, name: str, symbol: str, start: str | None = None, end: str | None = None) -> Bot:
    new = NewBot(name, symbol, "sma_cross", window_start=start, window_end=end)
    return session.get_one(Bot, create_bot(session, new, actor="test", now=NOW))


def test_months_of_windows_with_both_ends_are_wanted_once_by_symbol_and_month(session: Session) -> None:
    make(session, "one", "NQ", "2023-12", "2024-01")
    make(session, "two", "NQ", "2024-01", "2024-02")
    make(session, "three", "ES", "2024-02", "2024-09")
    make(session, "gone", "CL", "2024-01", "2024-01").archived_at = NOW
    session.flush()
    assert months_of_fleet(session, Supply(), AT) == (
        ("ES", "2024-02"),
        ("NQ", "2023-12"),
        ("NQ", "2024-01"),
        ("NQ", "2024-02"),
    ), "what isn't over isn't wanted yet"


def test_an_open_window_wants_more_only_where_a_vendor_could_send_it(session: Session) -> None:
    make(session, "open", "ES")
    make(session, "since", "NQ", "2024-01")
    assert months_of_fleet(session, Supply(simulates=True), AT) == ()
    assert months_of_fleet(session, Supply([PricedSource()], history_months=2), AT) == (
        ("ES", "2024-01"),
        ("ES", "2024-02"),
        ("NQ", "2024-01"),
        ("NQ", "2024-02"),
    )
