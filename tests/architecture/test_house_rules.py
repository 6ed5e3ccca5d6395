"""Rules of the house that no linter knows."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.factories.imports import imported, private

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    *("core", "trading", "fleet", "integrations", "sql", "services", "shapes", "assets", "orchestration", "api", "cli"),
)
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "utc_now"}


def sources(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def test_imports_point_down() -> None:
    command = [Path(sys.executable).parent / "lint-imports"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_every_root_package_is_under_the_import_rules_and_in_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench", "docs"}
    assert packages == set(PACKAGES)
    assert set(project["tool"]["importlinter"]["root_packages"]) == packages
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == packages


def test_no_file_is_over_400_lines_but_tests() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in sources(*PACKAGES, "bench", "docs")
        if "migrations" not in path.parts and (count := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


@pytest.mark.parametrize("path", sources("trading", "fleet"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_pure_middle_reads_no_clock(path: Path) -> None:
    calls = [
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"datetime", "date", "time", "Timestamp"}
    ]
    assert [call for call in calls if call in CLOCKS] == []


def test_importing_the_command_line_loads_no_heavy_library() -> None:
    code = "import sys, cli.main; print(*[m for m in sys.modules if '.' not in m])"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split())
    heavy = {"dagster", "vectorbt", "pandas", "numpy", "sqlalchemy", "fastapi", "great_expectations", "matplotlib"}
    assert loaded & heavy == set()


def test_the_lock_names_no_registry() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()


def test_every_package_in_the_lock_is_pinned_with_hashes() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    starts = [number for number, line in enumerate(lines) if line and line[0].isalnum()]
    assert starts
    assert [lines[n] for n in starts if "==" not in lines[n] or "--hash=" not in lines[n + 1]] == []


WAYS_OUT = (
    *("urllib3", "requests", "httpx", "aiohttp", "http.client", "socket", "ssl", "urllib.request", "websockets"),
    *("databento", "massive"),
)
# The gate opens connections; the vendors' clients are given it in place of theirs. The rest stays on this machine.
MAY_REACH_OUT = {
    "integrations/http/": {"urllib3", "socket", "ssl"},
    "integrations/databento/": {"databento", "requests"},
    "integrations/polygon/": {"massive"},
    "cli/up/": {"socket", "http.client", "urllib.request"},  # ports and health of our own processes
    "cli/proof/api.py": {"http.client"},  # our own API, on this machine
    "sql/embedded": {"socket"},  # a free port
}


def test_whatever_calls_a_provider_goes_through_the_gate() -> None:
    found = {(str(path.relative_to(ROOT)), way) for path in sources(*PACKAGES) for way in ways_out(path)}
    assert {(path, way) for path, way in found if way not in allowed_ways(path)} == set()


def allowed_ways(path: str) -> set[str]:
    return {way for folder, ways in MAY_REACH_OUT.items() if path.startswith(folder) for way in ways}


def ways_out(path: Path) -> set[str]:
    """Return which of the ways out a file imports, also inside of functions."""
    return {way for way in WAYS_OUT for module in imported(path) if f"{module}.".startswith(f"{way}.")}


MAY_KNOW_DAGSTERS_INSIDE = {
    "assets/dagster_private.py",
    "orchestration/dagster_private.py",
    "tests/factories/dagster_private.py",
}


def test_what_is_private_of_dagster_is_imported_in_one_module_a_layer() -> None:
    everywhere = sources(*PACKAGES, "tests", "bench", "docs")
    found = {str(path.relative_to(ROOT)) for path in everywhere if private(path, "dagster")}
    assert found == MAY_KNOW_DAGSTERS_INSIDE


def test_what_is_private_of_dagster_s_objects_is_touched_there_alone() -> None:
    """An attribute with an underscore that a file of these layers doesn't define itself is somebody else's."""
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources("assets", "orchestration")
        for name in private_attributes(path)
    }
    assert {one for one in found if one.split(":")[0] not in MAY_KNOW_DAGSTERS_INSIDE} == set()
    assert "orchestration/dagster_private.py: _raw_fn" in found


def private_attributes(path: Path) -> set[str]:
    """Return the attributes with a leading underscore that a file reads or sets, but doesn't define."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.target.id for node in nodes if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    own |= {node.attr for node in attributes if isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"}
    return {
        name for name in {node.attr for node in attributes} - own if name.startswith("_") and not name.startswith("__")
    }


def test_no_test_can_be_skipped() -> None:
    words = ("pytest.mark." + "skip", "pytest." + "skip(", "mark." + "xfail", "unittest." + "mock", "Magic" + "Mock")
    found = [
        f"{path.relative_to(ROOT)}: {word}" for path in sources("tests") for word in words if word in path.read_text()
    ]
    assert found == []


def test_a_class_name_means_one_thing() -> None:
    places: dict[str, list[str]] = {}
    for path in sources(*PACKAGES):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
