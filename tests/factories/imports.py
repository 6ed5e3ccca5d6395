"""What source files import, and whether that is still where they take it from."""

import ast
from functools import cache
from importlib import import_module
from pathlib import Path


@cache
def imported(path: Path) -> frozenset[str]:
    """Return every name a file imports, inside of functions too: modules, and what is taken from them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def private(path: Path, package: str) -> set[str]:
    """Return what a file imports of a package's private modules."""
    return {name for name in imported(path) if name.startswith(f"{package}._")}


def moved(path: Path, package: str) -> list[str]:
    """Return a sentence for each private name that is no longer where the file takes it from."""
    return [
        f"{name} isn't there any more: find its new place, and change {path.name}"
        for name in sorted(private(path, package))
        if not _is_there(name)
    ]


def _is_there(name: str) -> bool:
    """Whether this is a module, or an attribute of one."""
    try:
        import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        try:
            return hasattr(import_module(module), attribute)
        except ModuleNotFoundError:
            return False
    return True
