"""Verdicts of checks on the sessions behind the fleet's metrics: found bot by bot, read over the fleet as it stands.

Each of these is one statement, whatever the fleet's size. A verdict counts while it is of its bot's current version and
epoch, and the bot is active.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, TextClause, Uuid, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from fleet.closed_sets import RawCheck
from sql.queries.current import of_current_epoch, of_current_version
from sql.tables.bots import Bot, BotBoundary
from sql.tables.checks import BotChecks

_JUDGE: Final = """
INSERT INTO bot_checks (bot_id, session_id, version_id, epoch, failed, raw_compared)
SELECT r.bot_id, s.id, s.version_id, r.epoch, ARRAY(
    SELECT name FROM unnest(CAST(:checks AS text[])) WITH ORDINALITY AS asked (name, place)
    WHERE NOT coalesce((s.analysis -> name ->> 'passed')::boolean, false) ORDER BY place
  ), false
FROM bot_metrics_rollups r JOIN backtest_sessions s ON s.id = r.session_id
WHERE r.source = 'BACKTEST' AND {which}
ORDER BY r.bot_id
ON CONFLICT (bot_id) DO UPDATE SET session_id = excluded.session_id, version_id = excluded.version_id,
  epoch = excluded.epoch, failed = excluded.failed, raw_compared = false, judged_at = clock_timestamp()
"""
_OF_BOTS: Final = text(_JUDGE.format(which="r.bot_id = ANY(:bots)"))
_UNJUDGED: Final = text(
    _JUDGE.format(
        which="NOT EXISTS (SELECT FROM bot_checks k WHERE k.bot_id = r.bot_id AND k.session_id = r.session_id)"
    )
)
# Rows that another process grades meanwhile are skipped: waiting for them would hold locks.
_COMPARE: Final = """
WITH due AS (
  SELECT bot_id, session_id FROM bot_checks WHERE NOT raw_compared AND {which} ORDER BY bot_id LIMIT :most
  FOR NO KEY UPDATE SKIP LOCKED
), found AS (
  SELECT due.bot_id, array_remove(ARRAY[
      CASE WHEN (t.trades, t.net) IS DISTINCT FROM (s.total_trades, s.net_pnl) THEN :trades_differ END,
      CASE WHEN r.bot_id IS NOT NULL AND (t.trades, t.net, t.wins, d.deepest, coalesce(last.equity, 0) - t.net)
        IS DISTINCT FROM (r.total_trades, r.net_pnl, r.wins, r.max_drawdown_usd, r.open_pnl) THEN :metrics_differ END,
      CASE WHEN a.bot_id IS NULL THEN :no_score END
    ], NULL) AS wrong
  FROM due
  JOIN backtest_sessions s ON s.id = due.session_id
  LEFT JOIN bot_metrics_rollups r
    ON r.bot_id = due.bot_id AND r.source = 'BACKTEST' AND r.session_id = due.session_id
  CROSS JOIN LATERAL (
    SELECT count(*) AS trades, coalesce(sum(net_pnl), 0) AS net, count(*) FILTER (WHERE net_pnl > 0) AS wins
    FROM trade_logs WHERE session_id = due.session_id
  ) t
  CROSS JOIN LATERAL (
    SELECT coalesce(max(drawdown_usd), 0) AS deepest FROM bot_equity_curve WHERE session_id = due.session_id
  ) d
  LEFT JOIN LATERAL (
    SELECT equity_usd AS equity FROM bot_equity_curve WHERE session_id = due.session_id ORDER BY seq DESC LIMIT 1
  ) last ON true
  LEFT JOIN autonomy_scores a ON a.bot_id = due.bot_id
)
UPDATE bot_checks k SET raw_compared = true, failed = k.failed || found.wrong, judged_at = clock_timestamp()
FROM found WHERE k.bot_id = found.bot_id
"""
_COMPARE_OF_BOTS: Final = text(_COMPARE.format(which="bot_id = ANY(:bots)"))
_COMPARE_ANY: Final = text(_COMPARE.format(which="true"))


class AlikeBots(NamedTuple):
    """How many bots fail just these checks, and the oldest of them. raw_compared: their raw rows were summed."""

    failed: tuple[str, ...]
    raw_compared: bool
    bots: int
    oldest: tuple[UUID, ...]


def judge(session: Session, checks: Sequence[str], bot_ids: Sequence[UUID] | None) -> int:
    """Write the verdicts on these bots' sessions, or on all that have none; return how many were written."""
    if bot_ids is None:
        return _changed(session, _UNJUDGED, {"checks": list(checks)})
    return _changed(session, _OF_BOTS, {"checks": list(checks), "bots": list(bot_ids)})


def compare_raw(session: Session, bot_ids: Sequence[UUID] | None, *, most: int) -> int:
    """Sum the raw rows of sessions for which nobody has, of these bots or of any; return of how many bots."""
    named = {
        "most": most,
        "trades_differ": RawCheck.TRADES_DIFFER,
        "metrics_differ": RawCheck.METRICS_DIFFER,
        "no_score": RawCheck.NO_SCORE,
    }
    if bot_ids is None:
        return _changed(session, _COMPARE_ANY, named)
    return _changed(session, _COMPARE_OF_BOTS, named | {"bots": list(bot_ids)})


def alike(session: Session, *, most: int) -> Sequence[AlikeBots]:
    """Return the verdicts that count, by what they say, with the ids of the `most` oldest bots that fail anything."""
    rows = session.execute(_alike(most))
    return [AlikeBots(tuple(failed), raw, bots, tuple(oldest or ())) for failed, raw, bots, oldest in rows]


@cache
def _alike(most: int) -> Select[Any]:
    """Build the statement, once: building it takes as long as its answer.

    One pass that looks at every bot costs the same whatever Postgres estimates; a search for the oldest in the order of
    an index took 2 ms or 28 ms with 10,000 bots.
    """
    says = (BotChecks.failed, BotChecks.raw_compared)
    ids = func.array_agg(BotChecks.bot_id).filter(BotChecks.failed != [])
    each = _current(*says, func.count().label("bots"), ids.label("ids")).group_by(*says).subquery()
    bot_id = func.unnest(each.c.ids).column_valued("bot_id")
    oldest = select(bot_id).order_by(bot_id).limit(most).scalar_subquery()
    return select(each.c.failed, each.c.raw_compared, each.c.bots, func.array(oldest, type_=ARRAY(Uuid())))


def _current(*columns: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    """Select of active bots' verdicts that are of the current version and epoch."""
    return (
        select(*columns)
        .select_from(BotChecks)
        .join(Bot, of_current_version(BotChecks))
        .join(BotBoundary, of_current_epoch(BotChecks))
        .where(Bot.archived_at.is_(None))
    )


def _changed(session: Session, statement: TextClause, named: Mapping[str, object]) -> int:
    return session.execute(statement, dict(named)).rowcount  # type: ignore[attr-defined,no-any-return]
