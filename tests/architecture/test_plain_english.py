"""Names, texts and comments use the words a native engineer would."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
NOT_PRODUCT: Final = frozenset({"tests", "bench", "docs"})
WORDS: Final = re.compile(
    r"(?<![a-z])(?:un|new)?(?:said|told|born|bear|bears|stranger|strangers|hopeful(?:ly)?|heed\w*|dearer|lately|whoever|mend(?:s|ed|ing)?)(?![a-z])"
    r"|\bcan't be had\b|\bin vain\b|\bnobody can be asked\b",
    re.IGNORECASE,
)
IS_NO: Final = re.compile(
    r"(?<!there )\bis no (?!(?:longer|such|older|more|less)\b)[a-z]+", re.IGNORECASE
)  # "X is no month"
CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
THIS: Final = Path(__file__).relative_to(ROOT)
# Texts of stored files and of a database trigger: the file, and what the excepted line holds.
KEPT: Final = {
    "services/supply/staging.py": "_OLD_DETAILS",
    "tests/integration/sql/test_rights.py": "born {status} refused",
}


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield line, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield line, name
            case ast.keyword(arg=str(name)) | ast.alias(asname=str(name)):
                yield line, name
            case _:
                pass


def _texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each line of each string: constants, docstrings and the literal parts of f-strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for offset, text in enumerate(node.value.splitlines()):
                yield min(node.lineno + offset, node.end_lineno or node.lineno), text


def _comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def words_of_code(source: str, *, product: bool) -> set[tuple[int, str]]:
    """Return the words that a Python source should do without, each with its line."""
    tree = ast.parse(source)
    spaced = ((line, CAMEL.sub("_", name)) for line, name in _names(tree))
    found = {
        (line, match[0])
        for part in (spaced, _texts(tree), _comments(source))
        for line, text in part
        for match in WORDS.finditer(text)
    }
    found |= {(line, name) for line, name in _names(tree) if name == "because"}
    if product:
        found |= {(line, match[0]) for line, text in _texts(tree) for match in IS_NO.finditer(text)}
    return found


def words_of_page(text: str) -> set[tuple[int, str]]:
    """Return the same of a page of the docs."""
    lines = enumerate(text.splitlines(), 1)
    return {(number, match[0]) for number, line in lines for match in WORDS.finditer(line)}


def sources(*folders: str) -> list[Path]:
    """Return the Python files of these folders, without the migrations, which are never edited."""
    found = (path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if "versions" not in path.parts and path != THIS)


def _reported(path: Path, found: set[tuple[int, str]]) -> list[str]:
    lines = (ROOT / path).read_text().splitlines()
    kept = KEPT.get(str(path))
    return [f"{path}:{line}: {word}" for line, word in sorted(found) if kept is None or kept not in lines[line - 1]]


@pytest.mark.parametrize("folder", FOLDERS)
def test_code_does_without_the_words_of_the_list(folder: str) -> None:
    product = folder not in NOT_PRODUCT
    found = [
        line
        for path in sources(folder)
        for line in _reported(path, words_of_code((ROOT / path).read_text(), product=product))
    ]
    assert found == []


def test_pages_do_without_the_words_of_the_list() -> None:
    pages = [
        path.relative_to(ROOT) for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"))
    ]
    found = [
        line
        for path in pages
        if "decisions" not in path.parts
        for line in _reported(path, words_of_page((ROOT / path).read_text()))
    ]
    assert found == []


def test_the_words_are_found_in_names_texts_and_comments_alike() -> None:
    source = (
        "def what_they_said(newBorn: int) -> str:\n"
        '    """Return what was told."""\n'
        "    # nobody heeded it\n"
        '    return f"{newBorn} is no month." if self.hopeful_rows else "asked in vain"\n'
    )
    assert words_of_code(source, product=True) == {
        (1, "said"),
        (1, "Born"),
        (4, "Born"),
        (2, "told"),
        (3, "heeded"),
        (4, "hopeful"),
        (4, "is no month"),
        (4, "in vain"),
    }
    assert words_of_page("A stranger\nbears it.") == {(1, "stranger"), (2, "bears")}


def test_words_that_only_contain_one_of_the_list_are_allowed() -> None:
    source = 'bearer, stubborn, reborn_x = "There is no bot.", "it is no longer held", "hope"  # toldo\n'
    assert words_of_code(source, product=True) == set()
