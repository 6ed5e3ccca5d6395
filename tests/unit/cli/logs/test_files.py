"""A followed log loses and repeats no line, also when it is rotated in between."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.logs.files import Followed, FollowedLog, chosen_names
from cli.up import output
from cli.up.output import LogFile
from core.errors import ErrorCode, GantryError


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LogFile]:
    """The log of a process that is rotated after a few lines."""
    monkeypatch.setattr(output, "MAX_LOG_BYTES", 100)
    file = LogFile(tmp_path / "api.log")
    yield file
    file.close()


def numbers(log: FollowedLog) -> list[int]:
    return [int(line.text.split()[1]) for line in log.read()]


def test_every_line_is_read_once_over_many_rotations(tmp_path: Path, log: LogFile) -> None:
    followed = FollowedLog(tmp_path, "api")
    assert followed.read() == []
    seen: list[int] = []
    for number in range(100):
        log.write(b"line %d" % number)
        if number % 3 == 0:
            seen += numbers(followed)
    assert (tmp_path / "api.log.1").exists()
    assert seen + numbers(followed) == list(range(100))
    followed.close()


def test_what_was_rotated_is_read_first(tmp_path: Path, log: LogFile) -> None:
    for number in range(17):
        log.write(b"line %d" % number)
    followed = FollowedLog(tmp_path, "api")
    seen = numbers(followed)
    assert seen == list(range(seen[0], 17))
    assert len(seen) > 12
    followed.close()


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    path.write_bytes(b"one\ntw")
    followed = FollowedLog(tmp_path, "api")
    assert [line.text for line in followed.read()] == ["one"]
    with path.open("ab") as file:
        file.write(b"o\n")
    assert [line.text for line in followed.read()] == ["two"]
    followed.close()


def test_lines_of_several_processes_come_in_order_of_time_and_new_ones_join(tmp_path: Path) -> None:
    stamp = "2026-11-28T11:35:{:02}Z [info     ] {}\n"
    (tmp_path / "api.log").write_text("starting\n" + stamp.format(1, "a") + stamp.format(3, "c"))
    (tmp_path / "web.log").write_text(stamp.format(2, "b"))
    with Followed(tmp_path, ["api", "web"], new_ones=True) as followed:
        assert [line.text[-1] for line in followed.new_lines()] == ["g", "a", "b", "c"]
        (tmp_path / "late.log").write_text(stamp.format(4, "d"))
        assert [(line.process, line.text[-1]) for line in followed.new_lines()] == [("late", "d")]
        assert followed.new_lines() == []


def test_an_unknown_process_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "api.log").touch()
    assert chosen_names(tmp_path, []) == chosen_names(tmp_path, ["api", "api"]) == ["api"]
    with pytest.raises(GantryError, match="There is no log of a process named nosuch") as refused:
        chosen_names(tmp_path, ["nosuch"])
    assert (refused.value.code, refused.value.fix) == (ErrorCode.NOT_FOUND, "Use one of api.")
