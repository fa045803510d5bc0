"""Mailboxes and profiles at the desk: from adding to removal, and who may do what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from syncline.desk import mailboxes, profiles, syncing
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from syncline.ports import Mailbox
from tests.desk.office import DOMAIN, Office, at

NEW = mailboxes.NewMailbox(address="Ines@FjordBikes.example", profile="exchange", user="ines", time_zone="UTC")


def test_a_mailbox_goes_from_approval_to_enabled(office: Office) -> None:
    """Added, it needs approval; approved, a test; tested, it is ready and due."""
    office.exchange.add_mailbox(f"ines@{DOMAIN}", "Ines")
    added = mailboxes.add(office.app, OPERATOR, NEW)
    too_early = mailboxes.test(office.app, OPERATOR, str(added.id))
    approved = mailboxes.approve(office.app, office.viewer("ines"), added.address)
    tested = mailboxes.test(office.app, OPERATOR, added.address)

    assert (added.address, added.approval, added.state, added.enabled) == (
        f"ines@{DOMAIN}",
        "pending",
        "needs_approval",
        False,
    )
    assert too_early.error is not None
    assert too_early.error.code == "MailboxNotApproved"
    assert (approved.approval, approved.state) == ("approved", "disabled")
    assert tested.error is None
    assert (tested.mailbox.test, tested.mailbox.state, tested.mailbox.enabled) == ("success", "ready", True)
    assert tested.mailbox.next_due == office.clock.at
    assert office.app.store.mailbox(added.id).approved_by == "ines"


def test_a_failed_test_tells_its_error(office: Office) -> None:
    """The error of the step that failed stands on the mailbox, which is switched off."""
    office.refusal = SyncError("Unauthorized", mailbox=f"maya@{DOMAIN}")
    tested = mailboxes.test(office.app, OPERATOR, f"maya@{DOMAIN}")
    trouble = mailboxes.trouble(office.app, OPERATOR, f"maya@{DOMAIN}")

    assert tested.error is not None
    assert tested.error.code == "Unauthorized"
    assert (tested.mailbox.test, tested.mailbox.enabled, tested.mailbox.state) == ("failure", False, "disabled")
    assert trouble is not None
    assert trouble.code == "Unauthorized"
    assert tested.mailbox.open_alerts == 1


def test_disabled_and_enabled_again(office: Office) -> None:
    """A tested mailbox can be switched off and on by its own person."""
    maya = office.viewer("maya")

    assert mailboxes.disable(office.app, maya, f"maya@{DOMAIN}").enabled is False
    assert mailboxes.enable(office.app, maya, f"maya@{DOMAIN}").enabled is True


def test_a_user_sees_his_own_mailbox_only(office: Office) -> None:
    """Another person's mailbox does not exist for a User."""
    maya = office.viewer("maya")

    assert [mailbox.address for mailbox in mailboxes.listing(office.app, maya)] == [f"maya@{DOMAIN}"]
    assert len(mailboxes.listing(office.app, office.viewer("ines"))) == 2
    with pytest.raises(SyncError, match="NotFoundHere"):
        mailboxes.show(office.app, maya, f"jonas@{DOMAIN}")


@pytest.mark.parametrize(
    "act",
    [
        lambda office, maya: mailboxes.add(office.app, maya, NEW),
        lambda office, maya: mailboxes.approve(office.app, maya, f"maya@{DOMAIN}"),
        lambda office, maya: mailboxes.reject(office.app, maya, f"maya@{DOMAIN}"),
        lambda office, maya: mailboxes.remove(office.app, maya, f"maya@{DOMAIN}"),
        lambda office, maya: mailboxes.change(office.app, maya, f"maya@{DOMAIN}", track="all"),
        lambda office, maya: mailboxes.test(office.app, maya, f"maya@{DOMAIN}", take_over=True),
        lambda office, maya: profiles.listing(office.app, maya),
        lambda office, maya: profiles.test(office.app, maya, "exchange"),
        lambda office, maya: profiles.set_password(office.app, maya, "exchange", "x"),
        lambda office, maya: syncing.sync(office.app, maya, [], dry_run=True),
    ],
)
def test_a_user_may_not_administer(office: Office, act: Callable[..., object]) -> None:
    """Everything but his own mailbox's switch is a System Administrator's."""
    with pytest.raises(SyncError, match="NotAllowed"):
        act(office, office.viewer("maya"))


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (replace(NEW, address="nonsense"), "InvalidRequest"),
        (replace(NEW, user="nobody"), "NotFoundHere"),
        (replace(NEW, profile="nothing"), "NotFoundHere"),
        (replace(NEW, track="some"), "InvalidRequest"),
        (replace(NEW, time_zone="Mars/Base"), "InvalidRequest"),
        (replace(NEW, on_scheduling_conflict="shrug"), "InvalidRequest"),
        (replace(NEW, address=f"maya@{DOMAIN}"), "AlreadyExists"),
    ],
)
def test_a_mailbox_that_cannot_be(office: Office, new: mailboxes.NewMailbox, code: str) -> None:
    """What is wrong with a new mailbox is said by its code."""
    with pytest.raises(SyncError) as refused:
        mailboxes.add(office.app, OPERATOR, new)

    assert refused.value.code == code


