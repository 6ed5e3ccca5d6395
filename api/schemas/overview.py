"""The fleet at a glance, as it is answered."""

from api.envelope import ListOf
from shapes.bots import BotBody
from shapes.overview import OverviewBody


class OverviewReply(OverviewBody, ListOf[BotBody]):
    """The counts of all active bots; one page of the bots that the filters match, and how many those are."""

    matching: int
