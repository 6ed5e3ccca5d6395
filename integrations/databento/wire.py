"""The vendor's own client with every attempt sent through the gate in place of `requests`.

Its URLs, forms, validation and classes of errors stay. Slow to import, as the vendor's client is: import it where it
is used.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from os import PathLike
from typing import Any, Final

from databento.common.error import BentoHttpError
from databento.common.http import WARNING_HEADER_FIELD, BentoHttpAPI, check_http_error
from databento.historical.api.metadata import MetadataHttpAPI
from databento.historical.api.timeseries import TimeseriesHttpAPI
from requests import Response
from requests.structures import CaseInsensitiveDict

from integrations.databento.errors import bad_response, refusal, words_of
from integrations.http.gate import ProviderGate, Reply, Request

PARTLY: Final = 206  # the symbol was resolved for some of the days only
_GOOD: Final = frozenset((200, PARTLY))
_UNREADABLE: Final = (AttributeError, TypeError, ValueError, RecursionError)


class _Gated(BentoHttpAPI):
    """examine: given the action and the good answer within the attempt; raises a GantryError for a bad body."""

    def __init__(self, key: str, base_url: str, gate: ProviderGate, examine: Callable[[str, bytes], None]) -> None:
        super().__init__(key=key, gateway=base_url)
        self._gate, self._examine = gate, examine

    def _get(
        self, url: str, params: Iterable[tuple[str, str | None]] | None = None, basic_auth: bool = False
    ) -> Response:
        return self._called(Request("GET", url, self._sent(basic_auth), query=_given(params or ())))

    def _post(
        self,
        url: str,
        data: Mapping[str, object | None] | None = None,
        params: Iterable[tuple[str, str | None]] | None = None,
        basic_auth: bool = False,
    ) -> Response:
        form, query = dict(_given((data or {}).items())), _given(params or ())
        return self._called(Request("POST", url, self._sent(basic_auth), form=form, query=query))

    def _stream(
        self,
        url: str,
        data: dict[str, object | None],
        basic_auth: bool,
        path: PathLike[str] | str | None = None,  # noqa: ARG002 -- the vendor's signature
    ) -> Any:
        # A response in place of its DBNStore, which would pass over a cut stream and lose the bytes as they came.
        return self._post(url, data, basic_auth=basic_auth)

    def _sent(self, basic_auth: bool) -> dict[str, str]:
        if not basic_auth:
            return dict(self._headers)
        return {**self._headers, "authorization": f"Basic {base64.b64encode(f'{self._key}:'.encode()).decode()}"}

    def _called(self, request: Request) -> Response:
        action = request.url.rpartition("/")[2]
        reply = self._gate.call(request, action=action, examine=lambda reply: self._judge(action, request.url, reply))
        return _response(request.url, reply)

    def _judge(self, action: str, url: str, reply: Reply) -> None:
        try:
            check_http_error(_response(url, reply))
        except BentoHttpError as error:
            raise refusal(reply.status, error.json_body, key=self._key) from None
        except _UNREADABLE:  # it expects an object in every error's body
            raise refusal(reply.status, None, key=self._key) from None
        if reply.status not in _GOOD:
            raise bad_response(f"status {reply.status} in place of 200")
        self._examine(action, reply.body)


class Metadata(_Gated, MetadataHttpAPI):
    """What there is, how many records, at what cost."""


class Timeseries(_Gated, TimeseriesHttpAPI):
    """Bars; `get_range` returns the response, its content the raw zstd DBN."""


def warnings_of(response: Response, key: str) -> list[str]:
    """Return what the vendor warns of in a header, without the key: facts to be kept, rather than Python's warnings."""
    try:
        found = json.loads(response.headers.get(WARNING_HEADER_FIELD) or "[]")
    except (ValueError, RecursionError):
        return []
    return [words_of(one, key) for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _given(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in pairs if value is not None]


def _response(url: str, reply: Reply) -> Response:
    response = Response()
    response.url, response.status_code, response.raw = url, reply.status, BytesIO(reply.body)
    response.headers = CaseInsensitiveDict(reply.headers)
    response.encoding = "utf-8"  # as JSON is; else it would be guessed
    return response
