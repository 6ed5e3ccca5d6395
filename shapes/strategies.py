"""Strategies that bots can be made of."""

import inspect
from dataclasses import fields
from typing import Self

from pydantic import Field

from shapes.base import Model
from trading.strategies.base import Strategy

Value = str | int | float | bool


class ParameterBody(Model):
    """One parameter; low and high are inclusive."""

    name: str
    default: Value
    low: Value
    high: Value
    unit: str
    meaning: str


class StrategyBody(Model):
    """One strategy. definition: what it decides at the close of a bar, exactly."""

    name: str
    label: str
    definition: str
    parameters: list[ParameterBody] = Field(description="Bots that name none use the defaults.")

    @classmethod
    def of(cls, strategy: Strategy) -> Self:
        """Show a strategy."""
        parameters = [
            ParameterBody(
                name=spec.name,
                default=spec.default,
                low=spec.metadata["low"],
                high=spec.metadata["high"],
                unit=spec.metadata["unit"],
                meaning=spec.metadata["doc"],
            )
            for spec in fields(strategy.params_type)
        ]
        definition = inspect.cleandoc(type(strategy).__doc__ or "")
        return cls(name=strategy.name, label=strategy.label, definition=definition, parameters=parameters)
