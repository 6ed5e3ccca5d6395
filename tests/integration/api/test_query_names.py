"""A query parameter that a route doesn't have is refused by every route, with the nearest name."""

import re

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from api.app import ROUTERS
from tests.factories.api import Api

SOME_ID = "019a0000-0000-7000-8000-000000000000"


def routes() -> list[tuple[str, str]]:
    """Return each route's method and path, an id in the place of its parameters."""
    return [
        (method, re.sub(r"\{[^}]+\}", SOME_ID, route.path))
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


def test_every_route_refuses_an_unknown_parameter_before_the_database_is_used(unreachable: Api) -> None:
    found = routes()
    assert len([method for method, _path in found if method == "GET"]) > 18
    assert ("GET", "/api/openapi.json") in found
    for method, path in found:
        response = unreachable.call(method, path, params={"nosuch": "1"})
        assert response.status_code == 422, path
        body = response.json()
        assert body["error_code"] == "VALIDATION_FAILED", path
        assert body["message"] == "Unknown query parameter nosuch.", path
        assert [problem["field"] for problem in body["details"]] == ["nosuch"], path


def test_no_route_is_outside_of_the_routers(api: Api) -> None:
    """FastAPI's own, such as the one of its document, would ignore the parameter."""
    assert [route for route in api.app.routes if isinstance(route, Route)] == []
    assert [route for router in ROUTERS for route in router.routes if not isinstance(route, APIRoute)] == []


@pytest.mark.parametrize(
    ("path", "name", "nearest"),
    [
        ("/api/bots", "stgae", "stage"),
        ("/api/bots", "Symbol", "symbol"),
        ("/api/bots", "limits", "limit"),
        ("/api/activity", "botId", "bot_id"),
        (f"/api/bots/{SOME_ID}/trades", "session", "session_id"),
    ],
)
def test_the_nearest_name_is_suggested(unreachable: Api, path: str, name: str, nearest: str) -> None:
    body = unreachable.get(path, params={name: "1"}).json()
    assert body["message"] == f"Unknown query parameter {name}. Did you mean {nearest}?"
    assert body["suggested_fix"].startswith("This route takes ")
    assert nearest in body["suggested_fix"]


def test_each_unknown_parameter_is_named(unreachable: Api) -> None:
    body = unreachable.get("/api/bots", params={"limit": "1", "stgae": "LAB", "lmit": "2"}).json()
    assert [problem["message"] for problem in body["details"]] == [
        "Unknown query parameter stgae. Did you mean stage?",
        "Unknown query parameter lmit. Did you mean limit?",
    ]


def test_a_route_without_parameters_explains_that_it_has_none(unreachable: Api) -> None:
    assert unreachable.get("/api/healthz?verbose=1").json()["suggested_fix"] == "This route takes no query parameters."


@pytest.mark.parametrize(
    ("path", "name"), [("/api/bots", "stage"), ("/api/bots-overview", "sort"), ("/api/bars", "symbol")]
)
def test_a_parameter_that_is_given_twice_is_refused(unreachable: Api, path: str, name: str) -> None:
    response = unreachable.get(f"{path}?limit=5&{name}=a&{name}=b")
    body = response.json()
    assert (response.status_code, body["error_code"]) == (422, "VALIDATION_FAILED")
    assert body["message"] == f"{name} is given 2 times."
    assert [problem["field"] for problem in body["details"]] == [name]
