"""The plan of one tick: which jobs to enqueue in which order, and a reason for every bot and job that has to wait.

The order is fair: symbols take turns, and of one symbol the bot that has waited longest comes first. So the first
round has one bot of every symbol, the second round the next one of each, and within a round longest waiting first;
a bot's id settles what is left. No symbol waits behind all of another's bots.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from fleet.caps import IMPROVING
from fleet.closed_sets import JobStatus, JobType, NotEnqueued, NotStarted
from fleet.planner.cadence import due, is_promotion_due, promotion_held
from fleet.planner.due import Due
from fleet.planner.result import FleetPlan, PlannedJob, summarise
from fleet.planner.types import BarsState, BotSnapshot, FleetSnapshot, PlannerCaps

IMPROVEMENTS_AHEAD: Final = 4  # active ones, for each that may run at once


def plan(snapshot: FleetSnapshot, caps: PlannerCaps, now: datetime) -> FleetPlan:
    """Return what this tick is to do; the same snapshot gives the same plan, whatever the order of its bots.

    now: aware, UTC. 10,000 bots take about 0.1 s.
    """
    bots = sorted(snapshot.bots, key=_number)
    wanted: list[tuple[BotSnapshot, Due]] = []
    not_enqueued: dict[UUID, NotEnqueued] = {}
    promote: list[UUID] = []
    for bot in bots:
        found = due(bot, caps, now)
        graded_anew = isinstance(found, Due) and found.job_type is JobType.BACKTEST
        if is_promotion_due(bot) and not graded_anew:  # evidence that is to be made anew promotes nobody
            held = promotion_held(bot, now)
            if held is None:
                promote.append(bot.id)
                found = NotEnqueued.BASELINE_FRESH
            elif not isinstance(found, Due):
                found = held
        if isinstance(found, Due):
            wanted.append((bot, found))
        else:
            not_enqueued[bot.id] = found
    ordered, later = _as_many_as_run_soon(_fair(wanted), bots, caps)
    not_enqueued |= dict.fromkeys(later, NotEnqueued.CADENCE_NOT_DUE)
    enqueue = tuple(PlannedJob(bot.id, job.job_type, job.kind, job.reason, job.retry) for bot, job in ordered)
    queue = _queued(bots, now) + [(bot, job.job_type) for bot, job in ordered]
    not_started = _held_back(queue, snapshot, caps)
    summary = summarise(snapshot, caps, enqueue, not_enqueued, not_started, eligible=len(wanted))
    return FleetPlan(enqueue, not_enqueued, not_started, summary, tuple(promote))


def _fair(wanted: Sequence[tuple[BotSnapshot, Due]]) -> list[tuple[BotSnapshot, Due]]:
    rounds: Counter[str] = Counter()
    turns: list[tuple[int, datetime, int, BotSnapshot, Due]] = []
    for bot, job in sorted(wanted, key=lambda one: (one[1].since, one[0].id.int)):
        turns.append((rounds[bot.symbol], job.since, bot.id.int, bot, job))
        rounds[bot.symbol] += 1
    return [(bot, job) for *_, bot, job in sorted(turns, key=lambda turn: turn[:3])]


def _as_many_as_run_soon(
    ordered: Sequence[tuple[BotSnapshot, Due]], bots: Sequence[BotSnapshot], caps: PlannerCaps
) -> tuple[Sequence[tuple[BotSnapshot, Due]], Sequence[UUID]]:
    """Keep the improvements that will run soon, longest waiting first; return the bots whose turn comes later too.

    A job that waits for hours would keep its bot's baseline from being refreshed: it is the bot's one active job.
    """
    # An archived bot's job is canceled, or never starts.
    waiting = sum(not bot.archived and bot.active is not None and bot.active.job_type in IMPROVING for bot in bots)
    room = IMPROVEMENTS_AHEAD * caps.running.max_improve_running - waiting
    kept: list[tuple[BotSnapshot, Due]] = []
    later: list[UUID] = []
    for bot, job in ordered:
        if job.job_type in IMPROVING and job.retry is None:
            room -= 1
            if room < 0:
                later.append(bot.id)
                continue
        kept.append((bot, job))
    return kept, later


def _queued(bots: Sequence[BotSnapshot], now: datetime) -> list[tuple[BotSnapshot, JobType]]:
    """Return the jobs that are QUEUED and due, oldest first, as workers take them; an archived bot's never start."""
    due_now = [
        (bot.active.queued_at, bot.id.int, bot, bot.active.job_type)
        for bot in bots
        if bot.active is not None
        and bot.active.status is JobStatus.QUEUED
        and not bot.archived
        and (bot.active.not_before is None or bot.active.not_before <= now)
    ]
    return [(bot, job_type) for *_, bot, job_type in sorted(due_now, key=lambda one: one[:2])]


def _held_back(
    queue: Sequence[tuple[BotSnapshot, JobType]], snapshot: FleetSnapshot, caps: PlannerCaps
) -> dict[UUID, NotStarted]:
    """Fill the free places in the queue's order, and return why those that are left over can't start."""
    of_type, of_symbol = Counter(snapshot.running_by_type), Counter(snapshot.running_by_symbol)
    held: dict[UUID, NotStarted] = {}
    for bot, job_type in queue:
        if bot.bars is BarsState.PENDING:
            held[bot.id] = NotStarted.BARS_PENDING
        elif of_type.total() >= caps.running.max_total_jobs:
            held[bot.id] = NotStarted.CAP_REACHED_GLOBAL
        elif caps.running.free(job_type, of_type) == 0:
            held[bot.id] = NotStarted.CAP_REACHED_TYPE
        elif (most := caps.running.per_symbol) is not None and of_symbol[bot.symbol] >= most:
            held[bot.id] = NotStarted.CAP_REACHED_SYMBOL
        else:
            of_type[job_type] += 1
            of_symbol[bot.symbol] += 1
    return held


def _number(bot: BotSnapshot) -> int:
    return bot.id.int
