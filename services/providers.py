"""Providers of bars, from settings: which are configured, in the order in which they are asked."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Final

from pydantic import SecretStr

from core.settings import Settings
from fleet.bars_outlook import Suppliers
from integrations.http.gate import Gate
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from integrations.ports import BarsSource
from services.supply import Supply
from services.usage import UsageLog
from sql.engine import Transactions

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


def supply_of(settings: Settings, tx: Transactions) -> Supply:
    """Return where missing bars come from."""
    return Supply(
        sources_of(settings, tx, configured(settings)),
        simulates=simulates(settings),
        history_months=settings.history_months,
        max_cost_usd=Decimal(str(settings.max_fetch_cost_usd)),
    )


def sources_of(settings: Settings, tx: Transactions, names: Sequence[str]) -> tuple[BarsSource, ...]:
    """Return clients of these vendors, each behind its gate."""
    if not names:
        return ()
    limiter = Limiter(settings.gantry_home / "run" / "limits")
    sink = UsageLog(tx)
    made: list[BarsSource] = []
    for name in names:
        if name == DATABENTO and settings.databento_api_key is not None:
            from integrations.databento.client import DatabentoBars

            gate = Gate(name, _policy(settings, settings.databento_calls_per_minute), sink, limiter)
            key = settings.databento_api_key.get_secret_value()
            made.append(DatabentoBars(key, gate, base_url=settings.databento_base_url))
        elif name == POLYGON and (secret := settings.polygon_api_key or settings.massive_api_key) is not None:
            from integrations.polygon.client import PolygonBars

            gate = Gate(name, _policy(settings, settings.polygon_calls_per_minute), sink, limiter)
            made.append(PolygonBars(secret.get_secret_value(), gate, base_url=settings.polygon_base_url))
    return tuple(made)


def _keys(settings: Settings) -> Mapping[str, SecretStr | None]:
    return {DATABENTO: settings.databento_api_key, POLYGON: settings.polygon_api_key or settings.massive_api_key}


def _policy(settings: Settings, calls_per_minute: float) -> CallPolicy:
    return CallPolicy(
        deadline_s=settings.provider_deadline_seconds,
        calls_per_minute=calls_per_minute,
        burst=max(1, min(10, int(calls_per_minute))),
    )
