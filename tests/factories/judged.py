"""Bots with a session, a rollup and a score that agree, as grading leaves them, and the findings a test wants."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from core.ids import new_id
from fleet.closed_sets import Tier
from services.backtests.rollups import from_raw_rows
from sql.tables.bots import Bot
from sql.tables.standing import AutonomyScore
from tests.factories.bots import TRACE, make_bot
from tests.factories.results import make_session
from tests.factories.standing import make_rollup
from trading.backtest.findings import Check


def make_judged(session: Session, name: str, *, failed: Collection[Check] = (), missing: Collection[Check] = ()) -> Bot:
    """Store a bot whose session's checks passed, but for those that failed and those that did not run."""
    bot = make_bot(session, name)
    analysis = {check.value: {"passed": check not in failed} for check in Check if check not in missing}
    stored = make_session(session, bot, trades=3, analysis=analysis)
    raw = from_raw_rows(session, stored.id)
    make_rollup(session, bot, trades=3, session_id=stored.id, net_pnl=raw.net_pnl, open_pnl=raw.open_pnl, wins=raw.wins)
    session.add(
        AutonomyScore(
            id=new_id(),
            bot_id=bot.id,
            autonomy_score=50.0,
            autonomy_tier=Tier.SUPERVISED,
            breakdown={},
            session_id=stored.id,
            trace_id=TRACE,
        )
    )
    session.flush()
    return bot
