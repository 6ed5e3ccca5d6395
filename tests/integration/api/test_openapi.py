"""The document that describes the API is whole."""

from tests.factories.api import Api


def test_no_route_is_undocumented_and_every_failure_has_the_error_schema(api: Api) -> None:
    document = api.get("/api/openapi.json").json()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                schema = answer["content"]["application/json"]["schema"]
                if int(status) >= 400:
                    assert schema["$ref"].endswith(("/ErrorBody", "/JobConflict", "/PromotionRefused")), (
                        path,
                        method,
                        status,
                    )
