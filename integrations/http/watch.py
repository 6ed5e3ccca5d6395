"""A watch over one attempt: when its time is up, the socket it uses is shut, whatever it is waiting for.

A socket's own time-out starts anew with every byte, so a server that sends one byte a second would hold a call for
hours.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Watch:
    """Shuts the held socket `limit_s` seconds after its making, unless it was ended before. Use with `watching`."""

    def __init__(self, limit_s: float) -> None:
        self._lock = threading.Lock()
        self._held: socket.socket | None = None
        self._ends_at = time.monotonic() + limit_s
        self._fired = False
        self._timer = threading.Timer(limit_s, self._fire)
        self._timer.daemon = True
        self._timer.start()

    @property
    def fired(self) -> bool:
        """Whether the time was up before the end; what was read since is not to be trusted."""
        return self._fired

    def left_s(self) -> float:
        """Seconds until the time is up, zero or more."""
        return max(0.0, self._ends_at - time.monotonic())

    def hold(self, sock: socket.socket) -> None:
        """Watch this socket, in place of the one before."""
        # A duplicate, as TLS takes the descriptor away from the socket it wraps, and http.client closes its own while
        # the body is still being read. Shutting a duplicate shuts the connection.
        mine = socket.socket(fileno=os.dup(sock.fileno()))
        with self._lock:
            before, self._held = self._held, mine
            if self._fired:
                _shut(mine)
        if before is not None:
            before.close()

    def end(self) -> None:
        """Stop watching; `fired` no longer changes."""
        self._timer.cancel()
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            held.close()

    def _fire(self) -> None:
        with self._lock:
            if self._timer.finished.is_set():
                return
            self._fired = True
            if self._held is not None:
                _shut(self._held)


_current: ContextVar[Watch | None] = ContextVar("gantry_http_watch", default=None)


def hold_if_watched(sock: socket.socket) -> None:
    """Put a socket under the watch of this context, where there is one."""
    watch = _current.get()
    if watch is not None:
        watch.hold(sock)


@contextmanager
def watching(limit_s: float) -> Iterator[Watch]:
    """Run a block in which the sockets of `connections` are shut `limit_s` seconds from now."""
    watch = Watch(limit_s)
    token = _current.set(watch)
    try:
        yield watch
    finally:
        _current.reset(token)
        watch.end()


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was quicker
        sock.shutdown(socket.SHUT_RDWR)
