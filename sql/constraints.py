"""What the database refuses, as domain errors: one meaning for each named constraint a user may meet."""

from dataclasses import dataclass
from typing import Final

import psycopg
from sqlalchemy.exc import IntegrityError

from core.errors import ErrorCode, GantryError, Kind


@dataclass(frozen=True, slots=True)
class Meaning:
    """A constraint in words: what happened, and what to do."""

    message: str
    fix: str
    code: ErrorCode = ErrorCode.CONFLICT
    kind: Kind = Kind.CONFLICT


_NOT_THERE: Final = Meaning(
    "A row refers to a bot, version or job that doesn't exist.",
    "Check the id: GET /api/bots.",
    ErrorCode.NOT_FOUND,
    Kind.NOT_FOUND,
)
MEANINGS: Final[dict[str, Meaning]] = {
    "uq_bot_jobs_active_per_bot": Meaning("The bot already has a job.", "Wait for it to end."),
    "uq_bots_name_active": Meaning("A bot with that name already exists.", "Choose another name, or archive that bot."),
    "uq_bots_partition_key": Meaning(
        "Another bot has that partition key.", "Send the request again; the bot then gets another key."
    ),
    "uq_bots_starter_key_active": Meaning(
        "That bot of the starter pack already exists.", "Send the request again; it then finds that bot."
    ),
    "uq_bot_improvements_job_id": Meaning("That job already has a verdict.", "Read the job again."),
    "uq_promotion_requests_open": Meaning(
        "The bot already waits for a second person.", "Approve or withdraw that request first."
    ),
    "uq_backtest_sessions_job_id": Meaning("That job already has a session.", "Read the job again."),
    "uq_bot_versions_bot_id_number": Meaning("The bot already has that version.", "Read the bot again, then retry."),
    "uq_bars_catalogue_active": Meaning("That month of bars was changed by another process.", "Run the import again."),
    "insert_only": Meaning("Raw results and audit rows are never changed.", "Write a new row instead."),
    "legal_transition": Meaning("A job can't change that way.", "Read the job again: it may have ended."),
    "ck_bots_name_length": Meaning(
        "A bot's name has 1 to 100 characters.", "Choose another name.", ErrorCode.VALIDATION_FAILED, Kind.INVALID
    ),
    **dict.fromkeys(
        (
            "fk_bot_versions_bot_id",
            "fk_bot_boundaries_bot_id",
            "fk_bot_stage_events_bot_id",
            "fk_bot_metrics_events_bot_id",
            "fk_autonomy_bot_decisions_bot_id",
            "fk_bot_improvements_bot_id",
            "fk_bot_improvements_job_id",
            "fk_bot_improvements_base_version_id",
            "fk_bot_improvements_version_id",
            "fk_improvement_progress_bot_id",
            "fk_promotion_requests_bot_id",
            "fk_bot_jobs_bot_id",
            "fk_bot_jobs_version_id",
            "fk_job_run_events_job_id",
            "fk_backtest_sessions_bot_id",
            "fk_backtest_sessions_version_id",
            "fk_backtest_sessions_job_id",
        ),
        _NOT_THERE,
    ),
}


def refused_constraint(error: BaseException) -> str | None:
    """Return the name of the constraint that an integrity error (psycopg's, or SQLAlchemy's around it) broke."""
    cause = error.orig if isinstance(error, IntegrityError) else error
    return cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None


def as_domain_error(error: BaseException) -> GantryError | None:
    """Return the domain error of a broken constraint; None for one that only a defect can break."""
    name = refused_constraint(error)
    meaning = MEANINGS.get(name or "")
    if meaning is None:
        return None
    return GantryError(meaning.code, meaning.message, fix=meaning.fix, kind=meaning.kind, facts={"constraint": name})
