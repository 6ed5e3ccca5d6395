"""`gantry proof`: what the API, the database and the checks answer, as files, each with its hash."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import note, say
from cli.database import connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.settings import Settings
    from services.proof.pack import Piece

app = typer.Typer(add_completion=False)


@app.command()
def proof(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files; created if it doesn't exist.")],
    bots: Annotated[int, typer.Option(min=1, max=1000, help="Write the rows of this many bots, newest first.")] = 10,
    *,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that isn't empty.")] = False,
) -> None:
    """Write the whole proof pack of the running Gantry. Changes nothing; exits 1 when a part of it failed."""
    from cli.proof.files import INDEX, open_folder
    from cli.up.home import Home
    from cli.up.state import port_of
    from core.clock import utc_now
    from core.settings import get_settings
    from core.trace import current_trace_id
    from services.code_version import code_version
    from services.proof.pack import PieceOutcome

    settings = get_settings()
    folder = open_folder(out, settings, force=force)
    began = utc_now()
    # The Gantry whose rows are read, wherever it listens: another one's answers would prove nothing about them.
    port = port_of(Home(settings.gantry_home.absolute()), "api") or settings.gantry_port
    for piece in _pieces(settings, port, bots):
        folder.put(piece)
        if piece.outcome is not PieceOutcome.OK:
            note(f"{piece.file}: {piece.outcome}: {piece.message}")
    folder.put_index(
        [
            f"Made from {began:%Y-%m-%d %H:%M:%S}Z to {utc_now():%Y-%m-%d %H:%M:%S}Z by gantry {code_version()}, "
            f"of the Gantry on port {port} ({settings.app_env}); trace id `{current_trace_id()}`.",
            "The fleet kept working meanwhile: each file shows the state at the time it was written.",
        ]
    )
    say(f"{len(folder.written)} files in {folder.path}; begin with {folder.path / INDEX}.")
    if failed := folder.of(PieceOutcome.FAILED):
        note(f"{len(failed)} of them failed.")
        raise SystemExit(1)


def _pieces(settings: Settings, port: int, bots: int) -> Iterator[Piece]:
    from cli.proof.api import Api, api_pieces
    from core.errors import GantryError
    from core.settings import AppEnv
    from core.trace import current_trace_id
    from services.proof.pack import Piece, PieceOutcome, database_pieces

    token = settings.admin_token.get_secret_value()
    guarded = settings.app_env is AppEnv.PRODUCTION  # there every route needs credentials
    yield from api_pieces(Api(port, token, current_trace_id(), for_all=guarded))
    with ExitStack() as open_still:
        try:
            tx = open_still.enter_context(connected(settings))
        except GantryError as error:
            yield Piece("sql-rows.txt", "the database answers", f"{error}\n", PieceOutcome.FAILED, str(error))
            return
        yield from database_pieces(tx, bots=bots)
