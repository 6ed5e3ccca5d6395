"""HTTP/1.1 on one connection of a stand-in: requests read one after another, answers sent as scripted.

Python's own parser of requests is used; what goes out is written here byte by byte, as half of the faults are there.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from tests.standins.calls import Answer, Asked, Delivery
from tests.standins.listener import reset

_CHUNK: Final = 1 << 16
_REASONS: Final = {int(status): words[0] for status, words in BaseHTTPRequestHandler.responses.items()}


class Wire(BaseHTTPRequestHandler):
    """Serves a connection on being made, until the client is done with it. drip_s: asked before each byte."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(
        self,
        connection: socket.socket,
        answer: Callable[[Asked], Answer],
        drip_s: Callable[[], float],
        stopping: threading.Event,
    ) -> None:
        self._answer, self._drip_s, self._stopping = answer, drip_s, stopping
        super().__init__(connection, ("127.0.0.1", 0), None)  # type: ignore[arg-type]  # the server isn't used

    def do_GET(self) -> None:
        self._say(self._answer(self._asked(b"")))

    def do_POST(self) -> None:
        self._say(self._answer(self._asked(self.rfile.read(int(self.headers.get("Content-Length", 0))))))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - Python's name
        """Keep quiet."""

    def _asked(self, body: bytes) -> Asked:
        url = urlsplit(self.path)
        pairs = [*parse_qsl(url.query), *parse_qsl(body.decode())]
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Asked(self.command, url.path, dict(pairs), headers)

    def _say(self, answer: Answer) -> None:
        match answer.delivery:
            case Delivery.SILENT:
                with contextlib.suppress(OSError):
                    self.connection.recv(1)  # the client's going, or our own
                self.close_connection = True
            case Delivery.RESET:
                reset(self.connection)
                self.close_connection = True
            case Delivery.CUT:
                self._send([_head(answer), b"".join(_body(answer))[: max(1, len(answer.body) // 2)]])
                self.close_connection = True
            case Delivery.DRIP_HEAD:
                self._drip(_head(answer) + b"".join(_body(answer)))
            case Delivery.DRIP_BODY:
                self._send([_head(answer)])
                self._drip(b"".join(_body(answer)))
            case Delivery.WHOLE:
                self._send([_head(answer), *_body(answer)])

    def _send(self, parts: Iterable[bytes]) -> None:
        for part in parts:
            self.connection.sendall(part)

    def _drip(self, content: bytes) -> None:
        for number in range(len(content)):
            self.connection.sendall(content[number : number + 1])
            if self._stopping.wait(self._drip_s()):
                break
        self.close_connection = True


def _head(answer: Answer) -> bytes:
    length = {"Transfer-Encoding": "chunked"} if answer.chunked else {"Content-Length": str(len(answer.body))}
    headers = {"Server": "stand-in", "Content-Type": answer.content_type, **length, **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _body(answer: Answer) -> Iterable[bytes]:
    if not answer.chunked:
        return [answer.body]
    chunks = [answer.body[at : at + _CHUNK] for at in range(0, len(answer.body), _CHUNK)]
    return [*(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks), b"0\r\n\r\n"]
