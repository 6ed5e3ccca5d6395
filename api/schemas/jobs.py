"""A job that was asked for, and the refusal of a bot that is busy."""

from api.envelope import Envelope, ErrorBody
from shapes.jobs import JobBody


class JobReply(Envelope):
    """A job that was queued."""

    job: JobBody


class JobConflict(ErrorBody):
    """The bot is busy already: with this job."""

    job: JobBody | None = None
