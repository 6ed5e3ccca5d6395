"""Who could supply bars, as the planner knows it: a name that changes with whatever may bring other bars."""

import pytest

from core.settings import Settings
from services.supply.suppliers import suppliers_of
from tests.factories.providers import KEYS, forget_providers


def named(**given: str) -> str:
    return suppliers_of(Settings.model_validate(given)).named


@pytest.fixture(autouse=True)
def no_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_providers(monkeypatch)


@pytest.mark.parametrize(
    ("given", "expected", "can"),
    [
        ({}, "simulator ca647dcc", True),
        ({"DATABENTO_API_KEY": "db-key"}, "databento c268cf5e", True),
        ({"POLYGON_API_KEY": "pk", "MASSIVE_API_KEY": "mk"}, "polygon f56eafc8", True),
        ({"MASSIVE_API_KEY": "mk"}, "polygon 45fbfd93", True),
        ({"GANTRY_DATA_PROVIDER": "files"}, " ca647dcc", False),
    ],
)
def test_the_name_stays_the_same_from_release_to_release(given: dict[str, str], expected: str, *, can: bool) -> None:
    # Another name makes every failure for good due again.
    found = suppliers_of(Settings.model_validate(given))
    assert (found.named, found.can) == (expected, can)


@pytest.mark.parametrize(("_ident", "variable"), KEYS)
def test_another_key_is_another_supplier_and_no_key_is_shown(_ident: str, variable: str) -> None:
    assert named(**{variable: "first-key"}) != named(**{variable: "other-key"})
    assert "first-key" not in named(**{variable: "first-key"})


def test_production_without_a_vendor_has_nobody_who_supplies_bars() -> None:
    assert not suppliers_of(Settings.model_validate({"APP_ENV": "production"})).can
