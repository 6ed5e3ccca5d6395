"""Production refuses to start on what is only fit for development."""

import pytest

from core.errors import ErrorCode, GantryError
from core.production import refuse_unsafe_production
from core.settings import Settings

SAFE = {
    "APP_ENV": "production",
    "ADMIN_TOKEN": "t" * 32,
    "APP_ENC_KEY": "k" * 44,
    "DATABASE_URL": "postgresql://gantry@db.example/gantry",
    "GANTRY_DATA_PROVIDER": "databento",
}


def test_a_production_that_has_everything_starts() -> None:
    refuse_unsafe_production(Settings.model_validate(SAFE))


def test_development_needs_nothing() -> None:
    refuse_unsafe_production(Settings.model_validate({"APP_ENV": "development"}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADMIN_TOKEN", "dev-admin-secret"),
        ("ADMIN_TOKEN", "t" * 31),
        ("APP_ENC_KEY", None),
        ("APP_ENC_KEY", ""),
        ("DATABASE_URL", None),
        ("GANTRY_DATA_PROVIDER", "simulator"),
    ],
)
def test_production_refuses_one_unsafe_variable_and_names_it(name: str, value: str | None) -> None:
    with pytest.raises(GantryError) as caught:
        refuse_unsafe_production(Settings.model_validate({**SAFE, name: value}))
    assert caught.value.code is ErrorCode.ENVIRONMENT_INVALID
    assert [problem.field for problem in caught.value.details] == [name]


def test_production_names_everything_that_is_missing_at_once() -> None:
    with pytest.raises(GantryError) as caught:
        refuse_unsafe_production(Settings.model_validate({"APP_ENV": "production"}))
    assert [problem.field for problem in caught.value.details] == ["ADMIN_TOKEN", "APP_ENC_KEY", "DATABASE_URL"]
