"""Who supplies bars, from settings: clients of the configured vendors, each behind its gate, or the simulator."""

from collections.abc import Sequence
from decimal import Decimal

from core.settings import Settings
from integrations.http.gate import ProviderGate
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from integrations.ports import BarsSource
from integrations.provider import BarsFactory, Provider
from integrations.registry import configured_vendors, key_of, simulates
from services.supply.top_up import Supply
from services.usage import UsageLog
from sql.engine import Transactions


def supply_of(settings: Settings, tx: Transactions) -> Supply:
    """Return where missing bars come from."""
    return Supply(
        sources_of(settings, tx, configured_vendors(settings)),
        simulates=simulates(settings),
        history_months=settings.history_months,
        max_cost_usd=Decimal(str(settings.max_fetch_cost_usd)),
        min_sessions=settings.min_sessions_for_grading,
    )


def sources_of(settings: Settings, tx: Transactions, vendors: Sequence[Provider]) -> tuple[BarsSource, ...]:
    """Return clients of those of these vendors that have a key, each behind its gate."""
    if not vendors:
        return ()
    limiter = Limiter(settings.gantry_home / "run" / "limits")
    sink = UsageLog(tx)
    made: list[BarsSource] = []
    for vendor in vendors:
        factory, key = vendor.factory, key_of(vendor, settings)
        if isinstance(factory, BarsFactory) and key is not None:
            policy = _policy(settings, factory.calls_per_minute(settings))
            made.append(factory.make(key, settings, ProviderGate(vendor.id, policy, sink, limiter)))
    return tuple(made)


def _policy(settings: Settings, calls_per_minute: float) -> CallPolicy:
    return CallPolicy(
        deadline_s=settings.provider_deadline_seconds,
        calls_per_minute=calls_per_minute,
        burst=max(1, min(10, int(calls_per_minute))),
    )
