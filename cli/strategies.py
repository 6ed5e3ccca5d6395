"""`gantry strategies`: list, show. They need no database."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import print_json, say
from cli.options import AsJson

app = typer.Typer(add_completion=False, help="Strategies that bots can be made of: list, show.", no_args_is_help=True)


@app.command("list")
def list_strategies(as_json: AsJson = False) -> None:
    """List all strategies with their parameters and defaults."""
    from cli.tables import print_table, table_of
    from shapes.strategies import StrategyBody
    from trading.strategies.registry import STRATEGIES

    strategies = [StrategyBody.of(strategy) for strategy in STRATEGIES.values()]
    if as_json:
        print_json(strategies)
        return
    table = table_of(("strategy", "what it is", "parameters and defaults"), wrapped=("parameters and defaults",))
    for one in strategies:
        table.add_row(one.name, one.label, " ".join(f"{spec.name}={spec.default}" for spec in one.parameters))
    print_table(table)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="STRATEGY", help="Such as sma_cross.")], as_json: AsJson = False
) -> None:
    """Show one strategy: its exact definition, and each parameter with its bounds."""
    from cli.tables import print_table, table_of
    from shapes.strategies import StrategyBody
    from trading.strategies.registry import get_strategy

    one = StrategyBody.of(get_strategy(name))
    if as_json:
        print_json(one)
        return
    say(f"{one.name}: {one.label}\n\n{one.definition}\n")
    table = table_of(("parameter", "default", "from", "to", "unit", "meaning"), wrapped=("meaning",))
    for spec in one.parameters:
        table.add_row(spec.name, str(spec.default), str(spec.low), str(spec.high), spec.unit, spec.meaning)
    print_table(table)
