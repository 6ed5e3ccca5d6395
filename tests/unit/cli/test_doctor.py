import socket
from pathlib import Path

import pytest

from cli.doctor_checks import CheckStatus, all_checks, check_folder, check_packages, check_port, check_python
from cli.up.home import Home
from cli.up.ports import free_port
from core.settings import ROOT, Settings


def test_this_python_is_fit() -> None:
    assert check_python().verdict is CheckStatus.OK


def test_the_installed_packages_are_those_of_the_lock() -> None:
    check = check_packages(ROOT / "requirements.lock")
    assert check.verdict is CheckStatus.OK, check.observed


def test_a_package_that_differs_from_the_lock_is_named_with_a_fix(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("typer==0.0.1 \\\n    --hash=sha256:0\nnot-there==1.0 \\\n    --hash=sha256:0\n")
    check = check_packages(tmp_path / "lock")
    assert check.verdict is CheckStatus.FAIL
    assert "not-there missing" in check.observed
    assert check.fix


def test_a_package_of_another_platform_is_not_missed(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("not-there==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:0\n")
    assert check_packages(tmp_path / "lock").verdict is CheckStatus.OK


def test_a_data_folder_that_cannot_be_written_fails() -> None:
    assert check_folder(Home(Path("/proc/gantry"))).verdict is CheckStatus.FAIL


def test_a_taken_port_fails_unless_gantry_itself_runs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert check_port("api port", port, variable="GANTRY_PORT", own=None).verdict is CheckStatus.FAIL
        assert check_port("api port", port, variable="GANTRY_PORT", own=port).verdict is CheckStatus.OK


def test_of_a_gantry_that_runs_the_port_it_has_is_looked_at_and_not_the_one_that_is_set() -> None:
    silent, other = free_port(), free_port()
    found = check_port("api port", other, variable="GANTRY_PORT", own=silent)
    assert (found.verdict, str(silent) in found.observed) == (CheckStatus.FAIL, True)


def test_what_cannot_be_looked_at_is_never_called_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANTRY_HOME", str(tmp_path))
    monkeypatch.setenv("GANTRY_PORT", str(free_port()))
    monkeypatch.setenv("GANTRY_DAGSTER_PORT", str(free_port()))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    verdicts = {check.name: check.verdict for check in all_checks(Settings())}
    assert {verdicts[name] for name in ("postgres", "migrations", "bars")} == {CheckStatus.NOT_CHECKED}
    assert verdicts["disk"] is CheckStatus.OK


def test_a_database_that_does_not_answer_fails_with_a_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANTRY_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"postgresql://a:b@127.0.0.1:{free_port()}/d")
    checks = {check.name: check for check in all_checks(Settings())}
    assert checks["postgres"].verdict is CheckStatus.FAIL
    assert checks["postgres"].fix
