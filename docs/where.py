"""The map of the house: each table, route, asset, sensor and command with the one file it lives in, read from code."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TableWriter = Callable[[Sequence[str], Iterable[Sequence[str]]], str]
Pair = tuple[str, str]


def map_page(table: TableWriter) -> str:
    """Return the page's sections."""
    sections: tuple[tuple[str, Iterable[Pair]], ...] = (
        ("Tables", tables()),
        ("Routes", routes()),
        ("Assets and checks", assets()),
        ("Sensors", sensors()),
        ("Commands", commands()),
    )
    return "\n".join(
        f"## {title}\n\n" + table(("what", "file"), [(f"`{what}`", f"`{file}`") for what, file in sorted(pairs)])
        for title, pairs in sections
    )


def tables() -> Iterator[Pair]:
    """Yield each table and its file."""
    from sql.tables import Base

    for mapper in Base.registry.mappers:
        yield mapper.class_.__tablename__, _file(mapper.class_)


def routes() -> Iterator[Pair]:
    """Yield each route of the API and its file."""
    from fastapi.routing import APIRoute

    from api.app import ROUTERS

    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute):
                for method in sorted(route.methods or ()):
                    yield f"{method} {route.path}", _file(route.endpoint)


def assets() -> Iterator[Pair]:
    """Yield each Dagster asset and asset check and its file."""
    from orchestration.definitions import defs

    both: list[Any] = [*(defs.assets or ()), *(defs.asset_checks or ())]
    for definition in both:
        file = _file(definition.op.compute_fn.decorated_fn)
        checks = {f"{key.asset_key.to_user_string()}: {key.name}" for key in definition.check_keys}
        own = (
            {key.to_user_string() for key in definition.keys} if definition not in (defs.asset_checks or ()) else set()
        )
        for name in checks | own:
            yield name, file


def sensors() -> Iterator[Pair]:
    """Yield each Dagster sensor and its file."""
    from orchestration.dagster_private import function_of
    from orchestration.definitions import defs

    for sensor in defs.sensors or ():
        yield sensor.name, _file(function_of(sensor))


def commands() -> Iterator[Pair]:
    """Yield each command of `gantry` and its file."""
    from cli.main import COMMANDS, load

    for name in COMMANDS:
        yield from _walk(f"gantry {name}", load(name))


def _walk(path: str, command: object) -> Iterator[Pair]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path, _file(inspect.unwrap(command.callback))  # type: ignore[attr-defined]
        return
    for name, child in children.items():
        yield from _walk(f"{path} {name}", child)


def _file(item: object) -> str:
    found = inspect.getsourcefile(inspect.unwrap(item))  # type: ignore[arg-type]
    return Path(found or "").resolve().relative_to(ROOT).as_posix()
