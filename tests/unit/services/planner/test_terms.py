"""What the planner goes by is what the settings say."""

from datetime import timedelta

import pytest

from core.settings import Settings
from fleet.caps import Caps
from services.jobs.terms import improve_budget_of
from services.planner.terms import caps_of, planner_terms_of
from services.supply.suppliers import suppliers_of
from trading.improve.limits import Budget

SETTINGS = {
    "MAX_BACKTESTS_RUNNING": "4",
    "MAX_IMPROVE_RUNNING": "1",
    "MAX_TOTAL_JOBS": "5",
    "MAX_RUNNING_PER_SYMBOL": "3",
    "BASELINE_MAX_AGE_HOURS": "12",
    "MIN_TRADES_FOR_IMPROVE": "40",
    "IMPROVE_CADENCE_MINUTES": "90",
    "EVOLVE_AFTER_ROUNDS": "5",
    "MAX_ATTEMPTS": "2",
    "IMPROVE_SETS": "70",
    "IMPROVE_FOLDS": "3",
    "MIN_SESSIONS_FOR_GRADING": "12",
}


def test_every_setting_of_the_planner_reaches_its_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    terms = planner_terms_of(settings)
    assert terms.caps.running == caps_of(settings) == Caps(4, 1, 5, 3)
    assert terms.caps.baseline_max_age == timedelta(hours=12)
    assert terms.caps.improve_cadence == timedelta(minutes=90)
    assert (terms.caps.min_trades_for_improve, terms.caps.evolve_after, terms.max_attempts) == (40, 5, 2)
    assert terms.suppliers == suppliers_of(settings)
    assert terms.caps.improve == improve_budget_of(settings) == Budget(sets=70, folds=3)
    assert terms.min_sessions == 12


def test_only_in_development_are_bars_that_no_vendor_sent_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert planner_terms_of(Settings()).development
    monkeypatch.setenv("APP_ENV", "production")
    assert not planner_terms_of(Settings()).development
