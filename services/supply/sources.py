"""Clients of the configured providers of bars, each behind its gate."""

from collections.abc import Sequence
from decimal import Decimal

from core.settings import Settings
from integrations.http.gate import Gate
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from integrations.ports import BarsSource
from services.supply.providers import DATABENTO, POLYGON, configured, simulates
from services.supply.top_up import Supply
from services.usage import UsageLog
from sql.engine import Transactions


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


def _policy(settings: Settings, calls_per_minute: float) -> CallPolicy:
    return CallPolicy(
        deadline_s=settings.provider_deadline_seconds,
        calls_per_minute=calls_per_minute,
        burst=max(1, min(10, int(calls_per_minute))),
    )
