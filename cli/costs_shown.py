"""How the command line shows costs."""

from collections.abc import Mapping
from typing import Any

from core.words import counted


def costs_text(costs: Mapping[str, Any]) -> str:
    """Describe costs; they are as a bot or a result stores them."""
    slippage, contracts = counted(costs["slippage_ticks"], "tick"), counted(costs["contracts"], "contract")
    return f"slippage {slippage}, {costs['commission_usd']} USD a contract and side, {contracts}"
