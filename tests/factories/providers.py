"""Settings as if no variable of any provider were set, but those that a test gives."""

import pytest

from integrations.registry import BARS_VENDORS, PROVIDERS

# One for each variable that may hold a key of a vendor of bars: (vendor's id, variable).
KEYS = [(vendor.id, name) for vendor in BARS_VENDORS for group in vendor.required_env for name in group]
# One for each name that a vendor of bars goes by: (vendor's id, name).
NAMES = [(vendor.id, name) for vendor in BARS_VENDORS for name in (vendor.id, *vendor.legacy_ids)]


def forget_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset every provider's variables and the choice among them."""
    required = {name for provider in PROVIDERS.values() for group in provider.required_env for name in group}
    optional = {name for provider in PROVIDERS.values() for name in provider.optional_env}
    for name in required | optional | {"GANTRY_DATA_PROVIDER", "APP_ENV"}:
        monkeypatch.delenv(name, raising=False)
