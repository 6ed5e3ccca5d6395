"""Reads of bots with everything a screen shows of them: a fixed number of queries, whatever the page's size."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ARRAY, Select, SQLColumnExpression, Uuid, any_, bindparam, select, true
from sqlalchemy.orm import Session, aliased

from fleet.closed_sets import TradeSource
from sql.queries import current
from sql.queries.bots.rows import BotRow, Breakdown, JobRow, MadeOf, Part, RollupRow, ScoreRow, VersionRow
from sql.queries.paging import AnySelect
from sql.tables.bots import Bot, BotBoundary, BotVersion
from sql.tables.jobs import BotJob
from sql.tables.results import BacktestSession
from sql.tables.standing import AutonomyScore, MetricsRollup

# Of the key a bot is sorted by and its id, the clauses of ORDER BY.
InOrder: TypeAlias = Callable[
    [SQLColumnExpression[Any], SQLColumnExpression[Any]], tuple[SQLColumnExpression[Any], ...]
]
# One parameter, so that the statement's text is the same however many there are.
_IDS = bindparam("ids", type_=ARRAY(Uuid()))


@dataclass(frozen=True, slots=True)
class CurrentBot:
    """A bot with its current version, and the rollup, score and data label it has in its current epoch.

    made_of, breakdown: only of a bot that is read whole.
    """

    bot: BotRow
    version: VersionRow
    rollup: RollupRow | None
    score: ScoreRow | None
    data_label: str | None
    made_of: MadeOf | None = None
    breakdown: Breakdown | None = None


def one_bot(session: Session, bot_id: UUID) -> CurrentBot | None:
    """Return one bot, archived or not, with its present standing."""
    found = _standings(session, _by_id(), {"ids": [bot_id]})
    return found[0] if found else None


def some_bots(session: Session, bot_ids: Sequence[UUID]) -> Sequence[CurrentBot]:
    """Return these bots, archived or not, with their present standing, by id."""
    found = _standings(session, _by_id(), {"ids": list(bot_ids)})
    return sorted(found, key=lambda row: row.bot.id)


# Statements are built once: building one takes as long as its answer.
@cache
def _by_id() -> Select[Any]:
    chosen = select(Bot, Bot.created_at.label("sort_key")).where(Bot.id == any_(_IDS))
    return with_standings(chosen, in_order=lambda key, bot_id: (key.desc(), bot_id.desc()), whole=True)


def with_standings(which: AnySelect, *, in_order: InOrder, whole: bool = False) -> Select[Any]:
    """Each of these bots with its present standing, and the key it is sorted by as the last column.

    which: selects Bot and its `sort_key`. A rollup of an older epoch or version is not the present one. Index probes
    bot by bot: left to itself, the planner reads the whole fleet to join 200 of it.
    """
    chosen = which.subquery("chosen")
    bot = aliased(Bot, chosen)
    present = (
        select(BotVersion, MetricsRollup, AutonomyScore, BacktestSession.data_label)
        .select_from(BotVersion)
        .join(BotBoundary, current.boundary_of(bot.id))
        .outerjoin(MetricsRollup, current.of_current_epoch(MetricsRollup))
        .outerjoin(BacktestSession, current.behind_rollup(bot))
        .outerjoin(AutonomyScore, AutonomyScore.bot_id == bot.id)
        .where(current.version_of(bot))
        .limit(1)
        .lateral("present")
    )
    version, score = aliased(BotVersion, present), aliased(AutonomyScore, present)
    parts = [
        Part(BotRow, bot),
        Part(VersionRow, version),
        Part(RollupRow, aliased(MetricsRollup, present)),
        Part(ScoreRow, score),
        present.c.data_label,
    ]
    if whole:
        parts += [Part(MadeOf, version), Part(Breakdown, score)]
    query = select(*parts, chosen.c.sort_key).select_from(bot).join(present, true())
    return query.order_by(*in_order(chosen.c.sort_key, bot.id))


def _standings(session: Session, query: Select[Any], named: Mapping[str, object]) -> Sequence[CurrentBot]:
    return [standing(*row[:-1]) for row in session.execute(query, named)]


def standing(
    bot: BotRow,
    version: VersionRow,
    rollup: RollupRow | None,
    score: ScoreRow | None,
    label: str | None,
    made_of: MadeOf | None = None,
    breakdown: Breakdown | None = None,
) -> CurrentBot:
    """Return a bot with what of these counts now."""
    # A completed session has a label; without one, the rollup is of an older version's session.
    present = rollup if label is not None else None
    if score is not None and score.session_id != (present.session_id if present else None):
        score = breakdown = None  # it rests on another session
    return CurrentBot(bot, version, present, score, label, made_of, breakdown)


def bot_id_of(session: Session, name: str) -> UUID | None:
    """Return the id of the active bot of that name."""
    return session.scalar(select(Bot.id).where(Bot.name == name, Bot.archived_at.is_(None)))


def archived_ids_of(session: Session, name: str) -> Sequence[UUID]:
    """Return the ids of the archived bots of that name, the last archived first."""
    query = select(Bot.id).where(Bot.name == name, Bot.archived_at.is_not(None))
    return session.scalars(query.order_by(Bot.archived_at.desc(), Bot.id.desc())).all()


def newest_jobs(session: Session, bot_ids: Sequence[UUID]) -> Sequence[JobRow]:
    """Return each bot's newest job. An active one is always the newest: only a bot without one gets a new one."""
    return session.scalars(_newest_jobs(), {"ids": list(bot_ids)}).all()


@cache
def _newest_jobs() -> Select[Any]:
    # One index probe a bot, however many jobs it has had and however many bots there are.
    newest = (
        select(BotJob)
        .where(BotJob.bot_id == Bot.id)
        .order_by(BotJob.created_at.desc(), BotJob.id.desc())
        .limit(1)
        .correlate(Bot)
        .lateral()
    )
    job = Part(JobRow, aliased(BotJob, newest))
    return select(job).select_from(Bot).join(newest, true()).where(Bot.id == any_(_IDS))


def rollups_of(session: Session, bot_ids: Sequence[UUID]) -> Sequence[RollupRow]:
    """Return the bots' rollups of the current epochs of every source but BACKTEST."""
    return session.scalars(_rollups(), {"ids": list(bot_ids)}).all()


@cache
def _rollups() -> Select[Any]:
    return (
        select(Part(RollupRow, MetricsRollup))
        .join(BotBoundary, current.of_current_epoch(MetricsRollup))
        .where(MetricsRollup.bot_id == any_(_IDS), MetricsRollup.source != TradeSource.BACKTEST)
    )
