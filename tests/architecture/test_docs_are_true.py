"""The pages of docs/ say what the code says."""

import re
from pathlib import Path
from typing import Any

import pytest

from cli.main import COMMANDS, load
from core import error_catalogue
from core.errors import ErrorCode
from core.settings import Settings
from docs.generate import pages

ROOT = Path(__file__).resolve().parents[2]
NAMED_COMMAND = re.compile(
    r"(?:`|^ +)(?:\.venv/bin/)?gantry ([a-z-]+)(?: ([a-z][a-z-]*))?((?:[^`\n]|\\\n)*)", re.MULTILINE
)
RULE = re.compile(r"^\| .+ \| `([^`]+)` \| `([^`]+)` \|$", re.MULTILINE)


@pytest.mark.parametrize("name", ["closed-sets.md", "error-codes.md", "environment.md", "strategies.md", "where.md"])
def test_a_generated_page_equals_what_the_code_says_now(name: str) -> None:
    fresh = {path.name: text for path, text in pages().items()}
    assert (ROOT / "docs/generated" / name).read_text() == fresh[name], "run `make docs`"


def test_every_error_code_has_a_meaning() -> None:
    assert set(error_catalogue.MEANINGS) == set(ErrorCode)


def test_every_environment_variable_has_a_description() -> None:
    assert [spec.alias for spec in Settings.model_fields.values() if not spec.description] == []


def test_architecture_names_for_each_rule_a_file_that_holds_it() -> None:
    rows = RULE.findall((ROOT / "docs/architecture.md").read_text())
    assert len(rows) >= 15
    missing = [
        f"{file}: {symbol}"
        for file, symbol in rows
        if not (ROOT / file).is_file() or symbol not in (ROOT / file).read_text()
    ]
    assert missing == []


def test_every_rule_lives_in_one_file_only() -> None:
    rules = re.findall(r"^\| (.+) \| `[^`]+` \| `[^`]+` \|$", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    assert len(rules) == len(set(rules))


def test_every_link_between_pages_leads_somewhere() -> None:
    pages_with_links = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in pages_with_links
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_file_that_a_page_names_exists() -> None:
    folders = "core|trading|fleet|integrations|sql|services|shapes|assets|orchestration|api|cli"
    named = re.compile(rf"`((?:{folders})/[\w/]+\.py)`")
    missing = [
        f"{page.name}: {file}"
        for page in (ROOT / "docs").rglob("*.md")
        for file in named.findall(page.read_text())
        if not (ROOT / file).is_file()
    ]
    assert missing == []


def test_every_command_that_a_page_names_exists_with_its_options() -> None:
    pages_with_commands = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    named = [(page.name, *found) for page in pages_with_commands for found in NAMED_COMMAND.findall(page.read_text())]
    assert len(named) > 80
    wrong = [
        f"{page}: gantry {command} {sub}{rest}" for page, command, sub, rest in named if not is_one(command, sub, rest)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("command", "sub", "rest"),
    [("nosuch", "", ""), ("bots", "nosuch", ""), ("bots", "show", " --nosuch"), ("up", "", " --x")],
)
def test_a_command_that_does_not_exist_is_distinguished_from_one_that_does(command: str, sub: str, rest: str) -> None:
    assert is_one("bots", "show", " alpha --json")
    assert not is_one(command, sub, rest)


def is_one(command: str, sub: str, rest: str) -> bool:
    """Whether `gantry` has that command, or that one of a group, with the options named after it."""
    if command not in COMMANDS:
        return False
    found: Any = load(command)
    group = getattr(found, "commands", None)
    if group is not None:
        if not sub:
            return True
        found = group.get(sub)
    known = {option for parameter in getattr(found, "params", ()) for option in parameter.opts}
    return found is not None and set(re.findall(r"(?<!\S)--[a-z][a-z-]*", rest)) <= known
