"""Small values for the tests of the store and of the engine's side of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from syncline.core.appointment import Appointment, Attendee, Identity, Span
from syncline.ports import Alert, Changes, Lease, Link, LinkState, Seen
from syncline.store import Database

KEY = bytes(range(32))
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CONFLICT = "ExchangeSyncSchedulingConflictsError"


def appointment(name: str = "a", **members: Any) -> Appointment:
    """Make an appointment of one hour with two guests."""
    guests = (Attendee("x@out.example", "X"), Attendee("y@out.example"))
    given = {"subject": name, "span": Span(NOW, NOW + timedelta(hours=1)), "attendees": guests} | members
    return Appointment(identity=Identity(f"{name}@firm"), **given)


def link(mailbox_id: int, name: str = "a", **members: Any) -> Link:
    """Make a link that was just observed."""
    given = {"revision": "r1", "observed": appointment(name), "subject": name, "first_seen": NOW} | members
    return Link(mailbox_id=mailbox_id, ref=f"ref-{name}", identity=Identity(f"{name}@firm"), **given)


def settled(mailbox_id: int, name: str = "a", **members: Any) -> Link:
    """Make a link that needs nothing."""
    given = {"revision_settled": "r1", "seen_settled": Seen.PRESENT, "state": LinkState.SETTLED} | members
    return link(mailbox_id, name, **given)


def question(mailbox_id: int, link_id: int | None, **members: Any) -> Alert:
    """Make an open question."""
    given = {"code": CONFLICT, "digest": "d1", "created": NOW, "last_seen": NOW} | members
    return Alert(mailbox_id=mailbox_id, link_id=link_id, **given)


def claimed(store: Database, mailbox_id: int, owner: str = "worker") -> Lease:
    """Claim a mailbox that must be free."""
    lease = store.claim(mailbox_id, owner, NOW, 300)
    assert lease is not None
    return lease


def asked(store: Database, lease: Lease, name: str = "a", **members: Any) -> tuple[Link, Alert]:
    """Store a link with an open question and return both."""
    waiting = settled(
        lease.mailbox_id, name, state=LinkState.ASKED, sync_error=CONFLICT, scheduling_digest="d1", **members
    )
    (link_id,) = store.write(
        lease, Changes(links=[waiting], alerts=[question(lease.mailbox_id, None)], alert_links={0: 0})
    )
    (alert,) = store.open_alerts(lease.mailbox_id, [link_id])
    return store.links_by_id([link_id])[0], alert
