"""One list of the vendor's, page by page: what its client is given in place of a pool of connections.

Every page is one call through the gate, examined inside it. The client follows `next_url` to wherever it says on its
own host and as long as it says so; here it must stay on the vendor's hosts and on the list's path, go on to a page
not yet seen, and come to an end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from integrations.http.gate import ProviderGate, Reply, Request
from integrations.polygon.errors import HIDDEN, bad_response, refusal
from integrations.polygon.parse import read_page

MOST_PAGES: Final = 200
OWN_HOSTS: Final = frozenset(("api.massive.com", "api.polygon.io"))  # one vendor, before and after its new name
_OK: Final = 200
_KEY_PARAMETER: Final = "apikey"  # the key travels in a header; a page's next_url may bring it back

_Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor's client reads of an answer."""

    status: int
    data: bytes
    headers: Mapping[str, str]


@dataclass(slots=True, repr=False)
class ContractListing:
    """action: of the usage rows. base: URL without a path that ends in a slash. most_rows: over all pages.

    check: raises PROVIDER_BAD_RESPONSE for rows that are not of the shape promised. bodies: of the pages so far, the
    refused one too, each on one line and without the key. page_refused: whether the last one was.
    """

    gate: ProviderGate
    key: str
    base: str
    action: str
    check: Callable[[_Rows], None]
    most_rows: int
    bodies: list[bytes] = field(default_factory=list)
    rows: int = 0
    page_refused: bool = False
    _asked: set[tuple[str, frozenset[tuple[str, str]]]] = field(default_factory=set)

    def request(
        self,
        method: str,
        url: str,
        fields: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Fetch one page.

        Raises:
            GantryError: what the gate and `refusal` raise, and PROVIDER_BAD_RESPONSE for a page that can't be right.

        """
        path, query = _path_and_query(url)
        query += [(name, str(value)) for name, value in (fields or {}).items()]
        self._asked.add((path, frozenset(query)))
        request = Request(method, url.partition("?")[0], headers or {}, query=query)
        reply = self.gate.call(request, action=self.action, examine=lambda reply: self._examine(reply, path))
        return Answer(reply.status, reply.body, reply.headers)

    def _examine(self, reply: Reply, path: str) -> None:
        if reply.status != _OK:
            raise refusal(reply.status, reply.body, key=self.key)
        self.bodies.append(self._line(reply.body))
        self.page_refused = True
        page = read_page(reply.body)
        self.check(page["results"])
        self.rows += len(page["results"])
        if self.rows > self.most_rows:
            raise bad_response(f"more than {self.most_rows} results for one list")
        if "next_url" in page:
            self._check_next(page["next_url"], path)
        self.page_refused = False

    def _check_next(self, url: object, path: str) -> None:
        if len(self._asked) >= MOST_PAGES:
            raise bad_response(f"more than {MOST_PAGES} pages for one list")
        if not isinstance(url, str) or not self._ours(url, path):
            raise bad_response("a next page on another host or path")
        _, query = _path_and_query(url)
        if (path, frozenset(query)) in self._asked:
            raise bad_response("a next page that it already sent")

    def _ours(self, url: str, path: str) -> bool:
        base = urlsplit(self.base)
        try:
            found = urlsplit(url)
        except ValueError:
            return False
        ours = found.netloc == base.netloc or found.netloc in OWN_HOSTS
        return found.scheme in {"http", "https"} and ours and base.path + found.path == path

    def _line(self, body: bytes) -> bytes:
        """Return the page on one line: within JSON's strings no line breaks can be."""
        return body.replace(self.key.encode(), HIDDEN.encode()).replace(b"\r", b" ").replace(b"\n", b" ")


def _path_and_query(url: str) -> tuple[str, list[tuple[str, str]]]:
    found = urlsplit(url)
    pairs = parse_qsl(found.query, keep_blank_values=True)
    return found.path, [(name, value) for name, value in pairs if name.lower() != _KEY_PARAMETER]
