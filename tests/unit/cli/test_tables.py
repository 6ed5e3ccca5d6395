"""Tables are whole where nobody watches, and fit the window where somebody does."""

import io
import re
import sys
from pathlib import Path

import pytest

from cli import tables
from cli.tables import print_table, table_of

LONG = "a name of a bot that goes on " * 20


class Window(io.StringIO):
    """Standard output of a terminal."""

    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, out: io.StringIO, *cells: str) -> str:
    monkeypatch.setattr(sys, "stdout", out)
    table = table_of(["first", "second"], wrapped=["first"])
    table.add_row(*cells)
    print_table(table)
    return out.getvalue()


@pytest.mark.parametrize("forced", ["", "1"])
def test_a_row_in_a_pipe_is_one_whole_line(monkeypatch: pytest.MonkeyPatch, forced: str) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", forced)
    (row,) = [line for line in printed(monkeypatch, io.StringIO(), LONG, LONG).splitlines() if "goes on" in line]
    assert row.count("goes on") == 40


def test_a_row_on_a_terminal_fits_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", printed(monkeypatch, Window(), LONG, "short")).splitlines()
    assert len(lines) > 5
    assert max(len(line) for line in lines) <= 60


def test_no_other_module_prints_results_on_a_console_of_its_own() -> None:
    folder = Path(tables.__file__).parent
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py") if "Console(" in path.read_text()}
    assert found == {"tables.py", "progress.py"}, "progress goes to standard error"


def test_brackets_and_colons_in_a_name_are_shown_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(monkeypatch, io.StringIO(), "[red]fast[/red] bot", ":rocket: bot")
    assert "[red]fast[/red] bot" in text
    assert ":rocket: bot" in text
