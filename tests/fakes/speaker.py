"""A server on raw sockets that says exactly the bytes a test wants, when it wants."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

# Speaks on a connection; True keeps it open for the next request. The event is set when the server stops.
Answer = Callable[[socket.socket, threading.Event], bool]


def say(*parts: bytes, keep: bool = False) -> Answer:
    """Sends the bytes, then closes the connection unless it is to be kept."""

    def answer(connection: socket.socket, _stopping: threading.Event) -> bool:
        connection.sendall(b"".join(parts))
        return keep

    return answer


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """A whole answer with Content-Length; header names with _ for -."""
    lines = [f"HTTP/1.1 {code} Status", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return say("\r\n".join(lines).encode() + b"\r\n\r\n" + body, keep=True)


def drip(before: bytes, drop: bytes, every_s: float = 0.02) -> Answer:
    """Sends `before` at once, then `drop` again and again, for ever."""

    def answer(connection: socket.socket, stopping: threading.Event) -> bool:
        connection.sendall(before)
        while not stopping.wait(every_s):
            connection.sendall(drop)
        return False

    return answer


def silence(_connection: socket.socket, stopping: threading.Event) -> bool:
    """Says nothing and keeps the connection open."""
    stopping.wait()
    return False


class Speaker:
    """Gives its answers in turn, one for each request; the last one again and again. Use with `with`."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self._answers = list(answers)
        self._tls = tls
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.connections = 0

    @property
    def url(self) -> str:
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}/bars"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        with self._lock:
            for sock in [self._listener, *self._open]:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        self._listener.close()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with self._lock:
                    self._open.append(connection)
                    self.connections += 1
                self._start(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            spoken = connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)
            with self._lock:
                self._open.append(spoken)  # TLS takes the descriptor of the one it wraps
            with spoken:
                while (request := _request(spoken)) and self._next(request)(spoken, self._stopping):
                    pass

    def _next(self, request: bytes) -> Answer:
        with self._lock:
            self.requests.append(request)
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def _request(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        part = connection.recv(65536)
        if not part:
            return b""
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
