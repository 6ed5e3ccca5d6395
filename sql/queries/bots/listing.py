"""Lists of bots: filtered, sorted and paged in the database, and counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, SQLColumnExpression, Text, and_, bindparam, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from fleet.bot_filter import NEWEST_FIRST, BotFilter, BotOrder
from sql.queries.bots import shown
from sql.queries.bots.read import CurrentBot, standing, with_standings
from sql.queries.paging import AfterKey, AnySelect, Page, page_of, rows_read
from sql.tables.bots import Bot

# As many statements as are kept: one for each kind of filter and order that is asked for.
KEPT = 256
_WANTED = bindparam("alert", type_=Text())
_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "stage": Bot.stage == bindparam("stage"),
    "symbol": Bot.symbol == bindparam("symbol"),
    "state": shown.state == bindparam("state", type_=Text()),
    "tier": shown.tier == bindparam("tier", type_=Text()),
    "label": shown.label == bindparam("label", type_=Text()),
    "alert": shown.has_alert(_WANTED),
}
_ON_JOB = frozenset({"state", "alert"})
_ON_STANDING = frozenset({"state", "tier", "label", "alert"})


@dataclass(frozen=True, slots=True)
class _Kind:
    """What two statements have in common that differ in their parameters only."""

    conditions: frozenset[str]
    archived: bool
    order: BotOrder = NEWEST_FIRST
    after: bool = False
    after_null: bool = False


class BotCount(NamedTuple):
    """How many bots share a property. kind: which property; value: None for bots without it."""

    kind: str
    value: str | None
    bots: int
    net_pnl: Any


def page_bots(
    session: Session, which: BotFilter, order: BotOrder = NEWEST_FIRST, *, after: AfterKey | None, limit: int
) -> Page[CurrentBot, AfterKey]:
    """Return a page of bots in an order; those without a value come last either way."""
    named = _parameters(which)
    kind = _Kind(
        frozenset(named),
        which.archived,
        order,
        after=after is not None,
        after_null=after is not None and after.key is None,
    )
    named |= {"rows": rows_read(limit)} | ({} if after is None else {"key": after.key, "id": after.id})
    rows = session.execute(_page(kind), named).all()
    page = page_of(rows, limit, _place)
    return page.with_rows([standing(*row[:-1]) for row in page.rows])


def count_bots(session: Session, which: BotFilter) -> int:
    """Return how many bots a filter matches."""
    named = _parameters(which)
    return int(session.execute(_count(_Kind(frozenset(named), which.archived)), named).scalar_one())


def counts(session: Session) -> list[BotCount]:
    """Count the active bots by stage, state, tier, label and alert, in one statement."""
    return [BotCount(*row) for row in session.execute(_counts())]


def _parameters(which: BotFilter) -> dict[str, Any]:
    wanted = {name: getattr(which, name) for name in _CONDITIONS}
    return {name: value for name, value in wanted.items() if value is not None}


def _place(row: Row[Any]) -> AfterKey:
    return AfterKey(row[-1], row[0].id)


# Statements are built once: building one takes as long as its answer.
@lru_cache(KEPT)
def _page(kind: _Kind) -> AnySelect:
    key = shown.KEYS[kind.order.by]
    query = _matching(select(Bot, key.label("sort_key")).select_from(Bot), kind)
    if kind.after:
        query = query.where(_behind(kind, key))
    chosen = query.order_by(*_in_order(kind.order, key, Bot.id)).limit(bindparam("rows"))
    return with_standings(chosen, in_order=lambda key, bot_id: _in_order(kind.order, key, bot_id))


@lru_cache(KEPT)
def _count(kind: _Kind) -> AnySelect:
    return _matching(select(func.count()).select_from(Bot), kind)


def _matching(query: AnySelect, kind: _Kind) -> AnySelect:
    """Join only what the filters and the order look at."""
    by = kind.order.by
    if by in shown.OF_VERSION:
        query = shown.with_version(query)
    if by in shown.OF_JOB or kind.conditions & _ON_JOB:
        query = shown.with_job(query)
    if by in shown.OF_STANDING or kind.conditions & _ON_STANDING:
        query = shown.with_standing(query)
    archived = Bot.archived_at.is_not(None) if kind.archived else Bot.archived_at.is_(None)
    return query.where(archived, *(_CONDITIONS[name] for name in sorted(kind.conditions)))


def _in_order(
    order: BotOrder, key: SQLColumnExpression[Any], bot_id: SQLColumnExpression[Any]
) -> tuple[SQLColumnExpression[Any], ...]:
    first, then = (key.desc(), bot_id.desc()) if order.descending else (key.asc(), bot_id.asc())
    # Where no key is null, NULLS LAST would keep the index from being used.
    return (first if order.by in shown.ALWAYS else first.nulls_last(), then)


def _behind(kind: _Kind, key: ColumnElement[Any]) -> ColumnElement[bool]:
    """Match the bots behind the last row shown."""
    last_key, last_id = bindparam("key", type_=key.type), bindparam("id", type_=Bot.id.type)
    further_id = Bot.id < last_id if kind.order.descending else Bot.id > last_id
    if kind.after_null:
        return and_(key.is_(None), further_id)
    here, last = tuple_(key, Bot.id), tuple_(last_key, last_id)
    further = here < last if kind.order.descending else here > last
    return further if kind.order.by in shown.ALWAYS else or_(further, key.is_(None))


@lru_cache(1)
def _counts() -> AnySelect:
    parts = {
        "stage": Bot.stage,
        "state": shown.state,
        "tier": shown.tier,
        "label": shown.label,
        "lock": shown.lock,
        "failure": shown.failure,
    }
    facts: list[ColumnElement[Any]] = [part.label(name) for name, part in parts.items()]
    each = shown.with_standing(shown.with_job(select(*facts, shown.net_pnl.label("net_pnl")).select_from(Bot)))
    bots = each.where(Bot.archived_at.is_(None)).subquery("bots")
    kind = case(*((func.grouping(bots.c[name]) == 0, name) for name in parts))
    value = func.coalesce(*(bots.c[name] for name in parts))  # all others are null
    by = func.grouping_sets(*(tuple_(bots.c[name]) for name in parts))
    return select(kind, value, func.count(), func.sum(bots.c.net_pnl)).group_by(by)
