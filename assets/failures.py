"""How a failure of the domain looks in Dagster: code and fix stand in the run's events, and nothing retries it."""

from dagster import Failure

from core.errors import GantryError


def failure(error: GantryError) -> Failure:
    """Return the Failure to raise; a retry is a row of our own ledger, never Dagster's."""
    return Failure(str(error), metadata={"error_code": str(error.code), "fix": error.fix}, allow_retries=False)
