"""The starter pack."""

from pydantic import Field

from shapes.base import Model
from shapes.bots import BotBody
from shapes.jobs import JobBody


class StarterPackBody(Model):
    """The pack as it is now; the first two numbers say what this request added to it."""

    made_bots: int
    made_jobs: int
    bots: list[BotBody]
    jobs: list[JobBody] = Field(description="For each bot, the job that is, or becomes, its baseline.")
