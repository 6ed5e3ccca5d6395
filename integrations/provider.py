"""What Gantry knows of a provider before it calls it: its names, its environment variables, how its client is made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.closed_sets import ProviderCategory

if TYPE_CHECKING:
    from core.settings import Settings
    from integrations.http.gate import ProviderGate
    from integrations.ports import BarsSource


@dataclass(frozen=True, slots=True)
class Absent:
    """Stands where a provider has no client or no verification. reason: why, in a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class BarsFactory:
    """How the client of a vendor of bars is made.

    make: takes the key, the settings and the vendor's gate, and imports the client only then. calls_per_minute: the
    limit on the vendor's calls, of all processes.
    """

    make: Callable[[str, "Settings", "ProviderGate"], "BarsSource"]
    calls_per_minute: Callable[["Settings"], float]


@dataclass(frozen=True, slots=True)
class Provider:
    """One entry of the registry.

    required_env: groups of variables; one variable of each group must be set, and the first that is set counts.
    legacy_ids: what the provider was called elsewhere. verify: asks whether the key is accepted, at no cost and
    without effect, and raises GantryError where it isn't.
    """

    id: str
    label: str
    category: ProviderCategory
    required_env: tuple[tuple[str, ...], ...]
    optional_env: tuple[str, ...]
    legacy_ids: tuple[str, ...]
    factory: BarsFactory | Absent
    verify: "Callable[[Settings, ProviderGate], None] | Absent"
    suggested_fix: str

    @property
    def supports_verify(self) -> bool:
        """Whether it can be verified on demand."""
        return not isinstance(self.verify, Absent)
