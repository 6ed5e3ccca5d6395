"""Who could supply bars, as a text that changes when that does: the planner tries again then."""

from hashlib import sha256

from core.settings import Settings
from fleet.planner.bars_outlook import Suppliers
from integrations.registry import BARS_VENDORS, SIMULATOR, configured_vendors, key_of, simulates


def suppliers_of(settings: Settings) -> Suppliers:
    """Return who could supply bars, named by a text that changes with a key, the limit of cost or the history."""
    keys = [key for vendor in BARS_VENDORS if (key := key_of(vendor, settings)) is not None]
    terms = "\n".join((*keys, str(settings.history_months), str(settings.max_fetch_cost_usd)))
    names = [*(vendor.id for vendor in configured_vendors(settings)), *([SIMULATOR] if simulates(settings) else [])]
    return Suppliers(f"{' '.join(names)} {sha256(terms.encode()).hexdigest()[:8]}", can=bool(names))
