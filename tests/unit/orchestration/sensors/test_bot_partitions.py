"""Which partitions of bots come and go."""

from orchestration.sensors.bot_partitions import key_changes


def test_partitions_follow_the_bots_in_order_of_creation() -> None:
    changes = key_changes(("a", "gone", "b"), ("a", "b", "c", "d"))
    assert changes.added == ("c", "d")
    assert changes.removed == ("gone",)
