"""Where tests stand: beside the module they are about, with what they share in tests/factories."""

from pathlib import Path

from tests.factories.imports import imported

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
# Tests of a way through several modules, by the feature that the way belongs to.
SCENARIOS = {
    "backtests/test_look_ahead.py",
    "jobs/test_jobs_machine.py",
    "jobs/test_protocol_kills.py",
    "planner/test_new_bars.py",
    "promotion/test_second_person.py",
    "work/test_concurrency.py",
}


def service_modules() -> set[str]:
    """Return e.g. "bots/test_create.py" for services/bots/create.py."""
    found = (path.relative_to(ROOT / "services") for path in (ROOT / "services").rglob("*.py"))
    return {path.with_name(f"test_{path.name}").as_posix() for path in found if path.name != "__init__.py"}


def service_tests() -> set[str]:
    """Return the same of every test of the services, whatever it needs to run."""
    folders = [path for path in TESTS.rglob("services") if path.is_dir()]
    return {path.relative_to(folder).as_posix() for folder in folders for path in folder.rglob("test_*.py")}


def is_test(module: str) -> bool:
    """Whether a name that a file imports is a module of tests, or fixtures of theirs."""
    last = module.rsplit(".", 1)[-1]
    return (
        module.startswith("tests.")
        and (last.startswith("test_") or last == "conftest")
        and (ROOT / f"{module.replace('.', '/')}.py").is_file()
    )


def test_every_module_of_the_services_has_its_test() -> None:
    assert sorted(service_modules() - service_tests()) == []


def test_every_test_of_the_services_is_about_a_module_or_a_named_scenario() -> None:
    assert sorted(service_tests() - service_modules() - SCENARIOS) == []
    assert sorted(SCENARIOS - service_tests()) == []


def test_no_test_imports_another_test() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {module}"
        for place in (TESTS, ROOT / "bench")
        for path in place.rglob("*.py")
        for module in imported(path)
        if is_test(module)
    }
    assert sorted(found) == []


def test_what_tests_share_stands_in_a_place_for_it() -> None:
    shared = {"factories", "fakes", "standins"}
    others = [
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("*.py")
        if path.relative_to(TESTS).parts[0] not in shared
        and path.name not in {"__init__.py", "conftest.py"}
        and not path.name.startswith("test_")
    ]
    assert others == []


def test_every_folder_of_tests_is_a_package() -> None:
    """Else two tests of one name are one module to the type checker."""
    folders = {path.parent for path in TESTS.rglob("*.py")}
    assert [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").is_file()] == []
