"""`gantry db`: where the database is."""

from typing import Annotated

import typer

from cli.console import say

app = typer.Typer(add_completion=False, help="The database.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Give `url` its own name, though it is the only command."""


@app.command()
def url(
    owner: Annotated[bool, typer.Option("--owner", help="The role that owns the tables, for migrations.")] = False,
) -> None:
    """Print the database's URL, ready for psql; the application's role by default."""
    from core.settings import get_settings
    from sql.engine import database_urls

    urls = database_urls(get_settings())
    say(psql_ready(urls.owner if owner else urls.app))


def psql_ready(url: str) -> str:
    """Return the URL without SQLAlchemy's driver name, which psql doesn't know."""
    scheme, separator, rest = url.partition("://")
    return scheme.partition("+")[0] + separator + rest
