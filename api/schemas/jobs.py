"""A requested job, and the refusal of a busy bot."""

from api.envelope import Envelope, ErrorBody
from shapes.jobs import JobBody


class JobReply(Envelope):
    """A job that was queued."""

    job: JobBody


class JobConflict(ErrorBody):
    """The bot is already busy with this job."""

    job: JobBody | None = None
