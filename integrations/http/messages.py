"""What goes out and what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Request:
    """One request; its repr shows the method alone, as any other part may hold a key.

    url: absolute, may carry a query. form: sent as application/x-www-form-urlencoded. query: added to the url's own.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    query: Sequence[tuple[str, str]] = field(default=(), repr=False)

    def target(self) -> str:
        """Return the whole url, with `query`."""
        if not self.query:
            return self.url
        return f"{self.url}{'&' if '?' in self.url else '?'}{urlencode(self.query)}"

    def sent_headers(self) -> dict[str, str]:
        """Return the headers as they are sent, lower-case; a body may come in gzip unless the caller says otherwise."""
        headers = {"accept-encoding": "gzip", "user-agent": "gantry"}
        if self.form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        return headers | {name.lower(): value for name, value in self.headers.items()}

    def sent_body(self) -> bytes | None:
        """Return the encoded form, or None without one."""
        return None if self.form is None else urlencode(self.form).encode()


@dataclass(frozen=True, slots=True)
class Reply:
    """One complete answer. headers: lower-case names. body: decoded from gzip. took_ms: of the attempt that got it."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    took_ms: int
