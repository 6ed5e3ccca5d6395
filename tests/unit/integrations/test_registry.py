"""The registry: what every provider's entry must hold, and what counts as configured."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ErrorCode, GantryError
from core.production import refuse_unsafe_production
from core.settings import Settings
from fleet.closed_sets import ProviderCategory
from integrations.http.gate import ProviderGate
from integrations.http.limiter import Limiter
from integrations.http.policy import CallPolicy
from integrations.provider import Absent, BarsFactory, Provider
from integrations.registry import (
    BARS_VENDORS,
    FILES,
    PROVIDERS,
    SIMULATOR,
    bars_vendor,
    chosen_supply,
    configured_vendors,
    key_of,
    missing_env,
    normalise,
    simulates,
)
from tests.factories.providers import KEYS, NAMES, forget_providers
from tests.fakes.usage import KeptUsage

ROOT = Path(__file__).resolve().parents[3]
EXPECTED = {
    "MARKET_DATA": ["databento", "polygon", "finnhub", "alphavantage", "fmp", "fred", "simulator"],
    "ALT_DATA": ["unusual_whales"],
    "EXECUTION": ["ironbeam", "tradovate"],
    "LLM": ["openai", "anthropic", "google_gemini", "groq", "xai", "openrouter"],
    "INFRA": ["redis", "discord"],
}
# A user who sets one of these expects it to count: none may be dropped.
REQUIRED = {
    *("DATABENTO_API_KEY", "POLYGON_API_KEY", "MASSIVE_API_KEY", "FINNHUB_API_KEY", "ALPHAVANTAGE_API_KEY"),
    *("FMP_API_KEY", "FRED_API_KEY", "UW_API_KEY", "UNUSUAL_WHALES_API_KEY", "IRONBEAM_USERNAME", "IRONBEAM_API_KEY"),
    *("TRADOVATE_NAME", "TRADOVATE_PASSWORD", "TRADOVATE_APP_ID", "TRADOVATE_CID", "TRADOVATE_SEC"),
    *("TRADOVATE_DEVICE_ID", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY", "XAI_API_KEY"),
    *("OPENROUTER_API_KEY", "REDIS_URL", "DISCORD_WEBHOOK_URL"),
}
VARIABLES = {spec.alias for spec in Settings.model_fields.values()}


def settings(**given: str) -> Settings:
    return Settings.model_validate(given)


def vendors_of(**given: str) -> list[str]:
    return [vendor.id for vendor in configured_vendors(settings(**given))]


@pytest.fixture(autouse=True)
def no_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_providers(monkeypatch)


def test_every_provider_stands_in_its_category_and_no_other_does() -> None:
    found = {
        str(category): [one.id for one in PROVIDERS.values() if one.category is category]
        for category in ProviderCategory
    }
    assert found == EXPECTED


def test_no_variable_that_makes_a_provider_usable_is_forgotten() -> None:
    assert {name for one in PROVIDERS.values() for group in one.required_env for name in group} == REQUIRED


@pytest.mark.parametrize("ident", PROVIDERS)
class TestEveryEntry:
    """What holds of each provider."""

    def test_it_answers_to_its_id_and_its_legacy_ids(self, ident: str) -> None:
        provider = PROVIDERS[ident]
        assert provider.id == ident
        assert provider.label
        assert {normalise(name) for name in (ident, *provider.legacy_ids)} == {ident}

    def test_its_fix_names_every_variable_it_needs(self, ident: str) -> None:
        provider = PROVIDERS[ident]
        names = [name for group in provider.required_env for name in group]
        assert all(group for group in provider.required_env)
        assert [name for name in names if name not in provider.suggested_fix] == []
        assert provider.suggested_fix.endswith(".")

    def test_its_variables_are_well_formed_and_nobody_elses(self, ident: str) -> None:
        names = variables_of(PROVIDERS[ident])
        others = {name for other in PROVIDERS.values() if other.id != ident for name in variables_of(other)}
        assert len(names) == len(set(names))
        assert [name for name in names if name in others or not re.fullmatch(r"[A-Z][A-Z0-9_]+", name)] == []

    def test_it_makes_its_client_or_says_why_it_has_none(self, ident: str) -> None:
        provider = PROVIDERS[ident]
        match provider.factory:
            case Absent(reason):
                assert_sentence(reason)
            case BarsFactory(make, calls_per_minute):
                assert set(variables_of(provider)) <= VARIABLES
                gate = ProviderGate(
                    ident, CallPolicy(calls_per_minute=calls_per_minute(settings())), KeptUsage(), Limiter(None)
                )
                assert make("some-key", settings(), gate).provider_id == ident

    def test_it_can_be_verified_or_says_why_not(self, ident: str) -> None:
        provider = PROVIDERS[ident]
        assert provider.supports_verify is not isinstance(provider.verify, Absent)
        if isinstance(provider.verify, Absent):
            assert_sentence(provider.verify.reason)


def variables_of(provider: Provider) -> list[str]:
    return [*(name for group in provider.required_env for name in group), *provider.optional_env]


def assert_sentence(text: str) -> None:
    assert re.fullmatch(r"[A-Z].{10,}\.", text)


def test_no_name_means_two_providers() -> None:
    names = [name for provider in PROVIDERS.values() for name in (provider.id, *provider.legacy_ids)]
    assert len(names) == len(set(names))


def test_legacy_ids_of_both_vendors_are_understood() -> None:
    assert normalise("massive") == "polygon"
    assert normalise("market_data_live") == "databento"


@pytest.mark.parametrize("ident", ["bloomberg", "", "Polygon", "files"])
def test_an_unknown_id_is_not_found_and_the_known_ones_are_listed(ident: str) -> None:
    with pytest.raises(GantryError) as refused:
        normalise(ident)
    assert refused.value.code is ErrorCode.NOT_FOUND
    assert [name for name in PROVIDERS if name not in refused.value.fix] == []


def test_importing_the_registry_loads_no_vendors_library() -> None:
    code = "import sys, integrations.registry; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split())
    assert "integrations.registry" in loaded
    assert loaded & {"databento", "massive", "requests", "urllib3", "numpy", "pandas", "pyarrow", "sqlalchemy"} == set()


@pytest.mark.parametrize(("ident", "variable"), KEYS)
def test_a_vendor_is_configured_by_each_of_its_variables(ident: str, variable: str) -> None:
    assert vendors_of(**{variable: "some-key"}) == [ident]
    assert key_of(PROVIDERS[ident], settings(**{variable: "some-key"})) == "some-key"
    assert missing_env(PROVIDERS[ident], settings(**{variable: "some-key"})) == ()
    assert not simulates(settings(**{variable: "some-key"}))


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize(("ident", "variable"), KEYS)
def test_a_blank_variable_is_unset(ident: str, variable: str, blank: str) -> None:
    given = settings(**{variable: blank})
    assert configured_vendors(given) == ()
    assert key_of(PROVIDERS[ident], given) is None
    assert missing_env(PROVIDERS[ident], given) == (PROVIDERS[ident].required_env[0][0],)
    assert simulates(given)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"POLYGON_API_KEY": "old", "MASSIVE_API_KEY": "new"}, "old"),
        ({"POLYGON_API_KEY": "", "MASSIVE_API_KEY": "new"}, "new"),
        ({"POLYGON_API_KEY": "old", "MASSIVE_API_KEY": ""}, "old"),
    ],
)
def test_of_two_names_for_one_key_the_first_that_is_set_counts(given: dict[str, str], key: str) -> None:
    assert key_of(PROVIDERS["polygon"], settings(**given)) == key


def test_databento_is_asked_before_polygon() -> None:
    assert vendors_of(**{variable: "some-key" for _ident, variable in KEYS}) == ["databento", "polygon"]


@pytest.mark.parametrize(("ident", "name"), NAMES)
def test_a_choice_by_any_of_its_names_leaves_one_vendor_alone(ident: str, name: str) -> None:
    keys = {variable: "some-key" for _ident, variable in KEYS}
    assert chosen_supply(settings(GANTRY_DATA_PROVIDER=name)) == ident
    assert vendors_of(**keys, GANTRY_DATA_PROVIDER=name) == [ident]
    assert vendors_of(GANTRY_DATA_PROVIDER=name) == []
    assert not simulates(settings(GANTRY_DATA_PROVIDER=name))
    assert bars_vendor(name) is PROVIDERS[ident]


@pytest.mark.parametrize("choice", [FILES, SIMULATOR])
def test_who_chooses_files_or_the_simulator_asks_no_vendor(choice: str) -> None:
    keys = {variable: "some-key" for _ident, variable in KEYS}
    assert vendors_of(**keys, GANTRY_DATA_PROVIDER=choice) == []
    assert simulates(settings(**keys, GANTRY_DATA_PROVIDER=choice)) is (choice == SIMULATOR)


def test_a_blank_choice_is_none() -> None:
    assert chosen_supply(settings(GANTRY_DATA_PROVIDER="")) is None
    assert vendors_of(GANTRY_DATA_PROVIDER="", MASSIVE_API_KEY="some-key") == ["polygon"]


@pytest.mark.parametrize("choice", ["bloomberg", "finnhub", "Databento"])
def test_a_choice_that_supplies_no_bars_is_refused_with_those_that_do(choice: str) -> None:
    with pytest.raises(GantryError) as refused:
        simulates(settings(GANTRY_DATA_PROVIDER=choice))
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
    assert refused.value.fix == "Use one of databento, polygon, files, simulator."
    with pytest.raises(GantryError, match="VALIDATION_FAILED"):
        bars_vendor(choice)


def test_the_description_of_the_choice_names_every_choice() -> None:
    described = str(Settings.model_fields["gantry_data_provider"].description)
    assert [name for name in (*(one.id for one in BARS_VENDORS), FILES, SIMULATOR) if name not in described] == []


def test_production_never_simulates_and_refuses_the_simulator_by_all_its_names() -> None:
    assert not simulates(settings(APP_ENV="production"))
    for name in (SIMULATOR, *PROVIDERS[SIMULATOR].legacy_ids):
        chosen = settings(APP_ENV="production", GANTRY_DATA_PROVIDER=name)
        assert not simulates(chosen)
        with pytest.raises(GantryError) as refused:
            refuse_unsafe_production(chosen)
        assert "GANTRY_DATA_PROVIDER" in [problem.field for problem in refused.value.details]


def test_a_variable_that_no_setting_reads_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        settings().text_of("FINNHUB_API_KEY_OF_MINE")
