"""How high services are built: the longest chain of its modules, each of which imports the next."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path

from tests.factories.imports import imported

ROOT = Path(__file__).resolve().parents[2]
MOST_FLOORS = 6


def modules(package: str) -> Mapping[str, Path]:
    """Return the modules of a package with code in them, by their dotted names."""
    paths = [path for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py"]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}


def longest_chain(imports: Mapping[str, AbstractSet[str]]) -> tuple[str, ...]:
    """Return the longest chain of modules, from the top down; a circle never ends, and is a RecursionError."""

    @cache
    def below(module: str) -> tuple[str, ...]:
        return module, *max((below(other) for other in sorted(imports[module])), key=len, default=())

    return max(map(below, sorted(imports)), key=len)


def test_the_longest_chain_is_found_wherever_it_begins() -> None:
    assert longest_chain({"a": {"b", "c"}, "b": set(), "c": {"b"}, "d": {"b"}}) == ("a", "c", "b")


def test_services_stand_on_six_floors_at_most() -> None:
    found = modules("services")
    imports = {name: imported(path) & found.keys() for name, path in found.items()}
    assert sum(map(len, imports.values())) > len(found) / 2, "imports were found at all"
    chain = longest_chain(imports)
    assert len(chain) <= MOST_FLOORS, " -> ".join(chain)
