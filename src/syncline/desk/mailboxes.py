"""Mailboxes as people keep them: list, show, add, approve, test and enable, disable, remove.

What those words do to a mailbox is `engine.mailboxes`; who may say them is decided here. A User sees his own mailbox,
may test it and switch it off and on; everything else is a System Administrator's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from syncline.desk.alerts import hidden_codes
from syncline.desk.erring import error_of
from syncline.desk.finding import one, visible, within
from syncline.desk.objects import MailboxObject
from syncline.desk.reading import Viewer, require_administrator
from syncline.desk.typed import word, zone
from syncline.engine import mailboxes as engine
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.ports import Approval, LinkState, Mailbox, OnSchedulingConflict, TestState, Track
from syncline.store import Counts, Slice, Sliced

if TYPE_CHECKING:
    from syncline.wiring import App

NOTHING = Counts()
FEW_MAX = 200
"""Up to so many mailboxes are counted by themselves; more are counted together with all."""
STEPS = ("reached", "signed_in", "address_found", "calendar_read", "categories_read", "mark_kept")
"""The steps of a test in their order; desk and commands know them by these names."""
_FAILS_AT: Mapping[str, str] = {
    **dict.fromkeys(
        ("ServerUnreachable", "ServerTimeout", "CertificateUntrusted", "HttpRefused", "NotFound"), "reached"
    ),
    **dict.fromkeys(("ServiceUnavailable", "ServerAnswerInvalid", "ThrottledByExchange"), "reached"),
    **dict.fromkeys(("Unauthorized", "Forbidden", "ErrorImpersonateUserDenied"), "signed_in"),
    "ErrorNonExistentMailbox": "address_found",
    "CalendarUnreadable": "calendar_read",
    **dict.fromkeys(("ExchangeSyncIncorrectCrmOrgError", "OrganizationMarkNotWritable"), "mark_kept"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMailbox:
    """What somebody gives to add a mailbox; `profile` and `user` are names, `time_zone` None: the user's."""

    address: str
    profile: str
    user: str
    track: str = "category"
    time_zone: str | None = None
    password: str | None = field(default=None, repr=False)
    on_scheduling_conflict: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What a test found: the mailbox as it stands then, the steps done, and the error of the step that failed.

    `failed` is that step where the error tells which one it was.
    """

    mailbox: MailboxObject
    steps: tuple[str, ...] = ()
    failed: str = ""
    error: SyncError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a first sync is: items dealt with, of those known so far; more may be found while it is `reading`.

    `waiting` says how many of them wait for an answer.
    """

    done: int
    known: int
    waiting: int
    reading: bool
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One mailbox in a table: what stands in it, and what is wrong with it as a whole."""

    mailbox: MailboxObject
    counts: Counts
    error: SyncError | None


def listing(app: App, viewer: Viewer) -> list[MailboxObject]:
    """Return the mailboxes that the viewer may see, by address."""
    return objects(app, visible(app, viewer))


def table(app: App, viewer: Viewer, wanted: Slice) -> Sliced[Row]:
    """Return a slice of the mailboxes that the viewer may see, with what stands in each."""
    found = app.store.mailbox_slice(replace(wanted, mailbox_ids=within(app, viewer)))
    boxes = {mailbox.id: mailbox for mailbox in found.items}
    counts = app.store.counts_by_mailbox(hidden_codes(app), list(boxes))
    shown = zip(objects(app, boxes), boxes.values(), strict=True)
    rows = (Row(mailbox=each, counts=counts[box.id], error=error_of(app, box)) for each, box in shown)
    return Sliced(tuple(rows), found.total)


def states(app: App, viewer: Viewer) -> Mapping[str, int]:
    """Return how many of the mailboxes that the viewer may see are in each run state."""
    return app.store.mailbox_states(within(app, viewer))


def show(app: App, viewer: Viewer, key: str) -> MailboxObject:
    """Return one mailbox by id or address."""
    return _object(app, one(app, viewer, key))


def trouble(app: App, viewer: Viewer, key: str) -> SyncError | None:
    """Return what is wrong with a mailbox as a whole, or None."""
    return error_of(app, one(app, viewer, key))


def add(app: App, viewer: Viewer, wanted: NewMailbox) -> MailboxObject:
    """Add a mailbox; its address then needs approval (AP-05)."""
    require_administrator(viewer, noted("add mailboxes"))
    address = wanted.address.strip().lower()
    if "@" not in address or " " in address:
        raise SyncError("InvalidRequest", detail=_('"%(text)s" is not an e-mail address.', text=wanted.address))
    user = next(iter(app.crm.users(names=[wanted.user])), None)
    if user is None:
        raise SyncError("NotFoundHere", detail=f"user {wanted.user}")
    conflict = wanted.on_scheduling_conflict
    stored = app.store.add_mailbox(
        Mailbox(
            address=address,
            user=user.name,
            profile_id=app.store.profile_by_name(wanted.profile).id,
            track=word(Track, wanted.track, "track"),
            on_scheduling_conflict=None if conflict is None else word(OnSchedulingConflict, conflict, "the rule"),
            time_zone=zone(wanted.time_zone or user.time_zone),
        )
    )
    if wanted.password is not None:
        app.store.set_password("mailbox", stored.id, wanted.password)
    return _object(app, stored)


def approve(app: App, viewer: Viewer, key: str) -> MailboxObject:
    """Approve the address of a mailbox."""
    require_administrator(viewer, noted("approve mailboxes"))
    return _object(app, engine.approve(app.store, app.clock, one(app, viewer, key).id, viewer.name))


def reject(app: App, viewer: Viewer, key: str) -> MailboxObject:
    """Reject the address of a mailbox; it stops at once."""
    require_administrator(viewer, noted("reject mailboxes"))
    return _object(app, engine.reject(app.store, one(app, viewer, key).id))


def test(app: App, viewer: Viewer, key: str, *, take_over: bool = False, enable: bool = True) -> Tested:
    """Test a mailbox for real and enable it on success (or only test it).

    `take_over`: sync its items from this installation only (T-05); another one that keeps it in step then stops. That
    is a System Administrator's to say.
    """
    if take_over:
        require_administrator(viewer, noted("take mailboxes over from another installation"))
    mailbox, rules = one(app, viewer, key), app.parts.rules
    try:
        tested = engine.test_and_enable(
            app.store,
            app.connect,
            app.clock,
            mailbox.id,
            crm_name=rules.crm_name,
            writes=rules.writes,
            take_over=take_over,
            enable=enable,
        )
    except SyncError as error:
        failed = _FAILS_AT.get(error.code, "")
        done = STEPS[: STEPS.index(failed)] if failed else ()
        now = _object(app, app.store.mailbox(mailbox.id))
        return Tested(mailbox=now, steps=done, failed=failed, error=error)
    if tested.enabled:
        app.worker.wake([mailbox.id])
    return Tested(mailbox=_object(app, tested), steps=STEPS)


def progress(app: App, viewer: Viewer, key: str) -> Progress:
    """Return how far the first sync of a mailbox is."""
    mailbox = one(app, viewer, key)
    states = app.store.link_states(mailbox.id)
    known = sum(states.values())
    done = known - states.get(LinkState.UNSETTLED, 0)
    waiting = states.get(LinkState.ASKED, 0)
    return Progress(done=done, known=known, waiting=waiting, reading=done == 0, over=mailbox.first_sync_done)


def enable(app: App, viewer: Viewer, key: str) -> MailboxObject:
    """Enable a mailbox that was tested before."""
    mailbox = engine.enable(app.store, app.clock, one(app, viewer, key).id)
    app.worker.wake([mailbox.id])
    return _object(app, mailbox)


def disable(app: App, viewer: Viewer, key: str) -> MailboxObject:
    """Stop synchronizing a mailbox; nothing is deleted."""
    return _object(app, engine.disable(app.store, one(app, viewer, key).id))


def remove(app: App, viewer: Viewer, key: str) -> None:
    """Remove a mailbox with its questions; appointments stay in Exchange and in the CRM."""
    require_administrator(viewer, noted("remove mailboxes"))
    app.store.remove_mailbox(one(app, viewer, key).id)


def change(app: App, viewer: Viewer, key: str, **values: str | None) -> MailboxObject:
    """Change how a mailbox is synchronized: `track`, `time_zone`, `on_scheduling_conflict` (None: the default)."""
    require_administrator(viewer, noted("change mailboxes"))
    parsed: dict[str, Any] = {}
    for name, value in values.items():
        if name == "on_scheduling_conflict":
            parsed[name] = None if value is None else word(OnSchedulingConflict, value, "the rule")
        elif name == "track" and value is not None:
            parsed[name] = word(Track, value, "track")
        elif name == "time_zone" and value is not None:
            parsed[name] = zone(value)
        else:
            raise SyncError("InvalidRequest", detail=f"{name} of a mailbox cannot be changed.")
    return _object(app, app.store.change_mailbox(one(app, viewer, key).id, lambda old: replace(old, **parsed)))


def set_password(app: App, viewer: Viewer, key: str, password: str) -> None:
    """Store a mailbox's own password, which then counts instead of its profile's."""
    mailbox = one(app, viewer, key)
    if not password:
        raise SyncError("InvalidRequest", detail=_("The password is empty."))
    app.store.set_password("mailbox", mailbox.id, password)


def state_of(mailbox: Mailbox) -> str:
    """Return the run state in one word (2.5)."""
    if mailbox.approval is not Approval.APPROVED:
        return "rejected" if mailbox.approval is Approval.REJECTED else "needs_approval"
    if mailbox.enabled:
        return "backoff" if mailbox.transient_failures else "ready"
    return "needs_test" if mailbox.test is TestState.NOT_RUN else "disabled"


def objects(app: App, mailboxes: Mapping[int, Mailbox]) -> list[MailboxObject]:
    """Return mailboxes as people see them."""
    profiles = {profile.id: profile.name for profile in app.store.profiles()}
    few = list(mailboxes) if len(mailboxes) <= FEW_MAX else None
    badges = app.store.counts_by_mailbox(mailbox_ids=few)
    return [
        MailboxObject(
            id=mailbox.id,
            address=mailbox.address,
            user=mailbox.user,
            profile=profiles[mailbox.profile_id],
            approval=mailbox.approval.value,
            test=mailbox.test.value,
            state=state_of(mailbox),
            enabled=mailbox.enabled,
            track=mailbox.track.value,
            next_due=mailbox.next_due if mailbox.enabled else None,
            last_sync=mailbox.last_sync,
            open_alerts=badges.get(mailbox.id, NOTHING).open_alerts,
            failures=badges.get(mailbox.id, NOTHING).failures,
        )
        for mailbox in mailboxes.values()
    ]


def _object(app: App, mailbox: Mailbox) -> MailboxObject:
    return objects(app, {mailbox.id: mailbox})[0]
