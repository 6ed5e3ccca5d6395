"""Every provider, by id: the one list of them. What is configured, and who supplies bars, is decided here alone.

Importing this module loads no vendor's library.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from core.errors import invalid, not_found
from core.settings import AppEnv, Settings
from fleet.closed_sets import ProviderCategory
from integrations.provider import Absent, BarsFactory, Provider

if TYPE_CHECKING:
    from integrations.http.gate import ProviderGate
    from integrations.ports import BarsSource

SIMULATOR: Final = "simulator"
FILES: Final = "files"  # not a provider: bars come from imported files only
_NO_CLIENT: Final = Absent("Gantry has no client for this provider yet.")
_NO_VERIFY: Final = Absent("Gantry can't verify this provider yet.")
_NO_CALLS: Final = Absent("The simulator makes its bars on this machine and makes no calls.")


def _databento(key: str, settings: Settings, gate: "ProviderGate") -> "BarsSource":
    from integrations.databento.client import DatabentoBars

    return DatabentoBars(key, gate, base_url=settings.databento_base_url)


def _polygon(key: str, settings: Settings, gate: "ProviderGate") -> "BarsSource":
    from integrations.polygon.client import PolygonBars

    return PolygonBars(key, gate, base_url=settings.polygon_base_url)


def _one_of(*names: str) -> tuple[tuple[str, ...], ...]:
    return (names,)


def _each(*names: str) -> tuple[tuple[str, ...], ...]:
    return tuple((name,) for name in names)


def _entry(  # noqa: PLR0913 - one keyword for each thing in which providers differ
    ident: str,
    label: str,
    category: ProviderCategory,
    required: tuple[tuple[str, ...], ...],
    *,
    optional: tuple[str, ...] | None = None,
    legacy: tuple[str, ...] = (),
    factory: BarsFactory | Absent = _NO_CLIENT,
    verify: Absent = _NO_VERIFY,
    fix: str = "",
) -> Provider:
    """optional: None means the override of the provider's address alone. fix: none means that a key has to be set."""
    return Provider(
        id=ident,
        label=label,
        category=category,
        required_env=required,
        optional_env=(f"{ident.upper()}_BASE_URL",) if optional is None else optional,
        legacy_ids=legacy,
        factory=factory,
        verify=verify,
        suggested_fix=fix or f"Set {' or '.join(required[0])} to a key from your {label} account.",
    )


_MARKET_DATA, _EXECUTION = ProviderCategory.MARKET_DATA, ProviderCategory.EXECUTION
_LLM, _INFRA = ProviderCategory.LLM, ProviderCategory.INFRA
_ALL: Final = (
    # Vendors of bars are asked in this order.
    _entry(
        "databento",
        "Databento",
        _MARKET_DATA,
        _one_of("DATABENTO_API_KEY"),
        optional=("DATABENTO_BASE_URL", "DATABENTO_CALLS_PER_MINUTE"),
        legacy=("market_data_live",),
        factory=BarsFactory(_databento, lambda settings: settings.databento_calls_per_minute),
    ),
    _entry(
        "polygon",
        "Polygon",
        _MARKET_DATA,
        _one_of("POLYGON_API_KEY", "MASSIVE_API_KEY"),
        optional=("POLYGON_BASE_URL", "POLYGON_CALLS_PER_MINUTE"),
        legacy=("massive",),
        factory=BarsFactory(_polygon, lambda settings: settings.polygon_calls_per_minute),
    ),
    _entry("finnhub", "Finnhub", _MARKET_DATA, _one_of("FINNHUB_API_KEY")),
    _entry("alphavantage", "Alpha Vantage", _MARKET_DATA, _one_of("ALPHAVANTAGE_API_KEY")),
    _entry("fmp", "Financial Modeling Prep", _MARKET_DATA, _one_of("FMP_API_KEY")),
    _entry("fred", "FRED", _MARKET_DATA, _one_of("FRED_API_KEY")),
    _entry(
        SIMULATOR,
        "Simulator",
        _MARKET_DATA,
        (),
        optional=(),
        factory=_NO_CALLS,
        verify=_NO_CALLS,
        fix="Set GANTRY_DATA_PROVIDER=simulator for bars that are labelled SIMULATED.",
    ),
    _entry(
        "unusual_whales",
        "Unusual Whales",
        ProviderCategory.ALT_DATA,
        _one_of("UW_API_KEY", "UNUSUAL_WHALES_API_KEY"),
    ),
    _entry(
        "ironbeam",
        "Ironbeam",
        _EXECUTION,
        _each("IRONBEAM_USERNAME", "IRONBEAM_API_KEY"),
        optional=("IRONBEAM_PASSWORD", "IRONBEAM_BASE_URL", "IRONBEAM_WS_URL"),
        fix="Set IRONBEAM_USERNAME and IRONBEAM_API_KEY, and IRONBEAM_PASSWORD where the account asks for one.",
    ),
    _entry(
        "tradovate",
        "Tradovate",
        _EXECUTION,
        _each(
            "TRADOVATE_NAME",
            "TRADOVATE_PASSWORD",
            "TRADOVATE_APP_ID",
            "TRADOVATE_CID",
            "TRADOVATE_SEC",
            "TRADOVATE_DEVICE_ID",
        ),
        optional=("TRADOVATE_BASE_URL", "TRADOVATE_WS_URL", "TRADOVATE_MD_WS_URL"),
        fix="Set TRADOVATE_NAME and TRADOVATE_PASSWORD to your login; TRADOVATE_APP_ID, TRADOVATE_CID and "
        "TRADOVATE_SEC to those of your API key; TRADOVATE_DEVICE_ID to a text that never changes.",
    ),
    _entry("openai", "OpenAI", _LLM, _one_of("OPENAI_API_KEY")),
    _entry("anthropic", "Anthropic", _LLM, _one_of("ANTHROPIC_API_KEY")),
    _entry("google_gemini", "Google Gemini", _LLM, _one_of("GEMINI_API_KEY")),
    _entry("groq", "Groq", _LLM, _one_of("GROQ_API_KEY")),
    _entry("xai", "xAI", _LLM, _one_of("XAI_API_KEY")),
    _entry("openrouter", "OpenRouter", _LLM, _one_of("OPENROUTER_API_KEY")),
    _entry(
        "redis",
        "Redis",
        _INFRA,
        _one_of("REDIS_URL"),
        optional=(),
        fix="Set REDIS_URL to the address of your Redis, such as redis://localhost:6379/0.",
    ),
    _entry(
        "discord",
        "Discord",
        _INFRA,
        _one_of("DISCORD_WEBHOOK_URL"),
        optional=(),
        fix="Set DISCORD_WEBHOOK_URL to the address of a webhook of your channel.",
    ),
)
PROVIDERS: Final = {provider.id: provider for provider in _ALL}
BARS_VENDORS: Final = tuple(provider for provider in _ALL if isinstance(provider.factory, BarsFactory))
_CANONICAL: Final = {name: provider.id for provider in _ALL for name in (provider.id, *provider.legacy_ids)}


