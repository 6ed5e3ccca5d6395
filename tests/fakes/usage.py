"""A sink that keeps what it is given."""

from integrations.ports import UsageEvent


class KeptUsage:
    """Events in the order of their recording; list.append is safe from any thread."""

    def __init__(self) -> None:
        self.events: list[UsageEvent] = []

    def record(self, event: UsageEvent) -> None:
        self.events.append(event)
