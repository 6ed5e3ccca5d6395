"""Providers of bars, from settings: which are configured, in the order in which they are asked."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from pydantic import SecretStr

from core.settings import Settings
from fleet.planner.bars_outlook import Suppliers

DATABENTO: Final = "databento"
POLYGON: Final = "polygon"
SIMULATOR: Final = "simulator"
VENDORS: Final = (DATABENTO, POLYGON)  # in the order in which they are asked


def configured(settings: Settings) -> tuple[str, ...]:
    """Return the vendors that are configured and chosen, in order: GANTRY_DATA_PROVIDER chooses one alone."""
    keys = _keys(settings)
    chosen = settings.gantry_data_provider
    return tuple(name for name in VENDORS if keys[name] is not None and chosen in {None, name})


def simulates(settings: Settings) -> bool:
    """Whether bars may be simulated: for who chose that, or who has no vendor's key."""
    if settings.gantry_data_provider is not None:
        return settings.gantry_data_provider == SIMULATOR
    return not configured(settings)


def suppliers_of(settings: Settings) -> Suppliers:
    """Return who could supply bars, named by a text that changes with a key, the limit of cost or the history."""
    keys = [key.get_secret_value() for key in _keys(settings).values() if key is not None]
    terms = "\n".join((*keys, str(settings.history_months), str(settings.max_fetch_cost_usd)))
    names = (*configured(settings), *((SIMULATOR,) if simulates(settings) else ()))
    return Suppliers(f"{' '.join(names)} {sha256(terms.encode()).hexdigest()[:8]}", can=bool(names))


def _keys(settings: Settings) -> Mapping[str, SecretStr | None]:
    return {DATABENTO: settings.databento_api_key, POLYGON: settings.polygon_api_key or settings.massive_api_key}
