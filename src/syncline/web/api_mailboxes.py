"""API: profiles and mailboxes."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from syncline.core.appointment import Identity
from syncline.desk import mailboxes, profiles, syncing
from syncline.desk.objects import LinkObject, Listing, MailboxObject, ProfileObject, SyncReport
from syncline.web.asking import Asker, Paged, Parts, answered, number_key, page
from syncline.web.problems import problem

router = APIRouter(tags=["mailboxes"])


class NewMailbox(BaseModel):
    """What is given to add a mailbox."""

    model_config = ConfigDict(extra="forbid")

    address: str
    profile: str
    user: str
    track: Literal["category", "all"] = "category"
    time_zone: str | None = None
    password: str | None = None
    on_scheduling_conflict: Literal["ask", "save_anyway", "keep_out"] | None = None


class Tracked(BaseModel):
    """Which item is tracked: its iCalendar UID, and the original start of a lone occurrence."""

    model_config = ConfigDict(extra="forbid")

    global_object_id: Annotated[str, Field(min_length=1, max_length=1000)]
    original_start: AwareDatetime | None = None


class NewProfile(BaseModel):
    """What is given to add a profile."""

    model_config = ConfigDict(extra="forbid")

    name: str
    url: str
    username: str
    password: str | None = None
    type: Literal["exchange"] = "exchange"
    auth: Literal["negotiate", "ntlm", "basic"] = "negotiate"
    ca_file: str | None = None
    access: Literal["impersonation", "delegate", "own"] | None = None
    read_only: bool = False
    allow_http: bool = False


class Trial(BaseModel):
    """How a mailbox is tested: `take_over` syncs its items from this installation only (System Administrators)."""

    model_config = ConfigDict(extra="forbid")

    take_over: bool = False


class Password(BaseModel):
    """A password on its way in."""

    model_config = ConfigDict(extra="forbid")

    password: Annotated[str, Field(min_length=1, max_length=1024)]


@router.get("/mailboxes", response_model=Listing, summary="List mailboxes")
def list_mailboxes(app: Parts, viewer: Asker, window: Paged) -> Response:
    """Return the mailboxes that the viewer may see."""
    found = sorted(mailboxes.listing(app, viewer), key=number_key)
    return answered(page(found, window, number_key))


@router.post("/mailboxes", response_model=MailboxObject, status_code=201, summary="Add a mailbox")
def add_mailbox(app: Parts, viewer: Asker, body: NewMailbox) -> Response:
    """Add a mailbox; it then needs approval and a test."""
    return answered(mailboxes.add(app, viewer, mailboxes.NewMailbox(**body.model_dump())), 201)


@router.get("/mailboxes/{key}", response_model=MailboxObject, summary="Show a mailbox")
def show_mailbox(app: Parts, viewer: Asker, key: str) -> Response:
    """Return a mailbox by id or address."""
    return answered(mailboxes.show(app, viewer, key))


@router.post("/mailboxes/{key}/approve", response_model=MailboxObject, summary="Approve the address")
def approve(app: Parts, viewer: Asker, key: str) -> Response:
    """Approve the address of a mailbox."""
    return answered(mailboxes.approve(app, viewer, key))


@router.post("/mailboxes/{key}/test", response_model=MailboxObject, summary="Test and enable")
def test(app: Parts, viewer: Asker, key: str, body: Trial | None = None) -> Response:
    """Test a mailbox and enable it on success; a failure is a problem with the mailbox in its member `mailbox`."""
    tested = mailboxes.test(app, viewer, key, take_over=body is not None and body.take_over)
    return answered(tested.mailbox) if tested.error is None else problem(tested.error, mailbox=tested.mailbox)


@router.post("/mailboxes/{key}/enable", response_model=MailboxObject, summary="Enable")
def enable(app: Parts, viewer: Asker, key: str) -> Response:
    """Enable a mailbox that was tested before."""
    return answered(mailboxes.enable(app, viewer, key))


@router.post("/mailboxes/{key}/disable", response_model=MailboxObject, summary="Disable")
def disable(app: Parts, viewer: Asker, key: str) -> Response:
    """Stop synchronizing a mailbox."""
    return answered(mailboxes.disable(app, viewer, key))


@router.post("/mailboxes/{key}/password", status_code=204, summary="Set the mailbox's own password")
def set_mailbox_password(app: Parts, viewer: Asker, key: str, body: Password) -> Response:
    """Store a mailbox's own password; test it afterwards."""
    mailboxes.set_password(app, viewer, key, body.password)
    return Response(status_code=204)


@router.delete("/mailboxes/{key}", status_code=204, summary="Remove")
def remove(app: Parts, viewer: Asker, key: str) -> Response:
    """Remove a mailbox from Syncline; nothing is deleted in Exchange or in the CRM."""
    mailboxes.remove(app, viewer, key)
    return Response(status_code=204)


@router.post("/mailboxes/{key}/sync", response_model=SyncReport, status_code=202, summary="Synchronize now")
def sync(
    app: Parts,
    viewer: Asker,
    key: str,
    wait: Annotated[bool, Query(description="Answer when it is done.")] = False,
) -> Response:
    """Make a mailbox due now (202 with the mailbox); with `wait` run it and return the report (200)."""
    if wait:
        return answered(syncing.sync(app, viewer, [key]))
    return answered(syncing.wake(app, viewer, key), 202)


@router.post("/mailboxes/{key}/track", response_model=LinkObject, summary="Track one item now")
def track(app: Parts, viewer: Asker, key: str, body: Tracked) -> Response:
    """Save an item of the mailbox's calendar in the CRM now, without the check for scheduling conflicts."""
    return answered(syncing.track(app, viewer, key, Identity(body.global_object_id, body.original_start)))


@router.post("/mailboxes/{key}/untrack", status_code=204, summary="Untrack one item")
def untrack(app: Parts, viewer: Asker, key: str, body: Tracked) -> Response:
    """Cut the link of an item that was tracked by `track`; its appointment stays in the CRM."""
    syncing.untrack(app, viewer, key, Identity(body.global_object_id, body.original_start))
    return Response(status_code=204)


@router.get("/profiles", response_model=Listing, tags=["profiles"], summary="List profiles")
def list_profiles(app: Parts, viewer: Asker, window: Paged) -> Response:
    """Return the email server profiles."""
    return answered(page(sorted(profiles.listing(app, viewer), key=number_key), window, number_key))


@router.post("/profiles", response_model=ProfileObject, status_code=201, tags=["profiles"], summary="Add a profile")
def add_profile(app: Parts, viewer: Asker, body: NewProfile) -> Response:
    """Add an email server profile."""
    return answered(profiles.add(app, viewer, profiles.NewProfile(**body.model_dump())), 201)


@router.post("/profiles/{name}/test", tags=["profiles"], summary="Test a profile")
def test_profile(app: Parts, viewer: Asker, name: str) -> Response:
    """Try a profile with one of its mailboxes; returns the steps done."""
    return answered({"steps": profiles.test(app, viewer, name)})


@router.post("/profiles/{name}/password", status_code=204, tags=["profiles"], summary="Set another password")
def set_profile_password(app: Parts, viewer: Asker, name: str, body: Password) -> Response:
    """Store another password for a profile; test its mailboxes afterwards."""
    profiles.set_password(app, viewer, name, body.password)
    return Response(status_code=204)
