"""How a failure of a job is kept: a code, a message short enough to store, and a fix."""

from dataclasses import dataclass
from typing import Final

from core.errors import ErrorCode, GantryError, Kind
from core.log import get_logger
from sql.tables.jobs import BotJob

MAX_MESSAGE: Final = 1_000  # characters of a failure's message that are stored


@dataclass(frozen=True, slots=True)
class GradeFailure:
    """Why a bot could not be graded."""

    code: ErrorCode
    message: str
    fix: str


def defect_of(defect: Exception) -> GantryError:
    """Return what users see of a defect of ours; the log has the rest."""
    get_logger("grading").error("grading_failed", exc_info=defect)
    return GantryError(
        ErrorCode.INTERNAL,
        f"Grading stopped on a defect: {type(defect).__name__}.",
        fix="The log has the traceback under this job's trace id; report it.",
        kind=Kind.INTERNAL,
    )


def storable(error: GantryError) -> GantryError:
    """Return the error as it can be stored: what Postgres can't hold is replaced, and the rest kept short.

    A strategy may say anything as it fails.
    """

    def kept(text: str) -> str:
        cleaned = text[:MAX_MESSAGE].replace("\0", "?").encode("utf-8", "replace").decode()
        return cleaned if len(text) <= MAX_MESSAGE else f"{cleaned} ..."

    return GantryError(error.code, kept(error.message), fix=kept(error.fix), kind=error.kind, facts=error.facts)


def failure_of(error: GantryError) -> GradeFailure:
    """Return an error as a result shows it."""
    return GradeFailure(error.code, error.message, error.fix)


def failure_of_job(job: BotJob, *, fix: str) -> GradeFailure:
    """Return a failure as it is stored with its job; a job without one, as a canceled one is, ended that way.

    fix: what to do where none is stored.
    """
    return GradeFailure(
        ErrorCode(job.error_code or ErrorCode.RUN_FAILED),
        job.error_message or f"The job ended {job.status}.",
        job.suggested_fix or fix,
    )
