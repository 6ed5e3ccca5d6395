import shutil
import socket
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.up.home import open_home
from cli.up.ports import choose_ports, free_port, require_free
from core.errors import ErrorCode, GantryError


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_file_in_the_way_of_the_data_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(GantryError) as refused:
        open_home(tmp_path / "home")
    assert refused.value.code is ErrorCode.ENVIRONMENT_INVALID
    assert "\n" not in str(refused.value)


def test_a_read_only_place_is_refused() -> None:
    with pytest.raises(GantryError) as refused:
        open_home(Path("/proc/gantry"))
    assert "can't be used" in refused.value.message


def test_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10, 9, 1024**2))
    with pytest.raises(GantryError, match="only 1 MiB are free"):
        open_home(tmp_path)


def test_opening_leaves_no_probe_behind(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    assert list(home.state_file.parent.iterdir()) == []


def test_a_taken_port_names_the_variable_that_moves_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        with pytest.raises(GantryError) as refused:
            choose_ports(taken, free_port())
    assert refused.value.code is ErrorCode.CONFLICT
    assert str(taken) in refused.value.message
    assert "GANTRY_PORT" in refused.value.fix


def test_one_port_for_two_things_is_refused() -> None:
    with pytest.raises(GantryError, match="both"):
        choose_ports(5000, 5000)


def test_a_free_port_is_free() -> None:
    require_free(free_port(), variable="GANTRY_PORT")
