"""Commands, options and environment variables that a message names exist under exactly that name."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from cli.main import COMMANDS, load
from core.errors import ErrorCode
from core.settings import Settings
from docs.generate import _enums
from integrations.registry import PROVIDERS

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("core", "trading", "fleet", "integrations", "sql", "services", "assets", "orchestration", "api", "cli")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
COMMAND = re.compile(r"`gantry ([a-z-]+(?: [a-z-]+)?)")
MESSAGES = {"GantryError", "invalid", "bad_data", "not_found", "data_unavailable", "say", "note"}
Text = tuple[Path, str]


def test_the_search_finds_the_messages() -> None:
    found = [one for _, one in texts()]
    assert len(found) > 300
    assert any("--tz" in one for one in found)
    assert any("MAX_FETCH_COST_USD" in one for one in found)


def test_every_option_in_a_message_is_an_option_of_a_command() -> None:
    known = {option for command in commands().values() for option in options(command)}
    unknown = {(name(path), option) for path, text in texts() for option in OPTION.findall(text) if option not in known}
    assert unknown == set()


def test_every_environment_variable_in_a_message_is_one_that_is_read() -> None:
    members = {str(member.value) for closed in _enums() for member in closed} | {code.value for code in ErrorCode}
    of_providers = {
        name for one in PROVIDERS.values() for group in (*one.required_env, one.optional_env) for name in group
    }
    known = {str(spec.alias) for spec in Settings.model_fields.values()} | of_providers | members
    unknown = {(name(path), word) for path, text in texts() for word in VARIABLE.findall(text) if word not in known}
    assert unknown == set()


def test_every_command_in_a_message_exists_and_takes_the_options_named_with_it() -> None:
    found = commands()
    wrong = set()
    for path, text in texts():
        for part in re.findall(r"`[^`]*`", text):
            for words in COMMAND.findall(part):
                command = found.get(words) or found.get(words.split()[0])
                if command is None or not set(OPTION.findall(part)) <= options(command):
                    wrong.add((name(path), part))
    assert wrong == set()


@cache
def texts() -> list[Text]:
    """Each text in an error's or a printed line's arguments, and in constants named for a fix."""
    return [(path, text) for path in sources() for text in _texts(ast.parse(path.read_text()))]


def sources() -> list[Path]:
    """Return every source file."""
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def _texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in MESSAGES:
            yield from _constants([*node.args, *(keyword.value for keyword in node.keywords)])
        elif isinstance(node, ast.Call):
            yield from _constants([keyword.value for keyword in node.keywords if keyword.arg == "fix"])
        elif isinstance(node, ast.AnnAssign | ast.Assign) and node.value and re.search(r"FIX|AGAIN", ast.unparse(node)):
            yield from _constants([node.value])


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _constants(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and " " in inner.value:
                yield inner.value


@cache
def commands() -> dict[str, Any]:
    """Each command and group of `gantry`, by the words that call it."""
    found: dict[str, Any] = {}
    for first in COMMANDS:
        command: Any = load(first)
        found[first] = command
        found |= {f"{first} {second}": child for second, child in getattr(command, "commands", {}).items()}
    return found


def options(command: Any) -> set[str]:
    """Return the options of a command, with those of its own commands."""
    own = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return own.union(*(options(child) for child in getattr(command, "commands", {}).values()))


def name(path: Path) -> str:
    """Return a file's path below the root."""
    return path.relative_to(ROOT).as_posix()
