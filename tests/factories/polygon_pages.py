"""A server of whatever pages a test writes, for answers that no vendor should give."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

Query = dict[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came. target: path and query."""

    target: str
    path: str
    query: Query
    authorization: str


@dataclass(slots=True)
class Pages:
    """url: where they are served. asked: every request, in order."""

    url: str
    asked: list[Asked] = field(default_factory=list)


Answering = Callable[[str, Asked], tuple[int, bytes]]


@contextmanager
def served(answering: Answering) -> Iterator[Pages]:
    """Serve on a free port of the loopback. answering: from (own URL, request) to status and body."""
    pages = Pages("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = urlsplit(self.path)
            asked = Asked(self.path, target.path, dict(parse_qsl(target.query)), self.headers["Authorization"])
            pages.asked.append(asked)
            status, body = answering(pages.url, asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        pages.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield pages
        finally:
            server.shutdown()
            thread.join()


def page(results: object, **more: object) -> tuple[int, bytes]:
    """Return a page as the vendor writes it."""
    return 200, json.dumps({"status": "OK", "request_id": "r", "results": results, **more}, indent=1).encode()
