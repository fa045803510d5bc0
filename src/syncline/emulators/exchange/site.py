"""The server without HTTP: a signed-in request's bytes in, an answer out.

Holds the parts that all requests share (store, clock, renderer, counts, armed faults) and the rules that hold for
every operation: impersonation, time zone of the request, faults. Knows status codes, no sockets.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree

from syncline.emulators.exchange.call import Call, Caller, Clock, Tally
from syncline.emulators.exchange.disturbances import SYNCS, Armed, Disturbances
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Mailbox, ZoneRef
from syncline.emulators.exchange.operations import dispatch
from syncline.emulators.exchange.shapes import Renderer
from syncline.emulators.exchange.store import Store
from syncline.emulators.exchange.wire import Envelope, T, envelope, failure, read_envelope, response, soap_fault
from syncline.emulators.exchange.wire_read import read_zone

BACK_OFF_MS = 1_000
RETRY_AFTER_S = 1
_SIDS = ("PrimarySmtpAddress", "SmtpAddress", "PrincipalName")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to send back; `drop` closes the connection instead, `delay_s` waits first."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    drop: bool = False
    delay_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Site:
    """The parts that all requests share."""

    store: Store
    clock: Clock
    zone: str = "UTC"
    renderer: Renderer = field(default_factory=Renderer)
    requests: Tally = field(default_factory=Tally)
    unsupported: Tally = field(default_factory=Tally)
    disturbances: Disturbances = field(default_factory=Disturbances)
    stopping: threading.Event = field(default_factory=threading.Event)
    observer: Callable[[bytes, bytes], None] | None = None

    def reset(self) -> None:
        """Return to the state at the start: contents, clock and faults."""
        self.store.reset()
        self.renderer.clear()
        self.disturbances.disarm()
        self.clock.reset()
        self.requests.clear()
        self.unsupported.clear()

    def answer(self, caller: Caller, data: bytes) -> Answer:
        """Answer one request of a signed-in caller."""
        try:
            request = read_envelope(data)
        except EwsError as error:
            return Answer(status=500, body=soap_fault(error))
        self.requests.count(request.operation)
        armed = self.disturbances.meet(request.operation)
        if armed is not None and armed.fault in _BEFORE:
            return _BEFORE[armed.fault]()
        answer = self._run(caller, request, armed)
        if self.observer is not None:
            self.observer(data, answer.body)
        if armed is None or armed.fault not in ("lost_answer", "slow"):
            return answer
        slow = armed.delay_s if armed.fault == "slow" else 0.0
        return Answer(status=answer.status, body=answer.body, drop=armed.fault == "lost_answer", delay_s=slow)

    def _run(self, caller: Caller, request: Envelope, armed: Armed | None) -> Answer:
        call = Call(
            store=self.store,
            clock=self.clock,
            renderer=self.renderer,
            unsupported=self.unsupported,
            caller=caller,
            mailbox=caller.mailbox,
            operation=request.operation,
            broken=int(armed is not None and armed.fault == "broken"),
            denied=armed is not None and armed.fault == "denied",
            breaks=lambda subject: self.disturbances.breaks(request.operation, subject),
        )
        try:
            call.mailbox = self._acting(caller, request)
            call.zone = _zone(request)
            if armed is not None and armed.fault == "invalid_sync_state" and request.operation in SYNCS:
                refused = failure(request.operation, EwsError("ErrorInvalidSyncStateData"))
                return Answer(status=200, body=envelope(response(request.operation, [refused])))
            return Answer(status=200, body=envelope(dispatch(call, request)))
        except EwsError as error:
            # An operation that is not supported is no failure of the server, so its fault is not sent with 500.
            return Answer(status=200 if error.code == "ErrorInvalidOperation" else 500, body=soap_fault(error))

    def _acting(self, caller: Caller, request: Envelope) -> Mailbox | None:
        """Return the mailbox that a request works in: the impersonated one, else the caller's own."""
        header = request.header.get("ExchangeImpersonation")
        if header is None:
            return caller.mailbox
        address = next((text for sid in _SIDS if (text := header.findtext(f"{T}ConnectingSID/{T}{sid}"))), "")
        mailbox = self.store.mailbox(address.strip())
        if not caller.service and (mailbox is None or caller.mailbox is None or mailbox.row != caller.mailbox.row):
            raise EwsError("ErrorImpersonateUserDenied", fault=True)
        if mailbox is None:
            raise EwsError("ErrorNonExistentMailbox", fault=True)
        return mailbox


def _zone(request: Envelope) -> ZoneRef:
    context: etree._Element | None = request.header.get("TimeZoneContext")
    found = context.find(f"{T}TimeZoneDefinition") if context is not None else None
    return read_zone(found) if found is not None else ZoneRef()


def _busy() -> Answer:
    values = (("BackOffMilliseconds", str(BACK_OFF_MS)),)
    return Answer(status=500, body=soap_fault(EwsError("ErrorServerBusy", fault=True, values=values)))


_BEFORE: dict[str, Callable[[], Answer]] = {
    "unauthorized": lambda: Answer(status=401),
    "forbidden": lambda: Answer(status=403),
    "busy": _busy,
    "unavailable": lambda: Answer(status=503, headers=(("Retry-After", str(RETRY_AFTER_S)),)),
}