def normalise(ident: str) -> str:
    """Return the canonical id of a provider that is named by its canonical or a legacy id.

    Raises:
        GantryError: NOT_FOUND for an unknown id.

    """
    if ident not in _CANONICAL:
        raise not_found("provider", repr(ident), fix=f"Use one of {', '.join(PROVIDERS)}.")
    return _CANONICAL[ident]


def missing_env(provider: Provider, settings: Settings) -> tuple[str, ...]:
    """Return the first variable of each required group in which none is set; a blank one counts as unset."""
    return tuple(group[0] for group in provider.required_env if _first_set(group, settings) is None)


def key_of(provider: Provider, settings: Settings) -> str | None:
    """Return the key of a provider that needs nothing but a key; None when it isn't set."""
    (group,) = provider.required_env
    return _first_set(group, settings)


def bars_vendor(ident: str) -> Provider:
    """Return the vendor of bars that is named by its canonical or a legacy id.

    Raises:
        GantryError: VALIDATION_FAILED for any other id.

    """
    return PROVIDERS[_choice(ident, [vendor.id for vendor in BARS_VENDORS], field="provider")]


def chosen_supply(settings: Settings) -> str | None:
    """Return where bars come from by choice: a vendor's canonical id, `files` or `simulator`; None without a choice.

    Raises:
        GantryError: VALIDATION_FAILED for a GANTRY_DATA_PROVIDER that supplies no bars.

    """
    text = settings.text_of("GANTRY_DATA_PROVIDER")
    choices = [*(vendor.id for vendor in BARS_VENDORS), FILES, SIMULATOR]
    return None if text is None else _choice(text, choices, field="GANTRY_DATA_PROVIDER")


def configured_vendors(settings: Settings) -> tuple[Provider, ...]:
    """Return the vendors of bars that are configured and not ruled out by a choice, in the order they are asked.

    Raises:
        GantryError: as `chosen_supply`.

    """
    chosen = chosen_supply(settings)
    return tuple(vendor for vendor in BARS_VENDORS if chosen in {None, vendor.id} and not missing_env(vendor, settings))


def simulates(settings: Settings) -> bool:
    """Whether bars may be simulated: by choice, or with neither a choice nor a configured vendor; never in production.

    Raises:
        GantryError: as `chosen_supply`.

    """
    chosen = chosen_supply(settings)
    if settings.app_env is AppEnv.PRODUCTION:
        return False
    return chosen == SIMULATOR if chosen is not None else not configured_vendors(settings)


def _first_set(names: Sequence[str], settings: Settings) -> str | None:
    return next((text for name in names if (text := settings.text_of(name)) is not None), None)


def _choice(text: str, choices: Sequence[str], *, field: str) -> str:
    ident = _CANONICAL.get(text, text)
    if ident not in choices:
        raise invalid(f"{field} can't be {text!r}.", fix=f"Use one of {', '.join(choices)}.", field=field)
    return ident
