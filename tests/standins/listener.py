"""A listening socket on 127.0.0.1, a thread for each connection, that can go dark and come back on the same port."""

import contextlib
import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Final

_QUEUE: Final = 128
_FILLERS: Final = 3  # a queue of length 0 holds one connection; one more makes sure
_PATIENCE: Final = 100
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Listener:
    """serve: handles one connection, plain or TLS, until it is done with it. `broken` holds what serve raised."""

    def __init__(self, serve: Callable[[socket.socket], None], tls: ssl.SSLContext | None) -> None:
        self._serve, self._tls = serve, tls
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=_QUEUE)
        self._listening.setblocking(False)
        self.port: int = self._listening.getsockname()[1]
        self.broken: list[BaseException] = []
        self.stopping = threading.Event()
        self._light = threading.Event()
        self._light.set()
        self._wake, self._woken = socket.socketpair()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._fillers: list[socket.socket] = []
        self._loop = threading.Thread(target=self._accept, name=f"stand-in-{self.port}", daemon=True)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        """Close every connection and wait for their threads."""
        self.stopping.set()
        self.lighten()
        self._wake.send(b"x")
        self._loop.join()
        for _ in range(_PATIENCE):  # a connection may just have been changing from plain to TLS
            self.drop_all()
            for thread in self._threads:
                thread.join(timeout=0.1)
            if not any(thread.is_alive() for thread in self._threads):
                break
        for one in (self._listening, self._wake, self._woken):
            one.close()

    def darken(self) -> None:
        """Accept nothing any more: connections hang while they are made, those that are open end."""
        if not self._light.is_set():
            return
        self._light.clear()
        self._wake.send(b"x")
        self._listening.listen(0)
        for _ in range(_FILLERS):
            filler = socket.socket()
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(("127.0.0.1", self.port))
            self._fillers.append(filler)
        self.drop_all()

    def lighten(self) -> None:
        """Accept connections again."""
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        self._listening.listen(_QUEUE)
        self._light.set()

    def drop_all(self) -> None:
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._listening, selectors.EVENT_READ)
            ready.register(self._woken, selectors.EVENT_READ)
            while not self.stopping.is_set():
                self._light.wait()
                found = [key.fileobj for key, _ in ready.select()]
                if self._woken in found:
                    self._woken.recv(16)
                elif self._light.is_set():
                    self._take()

    def _take(self) -> None:
        with contextlib.suppress(OSError):  # it may be gone by now
            connection, _ = self._listening.accept()
            thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
            with self._lock:
                self._open.add(connection)
                self._threads = [*(one for one in self._threads if one.is_alive()), thread]
            thread.start()

    def _run(self, plain: socket.socket) -> None:
        connection = plain
        plain.setblocking(True)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
                with self._lock:  # wrapping takes the plain socket's descriptor over
                    self._open.discard(plain)
                    self._open.add(connection)
                connection.do_handshake()
            self._serve(connection)
        except OSError:
            pass  # the client went, or we did: a fault often is about just that
        except BaseException as error:  # noqa: BLE001 - raised when the stand-in is left, in the test's own thread
            self.broken.append(error)
        finally:
            with self._lock:
                self._open.discard(plain)
                self._open.discard(connection)
            connection.close()


def reset(connection: socket.socket) -> None:
    """Have the connection end with a reset when it is closed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
