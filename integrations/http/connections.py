"""urllib3's connections with two things added: a limit on finding the host, and sockets under the attempt's watch."""

import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from integrations.http.watch import hold_if_watched

_KEPT_OPEN: Final = 64
# These write whole URLs, and some vendors take their key in the query: one each request, one headers it can't read.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)

_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class _Watched(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        limit_s = float(self.timeout or 0)
        try:
            sock = dial(self._dns_host, self.port, limit_s)
        except socket.gaierror as problem:
            raise NameResolutionError(self.host, self, problem) from problem
        except TimeoutError as problem:
            raise ConnectTimeoutError(self, f"{self.host} wasn't reached within {limit_s:g} s") from problem
        except OSError as problem:
            raise NewConnectionError(self, f"{self.host} refused: {problem}") from problem
        hold_if_watched(sock)
        sock.settimeout(limit_s)
        return sock

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # kept open by an earlier attempt, whose watch is over
            hold_if_watched(self.sock)
        super().putrequest(*args, **kwargs)


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


def make_pool(ca_file: str | None) -> PoolManager:
    """Return a thread-safe pool of watched connections. ca_file: the only trusted roots; None: the system's."""
    # Proxies named by the environment are not used.
    pool = PoolManager(maxsize=_KEPT_OPEN, ssl_context=ssl.create_default_context(cafile=ca_file))
    pool.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return pool


def dial(host: str, port: int, limit_s: float) -> socket.socket:
    """Return a TCP connection, found and made within limit_s seconds, its addresses tried in turn.

    Raises TimeoutError, socket.gaierror for an unknown name, OSError for a refusal.
    """
    ends_at = time.monotonic() + limit_s
    found = _addresses(host, port, limit_s)
    problem: OSError = OSError("no address")
    for index, (family, kind, protocol, _, address) in enumerate(found):
        share_s = (ends_at - time.monotonic()) / (len(found) - index)
        if share_s <= 0:
            raise TimeoutError
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(share_s)
            sock.connect(address)
        except OSError as failed:
            sock.close()
            problem = failed
        else:
            return sock
    raise problem


def _addresses(host: str, port: int, limit_s: float) -> Sequence[_Address]:
    # The resolver knows no time-out of ours, so it is asked in a thread that is left behind when it takes too long.
    answers: queue.SimpleQueue[Sequence[_Address] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM))
        except OSError as problem:
            answers.put(problem)
        except UnicodeError:
            answers.put(socket.gaierror(socket.EAI_NONAME, "not a host's name"))

    threading.Thread(target=ask, daemon=True, name="gantry-resolver").start()
    try:
        answer = answers.get(timeout=max(limit_s, 0.001))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer
