"""What an improvement writes: its state after each step, and what it came to. Bots are locked before jobs, always."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.ids import new_id
from fleet.closed_sets import ActivityEvent, ImprovementVerdict, JobStatus, JobType, Stage
from fleet.job_feed import event_of, label_of_type
from fleet.jobs import JobReason
from services import events
from services.backtests.compute import Material
from services.code_version import code_version
from services.improve.outcome import Found, Looking
from services.improve.read import beside
from services.jobs import ledger
from services.jobs.lease import lease_lost
from services.jobs.plan import Claim
from sql.queries.bots import change as change_queries
from sql.queries.improve import improvements as queries
from sql.queries.jobs import finish as finish_queries
from sql.queries.jobs.finish import Ending
from sql.tables.bots import Bot, BotVersion
from sql.tables.improvements import BotImprovement
from trading.digits import usd_text
from trading.improve.readable import readable

SUPERSEDED = "SUPERSEDED"  # the bot isn't any more what was improved upon
_MADE_BY = {JobType.IMPROVE: "IMPROVED", JobType.EVOLVE: "EVOLVED"}


def save_step(session: Session, claim: Claim, looking: Looking) -> None:
    """Keep the state after a step, and say how far the job is (a unit).

    Raises:
        GantryError: HEARTBEAT_TIMEOUT when the lease is no longer held: roll everything back.

    """
    done, total = looking.search.steps_done, looking.search.total_steps
    finish_queries.hold_versions(session, [claim.bot_id])
    if not queries.note_progress(session, claim.job_id, claim.token, done / total):
        raise lease_lost(claim.job_id)
    queries.save_state(
        session, claim.root_job_id, claim.bot_id, state=looking.state, steps_done=done, steps_total=total
    )


def write_outcome(
    session: Session, claim: Claim, material: Material, found: Found, *, improvement_id: UUID
) -> ImprovementVerdict:
    """End the job COMPLETED with its verdict and evidence, and adopt the candidate where it won (a unit).

    It isn't adopted, and SUPERSEDED is the reason, when the bot has another version or epoch by now, or left LAB.

    Raises:
        GantryError: HEARTBEAT_TIMEOUT when the lease is no longer held: roll everything back.

    """
    bot = change_queries.lock_bot(session, claim.bot_id)
    ended = finish_queries.finish(session, claim.job_id, claim.token, Ending(JobStatus.COMPLETED))
    if bot is None or ended is None:
        raise lease_lost(claim.job_id)
    same = _is_same(session, bot, claim)
    adopts = found.verdict.adopt and same
    reason = found.verdict.reason_code.value if same or not found.verdict.adopt else SUPERSEDED
    version = _adopted(session, bot, claim, found, ended) if adopts else None
    verdict = ImprovementVerdict.ADOPTED if version else ImprovementVerdict.REJECTED
    evidence = _evidence(claim, material, found)
    session.add(
        BotImprovement(
            id=improvement_id,
            bot_id=claim.bot_id,
            job_id=claim.job_id,
            job_type=claim.job_type,
            base_version_id=claim.version_id,
            version_id=version.id if version else None,
            verdict=verdict,
            reason_code=reason,
            source=found.source,
            candidate=found.candidate,
            evidence=evidence,
            sets_tried=found.sets_tried,
            epoch=claim.epoch,
            bars_hash=material.loaded.bars_hash,
            actor=claim.actor,
            trace_id=claim.trace_id,
        )
    )
    queries.drop_state(session, claim.root_job_id)
    reported = {"improvement_id": str(improvement_id), "verdict": verdict.value, "reason_code": reason}
    ledger.record(session, claim.job_id, JobStatus.RUNNING, JobStatus.COMPLETED, JobReason.FINISHED, reported)
    _publish(session, claim, found, version, reported, evidence)
    return verdict


def _is_same(session: Session, bot: Bot, claim: Claim) -> bool:
    """Whether the bot is what the improvement was made of; resets take the bot's lock, so its epoch can't grow now."""
    epoch = queries.backtest_epoch(session, bot.id)
    return (bot.current_version_id, epoch, bot.stage) == (claim.version_id, claim.epoch, Stage.LAB)


def _adopted(session: Session, bot: Bot, claim: Claim, found: Found, now: datetime) -> BotVersion:
    base = change_queries.current_version(session, bot)
    candidate = found.candidate or {"strategy": base.strategy, "params": base.params}
    version = BotVersion(
        id=new_id(),
        bot_id=bot.id,
        number=change_queries.newest_number(session, bot.id) + 1,
        parent_id=base.id,
        strategy=candidate["strategy"],
        params=candidate["params"],
        costs=base.costs,
        window=base.window,
        reason_code=_MADE_BY[claim.job_type],
        trace_id=claim.trace_id,
        created_at=now,
    )
    session.add(version)
    session.flush()  # the improvement refers to it
    bot.current_version_id = version.id
    bot.revision, bot.updated_at = bot.revision + 1, now
    return version


def _evidence(claim: Claim, material: Material, found: Found) -> dict[str, Any]:
    """Return all that the verdict rests on, with what is needed to come to it again."""
    loaded = material.loaded
    costs = claim.plan.costs
    return readable(found.evidence) | {
        "bars": {
            "bars_hash": loaded.bars_hash,
            "bars_ids": [str(month.id) for month in loaded.catalogue],
            "bars_count": len(loaded.bars.ts),
            "data_label": loaded.label.value,
        },
        "costs": {
            "slippage_ticks": costs.slippage_ticks,
            "commission_usd": str(costs.commission_usd),
            "contracts": costs.contracts,
        },
        "code_version": code_version(),
        "root_job_id": str(claim.root_job_id),
        "found": {"adopt": found.verdict.adopt, "reason_code": found.verdict.reason_code.value},
    }


def _publish(
    session: Session,
    claim: Claim,
    found: Found,
    version: BotVersion | None,
    reported: dict[str, str],
    evidence: dict[str, Any],
) -> None:
    old, new = beside(evidence)
    word = label_of_type(claim.job_type)
    figures = {"old": old.as_json(), "new": new.as_json(), "sets_tried": found.sets_tried}
    label = {"data_label": evidence["bars"]["data_label"]}
    if version is not None:
        event = ActivityEvent.VERSION_ADOPTED
        net, net_before = usd_text(new.net_usd), usd_text(old.net_usd)
        message = f"Version {version.number} was adopted: net {net} USD after {net_before} USD."
    else:
        event = ActivityEvent.VERSION_REJECTED
        message = f"No version was adopted: {reported['reason_code']}."
    lines: list[tuple[ActivityEvent, Any, str, dict[str, Any]]] = [
        (
            event_of(claim.job_type, "COMPLETED"),
            claim,
            f"{word} completed: {found.sets_tried} sets tried.",
            {**reported, **label},
        ),
        (event, claim, message, {**reported, **label, **figures, "version": version.number if version else None}),
    ]
    events.publish_each(session, lines)
