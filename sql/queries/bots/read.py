"""Reads of bots with everything a screen shows of them: a fixed number of queries, whatever the page's size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, any_, bindparam, select, true, tuple_
from sqlalchemy.orm import Session, aliased

from fleet.bot_filter import BotFilter
from fleet.closed_sets import TradeSource
from sql.queries import current
from sql.queries.bots.rows import BotRow, Breakdown, JobRow, MadeOf, Part, RollupRow, ScoreRow, VersionRow
from sql.queries.paging import After, Page, page_of, rows_read
from sql.tables.bots import Bot, BotBoundary, BotVersion
from sql.tables.jobs import BotJob
from sql.tables.results import BacktestSession
from sql.tables.standing import AutonomyScore, MetricsRollup

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


def page_bots(session: Session, which: BotFilter, *, after: After | None, limit: int) -> Page[CurrentBot, After]:
    """Return a page of bots, newest first."""
    query = _page(stage=which.stage is not None, symbol=which.symbol is not None, after=after is not None)
    named = {"stage": which.stage, "symbol": which.symbol, "rows": rows_read(limit)}
    rows = _standings(session, query, named | ({"at": after.created_at, "id": after.id} if after else {}))
    return page_of(rows, limit, lambda row: After(row.bot.created_at, row.bot.id))


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
def _page(*, stage: bool, symbol: bool, after: bool) -> Select[Any]:
    query = select(Bot).where(Bot.archived_at.is_(None))
    if stage:
        query = query.where(Bot.stage == bindparam("stage"))
    if symbol:
        query = query.where(Bot.symbol == bindparam("symbol"))
    if after:
        last = tuple_(bindparam("at", type_=Bot.created_at.type), bindparam("id", type_=Bot.id.type))
        query = query.where(tuple_(Bot.created_at, Bot.id) < last)
    return _shown(query.order_by(Bot.created_at.desc(), Bot.id.desc()).limit(bindparam("rows")), whole=False)


@cache
def _by_id() -> Select[Any]:
    return _shown(select(Bot).where(Bot.id == any_(_IDS)), whole=True)


def _shown(which: Select[Bot], *, whole: bool) -> Select[Any]:
    """Each of these bots with its present standing. A rollup of an older epoch or version is not the present one.

    Index probes bot by bot: left to itself, the planner reads the whole fleet to join 200 of it.
    """
    bot = aliased(Bot, which.subquery("chosen"))
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
    newest = (bot.created_at.desc(), bot.id.desc())
    return select(*parts).select_from(bot).join(present, true()).order_by(*newest)


def _standings(session: Session, query: Select[Any], named: Mapping[str, object]) -> Sequence[CurrentBot]:
    return [_standing(*row) for row in session.execute(query, named)]


def _standing(
    bot: BotRow,
    version: VersionRow,
    rollup: RollupRow | None,
    score: ScoreRow | None,
    label: str | None,
    made_of: MadeOf | None = None,
    breakdown: Breakdown | None = None,
) -> CurrentBot:
    # A completed session has a label; without one, the rollup is of an older version's session.
    present = rollup if label is not None else None
    if score is not None and score.session_id != (present.session_id if present else None):
        score = breakdown = None  # it rests on another session
    return CurrentBot(bot, version, present, score, label, made_of, breakdown)


def bot_id_of(session: Session, name: str) -> UUID | None:
    """Return the id of the active bot of that name."""
    return session.scalar(select(Bot.id).where(Bot.name == name, Bot.archived_at.is_(None)))


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