def test_a_removed_mailbox_leaves_the_calendar_alone(office: Office) -> None:
    """Its rows stay in the CRM."""
    office.in_outlook("Lunch", at(12))
    office.sync()
    mailboxes.remove(office.app, OPERATOR, f"maya@{DOMAIN}")

    assert [mailbox.address for mailbox in mailboxes.listing(office.app, OPERATOR)] == [f"jonas@{DOMAIN}"]
    assert len(office.app.crm.listing().items) == 1


def test_settings_of_a_mailbox_are_changed(office: Office) -> None:
    """Track, zone and the rule for conflicts can be changed, nothing else."""
    address = f"maya@{DOMAIN}"
    mailboxes.change(office.app, OPERATOR, address, track="category", time_zone="Europe/Copenhagen")
    mailboxes.change(office.app, OPERATOR, address, on_scheduling_conflict="keep_out")
    stored = office.mailbox("maya")

    assert (stored.track.value, stored.time_zone, stored.on_scheduling_conflict) == (
        "category",
        "Europe/Copenhagen",
        "keep_out",
    )
    with pytest.raises(SyncError, match="InvalidRequest"):
        mailboxes.change(office.app, OPERATOR, address, address="other@example.org")


def test_a_rejected_address_stops(office: Office) -> None:
    """Rejecting switches a mailbox off."""
    rejected = mailboxes.reject(office.app, OPERATOR, f"maya@{DOMAIN}")

    assert (rejected.state, rejected.enabled, rejected.next_due) == ("rejected", False, None)


def test_a_profile_never_tells_its_password(office: Office) -> None:
    """The password goes in and does not come out, not even by accident of printing."""
    new = profiles.NewProfile(name="x", url="https://x.example/EWS/Exchange.asmx", username="u", password="hush-hush")
    stored = profiles.add(office.app, OPERATOR, new)

    assert "hush-hush" not in repr(new)
    assert "hush-hush" not in repr(stored)
    store = office.app.store
    number = store.add_mailbox(Mailbox(address="x@x.example", user="ines", profile_id=stored.id)).id
    assert store.password(number) == "hush-hush"
    profiles.set_password(office.app, OPERATOR, "x", "other")
    assert store.password(number) == "other"


def test_a_profile_is_tested_by_one_of_its_mailboxes(office: Office) -> None:
    """The steps done are told; without a mailbox there is nothing to try."""
    profiles.add(office.app, OPERATOR, profiles.NewProfile(name="x", url="https://x.example/", username="u"))

    assert profiles.test(office.app, OPERATOR, "exchange")
    with pytest.raises(SyncError, match="InvalidRequest"):
        profiles.test(office.app, OPERATOR, "x")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": " "}, "InvalidRequest"),
        ({"name": "exchange"}, "AlreadyExists"),
        ({"username": ""}, "InvalidRequest"),
        ({"url": "ftp://x.example/"}, "InvalidRequest"),
        ({"url": "https://[x"}, "InvalidRequest"),
        ({"url": "https://user:secret@x.example/"}, "InvalidRequest"),
        ({"url": "http://x.example/"}, "HttpRefused"),
        ({"auth": "digest"}, "InvalidRequest"),
        ({"ca_file": "/nothing/here.pem"}, "InvalidRequest"),
    ],
)
def test_a_profile_that_cannot_be(office: Office, fields: dict[str, str], code: str) -> None:
    """What is wrong with a new profile is said by its code."""
    good = {"name": "new", "url": "https://x.example/EWS/Exchange.asmx", "username": "u"}
    with pytest.raises(SyncError) as refused:
        profiles.add(office.app, OPERATOR, profiles.NewProfile(**{**good, **fields}))  # type: ignore[arg-type]

    assert refused.value.code == code


@pytest.mark.parametrize("url", ["http://127.0.0.1:8081/", "http://localhost/", "http://[::1]:80/"])
def test_http_is_allowed_on_loopback(office: Office, url: str) -> None:
    """An unencrypted address is accepted where nobody can listen, elsewhere only when allowed."""
    profiles.add(office.app, OPERATOR, profiles.NewProfile(name="a", url=url, username="u"))
    elsewhere = profiles.NewProfile(name="b", url="http://x.example/", username="u", allow_http=True)

    assert profiles.add(office.app, OPERATOR, elsewhere).allow_http is True
