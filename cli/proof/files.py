"""The folder of a proof pack: every file without secrets, and an index with the hash of each."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from core.errors import ErrorCode, GantryError, Kind
from core.settings import Settings
from services.proof.pack import Piece, PieceOutcome

INDEX = "index.md"
SHORTEST_SECRET = 6  # characters; a shorter text stands in too many other words


@dataclass
class Folder:
    """A folder that takes pieces. secrets: what is written in the place of which text."""

    path: Path
    secrets: Mapping[str, str]
    written: list[tuple[Piece, str]] = field(default_factory=list)

    def put(self, piece: Piece) -> None:
        """Write a piece's file.

        Raises:
            GantryError: ENVIRONMENT_INVALID for a folder that can't be written to.

        """
        raw = self._without_secrets(piece.text).encode()
        self._write(piece.file, raw)
        self.written.append((piece, hashlib.sha256(raw).hexdigest()))

    def put_index(self, head: Sequence[str]) -> None:
        """Write the index: what was made when, how it came out, and a line for each file."""
        lines = ["# Proof pack", "", *head, "", self._result(), ""]
        lines += ["| file | outcome | proves | sha256 |", "|---|---|---|---|"]
        lines += [f"| [{p.file}]({p.file}) | {p.outcome} | {p.proves} | `{digest}` |" for p, digest in self.written]
        for outcome, title in ((PieceOutcome.FAILED, "Failed"), (PieceOutcome.NOT_AVAILABLE, "Not available yet")):
            if found := self.of(outcome):
                lines += [
                    "",
                    f"## {title}",
                    "",
                    *(f"- {piece.file}: {' '.join(piece.message.split())}" for piece in found),
                ]
        if others := self._others():
            lines += ["", f"Not part of this pack, already in the folder: {', '.join(others)}."]
        self._write(INDEX, self._without_secrets("\n".join(lines) + "\n").encode())

    def of(self, outcome: PieceOutcome) -> list[Piece]:
        """Return the pieces that came out so."""
        return [piece for piece, _ in self.written if piece.outcome is outcome]

    def _result(self) -> str:
        counts = {outcome: len(self.of(outcome)) for outcome in PieceOutcome}
        return (
            f"{counts[PieceOutcome.OK]} files as they should be, "
            f"{counts[PieceOutcome.NOT_AVAILABLE]} not available yet, {counts[PieceOutcome.FAILED]} failed."
        )

    def _others(self) -> list[str]:
        own = {INDEX, *(piece.file for piece, _ in self.written)}
        return sorted(path.name for path in self.path.iterdir() if path.name not in own)

    def _without_secrets(self, text: str) -> str:
        for secret, name in self.secrets.items():
            text = text.replace(secret, name)
        return text

    def _write(self, name: str, raw: bytes) -> None:
        try:
            (self.path / name).write_bytes(raw)
        except OSError as error:
            raise _unusable(self.path, error.strerror or str(error)) from error


def open_folder(path: Path, settings: Settings, *, force: bool) -> Folder:
    """Make the folder, or take one that is empty; one with files in it only by force.

    Raises:
        GantryError: CONFLICT for a folder that holds something, ENVIRONMENT_INVALID for one that can't be used.

    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        holds = any(path.iterdir())
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if holds and not force:
        raise GantryError(
            ErrorCode.CONFLICT,
            f"The folder {path} is not empty.",
            fix="Choose another folder, or pass --force: files of the same names are overwritten, others are kept.",
            kind=Kind.CONFLICT,
        )
    return Folder(path, secrets_of(settings))


def secrets_of(settings: Settings) -> dict[str, str]:
    """Return every secret of the settings, longest first, with the name of its variable, such as $ADMIN_TOKEN."""
    found: dict[str, str] = {}
    for name, spec in type(settings).model_fields.items():
        value = getattr(settings, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else None
        if name == "database_url" and value:
            text = unquote(urlsplit(value).password or "")
        if text is not None and len(text) >= SHORTEST_SECRET:
            # As it is, as JSON writes it, and as a URL does.
            found |= dict.fromkeys((text, json.dumps(text)[1:-1], quote(text, safe="")), f"${spec.alias}")
    if settings.database_url:
        found[settings.database_url] = "$DATABASE_URL"
    return dict(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _unusable(path: Path, why: str) -> GantryError:
    return GantryError(
        ErrorCode.ENVIRONMENT_INVALID,
        f"The folder {path} can't be used: {why}.",
        fix="Choose another folder.",
        kind=Kind.UNAVAILABLE,
    )
