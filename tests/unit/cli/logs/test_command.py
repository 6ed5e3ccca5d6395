"""`gantry logs`: the newest lines of the processes, narrowed by process, time and level, and followed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.logs.command import LineFilter, follow_on, since_of
from cli.logs.files import Followed
from cli.logs.lines import LogLevel
from core.errors import ErrorCode, GantryError
from core.settings import get_settings
from tests.factories.commands import json_of, printed, run

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LINE = "2026-11-28T{} [{:9}] {}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of logs of a data folder, with two processes in it."""
    monkeypatch.setenv("GANTRY_HOME", str(tmp_path))
    get_settings.cache_clear()
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "api.log").write_text(
        LINE.format("09:00:00Z", "info", "first")
        + LINE.format("10:00:00Z", "error", "second")
        + LINE.format("11:00:00Z", "info", "third")
    )
    (logs / "dagster-web.log").write_text(LINE.format("10:30:00Z", "warning", "between"))
    yield logs
    get_settings.cache_clear()


def words(*options: str) -> list[str]:
    return [line.split()[-1] for line in printed("logs", *options).splitlines()]


@pytest.mark.usefixtures("folder")
def test_lines_are_narrowed_by_process_time_level_and_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert words() == ["first", "second", "between", "third"]
    assert words("api") == ["first", "second", "third"]
    assert words("--level", "warning") == ["second", "between"]
    assert words("--since", "2026-11-28T10:00Z") == ["second", "between", "third"]
    assert words("--since", "2026-11-28T11:30+01:00", "api") == ["third"]
    assert capsys.readouterr().err == ""
    assert words("-n", "1") == ["third"]
    assert capsys.readouterr().err == "Only the newest 1 of 4 lines are shown; a larger --lines shows more.\n"


@pytest.mark.usefixtures("folder")
def test_a_line_as_json_has_its_process_time_and_level() -> None:
    assert json_of("logs", "--level", "error") == [
        {
            "process": "api",
            "at": "2026-11-28T10:00:00Z",
            "level": "error",
            "text": LINE.format("10:00:00Z", "error", "second").rstrip(),
        }
    ]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("nosuch",), "NOT_FOUND: There is no log of a process named nosuch."),
        (("--since", "yesterday"), "VALIDATION_FAILED: --since 'yesterday'"),
        (("-n", "-1"), "VALIDATION_FAILED: --lines"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_wrong_question_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], args: tuple[str, ...], error: str
) -> None:
    assert run(*args, group="logs") == 1
    assert capsys.readouterr().err.startswith(error)


def test_without_logs_it_explains_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GANTRY_HOME", str(tmp_path))
    get_settings.cache_clear()
    assert printed("logs") == ""
    assert "`gantry up` writes them" in capsys.readouterr().err
    get_settings.cache_clear()


def test_new_lines_are_shown_until_it_is_interrupted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    looks = iter(["info", "error", "info"])

    def pause() -> None:
        level = next(looks, None)
        if level is None:
            raise KeyboardInterrupt
        (folder / "api.log").rename(folder / "api.log.1")
        (folder / "api.log").write_text(LINE.format("11:30:00Z", level, f"a-new-{level}"))

    with Followed(folder, ["api"], new_ones=False) as followed:
        followed.new_lines()
        follow_on(followed, LineFilter(LogLevel.ERROR, None), as_json=True, pause=pause)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["text"].endswith("a-new-error")


@pytest.mark.parametrize(
    ("text", "ago"),
    [("30s", timedelta(seconds=30)), ("10m", timedelta(minutes=10)), ("2h", timedelta(hours=2)), ("1d", timedelta(1))],
)
def test_since_may_be_a_time_ago(text: str, ago: timedelta) -> None:
    assert since_of(text, now=NOW) == NOW - ago


def test_since_may_be_a_time_which_is_utc_without_a_zone() -> None:
    assert since_of("2026-11-28T12:00", now=NOW) == since_of("2026-11-28T13:00+01:00", now=NOW) == NOW
    with pytest.raises(GantryError) as refused:
        since_of("10 minutes", now=NOW)
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
