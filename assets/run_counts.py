"""How many jobs a run did and how many of them failed, as tags of the run: its row in the list of runs says so."""

from typing import Final

from dagster import OpExecutionContext

DONE_TAG: Final = "gantry/jobs_done"
FAILED_TAG: Final = "gantry/jobs_failed"


def note_counts(context: OpExecutionContext, *, done: int, failed: int) -> None:
    """Tag the run with its jobs so far; one in which none failed has no tag of failures."""
    tags = {DONE_TAG: str(done)} | ({FAILED_TAG: str(failed)} if failed else {})
    context.instance.add_run_tags(context.run_id, tags)
