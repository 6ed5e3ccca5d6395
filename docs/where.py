"""The map of the house: each table, route, asset, sensor and command with the one file it lives in, read from code."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

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

    from api.app import create_app

    for route in create_app().routes:
        if isinstance(route, APIRoute):
            for method in sorted(route.methods):
                yield f"{method} {route.path}", _file(route.endpoint)


def assets() -> Iterator[Pair]:
    """Yield each Dagster asset and asset check and its file."""
    from orchestration.definitions import defs

    for asset in defs.assets or ():
        yield _decorated(asset)
    for check in defs.asset_checks or ():
        yield _decorated(check)


def sensors() -> Iterator[Pair]:
    """Yield each Dagster sensor and its file."""
    from orchestration.definitions import defs

    for sensor in defs.sensors or ():
        raw = getattr(sensor, "_raw_fn", None) or sensor._evaluation_fn  # type: ignore[union-attr]  # noqa: SLF001
        yield str(getattr(sensor, "name", "")), _file(raw)


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


def _decorated(asset: object) -> Pair:
    keys = getattr(asset, "check_keys", None) or getattr(asset, "keys", ())
    name = ", ".join(
        sorted(
            "/".join(key.asset_key.path) + ":" + key.name if hasattr(key, "asset_key") else "/".join(key.path)
            for key in keys
        )
    )
    return name, _file(asset.op.compute_fn.decorated_fn)  # type: ignore[attr-defined]


def _file(item: object) -> str:
    found = inspect.getsourcefile(inspect.unwrap(item))  # type: ignore[arg-type]
    return Path(found or "").resolve().relative_to(ROOT).as_posix()
