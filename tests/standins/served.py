"""What stand-ins of vendors have in common: a server while one is in its `with`, a record of calls, scripted faults."""

import json
import secrets
import socket
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

from tests.standins.calls import Answer, Asked, Call, Delivery, Refusal
from tests.standins.certificate import own_certificate
from tests.standins.faults import STATUS_OF, Fault, Script, Scripted
from tests.standins.hold import Hold
from tests.standins.listener import Listener
from tests.standins.wire import Wire

_DELIVERY: Final = {
    Fault.SILENCE: Delivery.SILENT,
    Fault.DRIP_HEAD: Delivery.DRIP_HEAD,
    Fault.DRIP_BODY: Delivery.DRIP_BODY,
    Fault.CUT_HTTP: Delivery.CUT,
    Fault.RESET: Delivery.RESET,
}
_NEVER_SENT: Final = frozenset((Delivery.SILENT, Delivery.RESET))
_HTML: Final = (
    b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>We will be back soon.</body></html>\n"
)
_INSTEAD: Final = {
    Fault.REDIRECT: Answer(302, b"", headers={"Location": "http://127.0.0.1:1/"}),
    Fault.HTML: Answer(200, _HTML, "text/html; charset=utf-8"),
    Fault.WRONG_JSON: Answer(200, b'{"unexpected":["shape",1]}'),
    Fault.EMPTY: Answer(200, b""),
}


class StandIn(ABC):
    """A vendor's server on a port of its own, while in its `with`.

    key: the only one it takes. ca_file: what a client must trust, with TLS. drip_s: seconds from byte to byte of a
    dripping answer.
    """

    cannot: frozenset[Fault] = frozenset()  # faults that the vendor's answers have no place for

    def __init__(self, key: str, *, tls: bool) -> None:
        self.key = key
        self.drip_s = 1.0
        self.ca_file: Path | None = None
        self._hold = Hold()
        self._calls: list[Call] = []
        self._script = Script()
        self._noted = threading.Condition()
        self._tls = tls
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        context = None
        if self._tls:
            self._folder = tempfile.TemporaryDirectory()
            context, self.ca_file = own_certificate(Path(self._folder.name))
        self._listener = Listener(self._serve_connection, context)
        self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{self._listener.port}"
        self._listener.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop; raise what went wrong in the stand-in itself, unless the test has failed already."""
        self._hold.release()
        self._listener.stop()
        if self._folder is not None:
            self._folder.cleanup()
        if self._listener.broken and kind is None:
            raise BaseExceptionGroup("The stand-in itself failed.", self._listener.broken)

    @property
    def calls(self) -> list[Call]:
        """The calls so far, each noted before its answer is sent."""
        with self._noted:
            return list(self._calls)

    def called(self, action: str) -> list[Call]:
        """Return the calls so far of one action."""
        return [call for call in self.calls if call.action == action]

    def wait_for_calls(self, calls: int, timeout_s: float = 10) -> None:
        """Return as soon as there were that many calls.

        Raises:
            TimeoutError: there never were.

        """
        with self._noted:
            if not self._noted.wait_for(lambda: len(self._calls) >= calls, timeout_s):
                raise TimeoutError(f"{len(self._calls)} calls were made, not {calls}.")

    def script(
        self,
        fault: Fault,
        times: int | None = 1,
        when: Callable[[Call], bool] = lambda _: True,
        *,
        retry_after: float | str | None = 1,
    ) -> None:
        """Make the next `times` answers that match faulty; None: all of them from now on, until `heal`.

        when: asked about a call whose status is not known yet. retry_after: of RATE_LIMITED, seconds or an HTTP date.

        Raises:
            ValueError: the vendor's answers have no place for such a fault.

        """
        if fault in self.cannot:
            raise ValueError(f"{type(self).__name__} can't do {fault.name}.")
        if fault is Fault.BLACKHOLE:
            self._listener.darken()
            return
        self._script.add(Scripted(fault, times, when, None if retry_after is None else str(retry_after)))

    def heal(self) -> None:
        """Forget what is scripted and accept connections again."""
        self._script.clear()
        self._listener.lighten()

    @property
    def still_scripted(self) -> list[Fault]:
        """What hasn't struck as often as it should have."""
        return self._script.left

    def hold(self) -> None:
        """Keep every call from now on waiting for its answer, until `release`."""
        self._hold.begin()

    def wait_until_held(self, calls: int, timeout_s: float = 10) -> None:
        """Return as soon as that many calls are waiting at once.

        Raises:
            TimeoutError: they never were.

        """
        self._hold.until(calls, timeout_s)

    def release(self) -> None:
        """Answer the calls that wait."""
        self._hold.release()

    @abstractmethod
    def describe(self, asked: Asked) -> Call:
        """Return the call that is being made, without its status."""

    @abstractmethod
    def serve(self, asked: Asked, call: Call, fault: Fault | None) -> Answer:
        """Answer well, but for a fault of bars or pages.

        Raises:
            Refusal: for what the vendor would not answer.

        """

    @abstractmethod
    def refusal(self, refusal: Refusal) -> Answer:
        """Return the vendor's own body for an error."""

    @abstractmethod
    def refusal_of(self, status: int) -> Refusal:
        """Return the vendor's usual words for a status."""

    def _serve_connection(self, connection: socket.socket) -> None:
        Wire(connection, self._answer, lambda: self.drip_s, self._listener.stopping)

    def _answer(self, asked: Asked) -> Answer:
        call = self.describe(asked)
        self._hold.wait()
        scripted = self._script.take(call)
        answer = self._made(asked, call, scripted)
        status = None if answer.delivery in _NEVER_SENT else answer.status
        with self._noted:
            self._calls.append(replace(call, status=status, fault=scripted.fault.name if scripted else None))
            self._noted.notify_all()
        return answer

    def _made(self, asked: Asked, call: Call, scripted: Scripted | None) -> Answer:
        fault = scripted.fault if scripted else None
        if scripted and fault in STATUS_OF:
            answer = self.refusal(self.refusal_of(STATUS_OF[scripted.fault]))
            if fault is Fault.RATE_LIMITED and scripted.retry_after is not None:
                answer = replace(answer, headers={**answer.headers, "Retry-After": scripted.retry_after})
            return answer
        if fault in _INSTEAD:
            return _INSTEAD[fault]
        if fault is Fault.ECHOED_KEY:
            echo = f"The key {self.key} has no rights here."
            return self.refusal(Refusal(403, self.refusal_of(403).case, echo))
        try:
            answer = self.serve(asked, call, fault)
        except Refusal as refusal:
            answer = self.refusal(refusal)
        return replace(answer, delivery=_DELIVERY[fault]) if fault in _DELIVERY else answer


def json_answer(status: int, content: Any) -> Answer:
    return Answer(status, json.dumps(content, separators=(",", ":")).encode())


def request_id() -> str:
    return secrets.token_hex(16)
