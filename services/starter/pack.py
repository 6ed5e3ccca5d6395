"""The starter pack: bots to begin with, each with a baseline on its way. Asking again adds only what is missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from core.errors import invalid
from core.ids import new_id
from core.trace import current_trace_id
from core.words import counted
from fleet.closed_sets import ActivityEvent, BacktestKind, JobType, MetricsScope
from fleet.jobs import JobReason
from fleet.starter import DEFAULT_BOTS, DEFAULT_SYMBOLS, MAX_BOTS, Place, places
from services import events
from services.bots.create import NewBot, NewBotRows, rows_of_new_bot
from services.bots.keys import free_keys
from services.bots.read import BotView, some_bots
from services.jobs.enqueue import enqueue_jobs
from services.resets.reset import ResetRequest, reset_metrics
from sql.queries.jobs import read as job_queries
from sql.queries.jobs.enqueue import NewJob
from sql.queries.starter import pack as queries
from sql.tables.events import Activity
from sql.tables.jobs import BotJob
from trading.instruments import INSTRUMENTS, get_instrument

STARTER_RESET: Final = "STARTER_PACK_RESET"


@dataclass(frozen=True, slots=True)
class StarterPack:
    """The pack as it is now: its bots, for each the job that is or becomes its baseline, and how many were made."""

    bots: tuple[UUID, ...]
    jobs: tuple[UUID, ...]
    made_bots: int
    made_jobs: int

    @property
    def is_new(self) -> bool:
        """Whether anything was added."""
        return bool(self.made_bots or self.made_jobs)


@dataclass(frozen=True, slots=True)
class WholePack:
    """The pack to show: its bots, and for each the job that is or becomes its baseline."""

    made_bots: int
    made_jobs: int
    bots: tuple[BotView, ...]
    jobs: tuple[BotJob, ...]


def create_starter_pack(
    session: Session,
    *,
    symbols: Sequence[str] | None,
    count: int | None,
    actor: str,
    now: datetime,
    max_attempts: int,
) -> StarterPack:
    """See that the pack has `count` bots, each with a baseline done or on its way (a unit: the caller commits).

    Bots of the pack that are there stay, whatever they were renamed to or changed into; free places of
    `fleet.starter`'s plan are filled in its order. symbols: None takes those that have bars, else ES NQ CL GC 6E.
    count: None is 20. A fixed number of statements; calls at the same time come one after the other.

    Raises:
        GantryError: VALIDATION_FAILED for an unknown symbol, none, or a count that isn't 1 to 1,000.

    """
    asked = None if symbols is None else _checked_symbols(symbols)
    size = _checked_count(DEFAULT_BOTS if count is None else count)
    queries.lock_pack(session)
    kept = queries.kept_bots(session, asked)[:size]
    free = _free_places(session, asked, kept, size)
    new = [_rows_of(place, name, actor, now) for place, name in _named(session, free)]
    _insert(session, new, actor)
    made = _queue_baselines(session, kept, new, actor=actor, max_attempts=max_attempts)
    bots = tuple([one.bot_id for one in kept] + [one.bot.id for one in new])
    jobs = queries.baselines(session, bots)
    pack = StarterPack(bots, tuple(jobs[bot_id] for bot_id in bots if bot_id in jobs), len(new), len(made))
    if pack.is_new:
        events.publish(
            session,
            ActivityEvent.STARTER_PACK_CREATED,
            f"Starter pack: {counted(len(new), 'bot')} created, "
            f"{counted(len(made), 'baseline')} queued, {counted(len(kept), 'bot')} kept.",
            actor=actor,
            payload={"made_bots": len(new), "made_jobs": len(made), "kept_bots": len(kept)},
        )
    return pack


def whole_pack(session: Session, pack: StarterPack, *, now: datetime) -> WholePack:
    """Return the pack with its bots and jobs as they are now, in its order (a unit; a fixed number of queries)."""
    bots = {bot.id: bot for bot in some_bots(session, pack.bots, now=now)}
    jobs = {job.id: job for job in job_queries.jobs_of(session, pack.jobs)}
    return WholePack(
        pack.made_bots,
        pack.made_jobs,
        tuple(bots[bot_id] for bot_id in pack.bots),
        tuple(jobs[job_id] for job_id in pack.jobs),
    )


def reset_starter_pack(session: Session, *, symbols: Sequence[str] | None, actor: str, now: datetime) -> int:
    """Reset the metrics of the pack's bots, those of some symbols or all; return how many there are (a unit).

    Nothing is deleted; each bot needs a new baseline afterwards.
    """
    queries.lock_pack(session)
    kept = queries.kept_bots(session, None if symbols is None else _checked_symbols(symbols))
    if kept:
        asked = ResetRequest(MetricsScope.ALL, tuple(one.bot_id for one in kept), STARTER_RESET)
        reset_metrics(session, asked, dry_run=False, actor=actor, now=now)
    return len(kept)


def _checked_symbols(symbols: Sequence[str]) -> tuple[str, ...]:
    if not symbols:
        raise invalid("symbols is empty.", fix="Give at least one symbol, or omit symbols.", field="symbols")
    return tuple(dict.fromkeys(get_instrument(symbol).symbol for symbol in symbols))


def _checked_count(count: int) -> int:
    if not 1 <= count <= MAX_BOTS:
        raise invalid(f"A starter pack has 1 to {MAX_BOTS} bots.", fix="Change the count.", field="count")
    return count


def _free_places(
    session: Session, asked: Sequence[str] | None, kept: Sequence[queries.PackBot], size: int
) -> Sequence[Place]:
    """Return the first places that nobody has, as many as the pack lacks."""
    if len(kept) >= size:
        return ()
    taken = {one.key for one in kept}
    wanted = asked or _default_symbols(queries.symbols_with_bars(session))
    return tuple(islice((place for place in places(wanted) if place.key not in taken), size - len(kept)))


def _default_symbols(with_bars: Iterable[str]) -> tuple[str, ...]:
    """Return the symbols that have bars, the usual ones first: the order doesn't depend on what was imported when."""
    there = set(with_bars)
    usual = dict.fromkeys((*DEFAULT_SYMBOLS, *INSTRUMENTS))
    return tuple(symbol for symbol in usual if symbol in there) or DEFAULT_SYMBOLS


def _named(session: Session, free: Sequence[Place]) -> Iterable[tuple[Place, str]]:
    """Yield each place with a name that no active bot has."""
    used = queries.names_in_use(session, [place.name for place in free]) if free else frozenset()
    for place in free:
        name, number = place.name, 2
        while name in used:
            name, number = f"{place.name} ({number})", number + 1
        yield place, name


def _rows_of(place: Place, name: str, actor: str, now: datetime) -> NewBotRows:
    new = NewBot(name=name, symbol=place.symbol, strategy=place.strategy, params=place.params)
    return rows_of_new_bot(new, actor=actor, now=now, starter_key=place.key)


def _insert(session: Session, new: Sequence[NewBotRows], actor: str) -> None:
    free_keys(session, [one.bot for one in new])
    queries.insert_all(session, [one.bot for one in new])
    queries.insert_all(session, [one.version for one in new])
    queries.insert_all(session, [boundary for one in new for boundary in one.boundaries])
    queries.insert_all(session, [one.stage_event for one in new])
    queries.insert_all(session, [_created(one, actor) for one in new])


def _created(one: NewBotRows, actor: str) -> Activity:
    return Activity(
        id=new_id(),
        event_type=ActivityEvent.BOT_CREATED,
        bot_id=one.bot.id,
        actor=actor,
        message=one.message,
        payload=one.facts,
        trace_id=current_trace_id(),
    )


def _queue_baselines(
    session: Session, kept: Sequence[queries.PackBot], new: Sequence[NewBotRows], *, actor: str, max_attempts: int
) -> frozenset[UUID]:
    """Queue a baseline for each new bot, and for each kept one that has none and isn't busy; return the jobs."""
    idle = _without_baseline(session, [one.bot_id for one in kept])
    if idle:
        held = queries.hold_bots(session, idle)
        idle = [bot_id for bot_id in _without_baseline(session, idle) if bot_id in held]  # meanwhile one may have come
    bots = (*idle, *(one.bot.id for one in new))
    jobs = [NewJob(new_id(), bot_id, JobType.BACKTEST, BacktestKind.BASELINE) for bot_id in bots]
    return enqueue_jobs(session, jobs, reason=JobReason.REQUESTED, actor=actor, max_attempts=max_attempts)


def _without_baseline(session: Session, bot_ids: Sequence[UUID]) -> list[UUID]:
    found = queries.baselines(session, bot_ids) if bot_ids else {}
    return [bot_id for bot_id in bot_ids if bot_id not in found]
