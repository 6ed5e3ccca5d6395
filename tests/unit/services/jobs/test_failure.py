"""How a failure of a job is kept, and read back."""

import pytest

from core.errors import ErrorCode, GantryError
from services.jobs.failure import MAX_MESSAGE, GradeFailure, defect_of, failure_of, failure_of_job, storable
from sql.tables.jobs import BotJob


def test_a_failure_is_read_back_as_it_was_stored() -> None:
    job = BotJob(
        status="FAILED", error_code="STRATEGY_ERROR", error_message="It divides by 0.", suggested_fix="Fix it."
    )
    assert failure_of_job(job, fix="Ask again.") == GradeFailure(
        ErrorCode.STRATEGY_ERROR, "It divides by 0.", "Fix it."
    )


def test_a_job_that_ended_without_a_failure_says_how_it_ended_and_what_its_caller_advises() -> None:
    found = failure_of_job(BotJob(status="CANCELED"), fix="Ask again.")
    assert found == GradeFailure(ErrorCode.RUN_FAILED, "The job ended CANCELED.", "Ask again.")


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 10 * MAX_MESSAGE])
def test_any_message_can_be_stored_and_is_short(text: str) -> None:
    kept = storable(GantryError(ErrorCode.STRATEGY_ERROR, text, fix=text, facts={"n": 1}))
    for part in (kept.message, kept.fix):
        assert "\0" not in part.encode().decode()
        assert len(part) <= MAX_MESSAGE + len(" ...")
    assert (kept.code, kept.facts) == (ErrorCode.STRATEGY_ERROR, {"n": 1})


def test_what_can_be_stored_stays_as_it_is() -> None:
    error = GantryError(ErrorCode.STRATEGY_ERROR, "It divides by 0.", fix="Fix it.")
    assert failure_of(storable(error)) == failure_of(error)


def test_a_defect_names_its_kind_and_where_the_rest_is() -> None:
    found = failure_of(defect_of(ZeroDivisionError("secret")))
    assert (found.code, found.message) == (ErrorCode.INTERNAL, "Grading stopped on a defect: ZeroDivisionError.")
    assert "log" in found.fix
