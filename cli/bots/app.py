"""The group `gantry bots`, to which each module of this folder adds its commands."""

import typer

app = typer.Typer(
    add_completion=False, help="Bots: list, show, create, change, backtest, promote, archive.", no_args_is_help=True
)
