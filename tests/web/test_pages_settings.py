"""Email Configuration and Settings: profiles, mailboxes, users, roles and tokens as an administrator keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from syncline.desk import signing
from syncline.errors import SyncError
from tests.desk.office import PASSWORD, Office
from tests.web.visitor import Visitor, shown, visiting


@pytest.fixture
def ines(office: Office) -> Iterator[Visitor]:
    """Give Ines, who administers, at her browser."""
    with visiting(office) as visitor:
        yield visitor.sign_in("ines")


def test_a_profile_is_added_and_tested(office: Office, ines: Visitor) -> None:
    """A new profile stands in the list without its password; a test says how far it came."""
    fields = {"name": "head office", "url": "https://mail.example.org/EWS/Exchange.asmx", "username": "FIRM\\svc"}
    answer = ines.post("/email-configuration/profiles", **fields, password="very-secret", read_only="yes")
    assert answer.headers["location"] == "/email-configuration?said=added"
    text = ines.text("/email-configuration")
    assert "head office" in text and "Never (read-only)" in text and "very-secret" not in text

    assert "No mailbox uses the profile" in ines.post("/email-configuration/profiles/test", name="head office").text
    tested = shown(ines.post("/email-configuration/profiles/test", name="exchange").text)
    assert "The profile exchange works." in tested
    office.refusal = SyncError("ServerUnreachable", detail="mail.example.org")
    refused = ines.post("/email-configuration/profiles/test", name="exchange")
    assert refused.status_code == 200 and "Server not reached" in refused.text
    changed = ines.post("/email-configuration/profiles/password", name="exchange", password="another-one")
    assert changed.headers["location"] == "/email-configuration?said=changed"


def test_a_profile_that_is_not_right_comes_back_with_its_fields(ines: Visitor) -> None:
    """Plain http to another machine is refused with the reason; what was typed stays, but for the password."""
    answer = ines.post(
        "/email-configuration/profiles", name="old", url="http://mail.example.org/", username="svc", password="hidden-1"
    )

    assert answer.status_code == 422
    assert "not encrypted" in answer.text and 'value="old"' in answer.text and "hidden-1" not in answer.text


def test_a_mailbox_is_added_and_then_needs_approval(office: Office, ines: Visitor) -> None:
    """The new mailbox opens on its form, which offers Approve."""
    office.exchange.add_mailbox("ines@fjordbikes.example", "Ines")
    fields = {"address": "ines@fjordbikes.example", "profile": "exchange", "user": "ines", "track": "all"}
    answer = ines.post("/email-configuration/mailboxes", **fields)
    page = ines.text(answer.headers["location"])

    assert "Needs approval" in page and ">Approve</button>" in page and "Test and enable" not in page
    assert ines.post("/email-configuration/mailboxes", **fields).status_code == 409
    assert "is not an e-mail address" in ines.post("/email-configuration/mailboxes", **{**fields, "address": "x"}).text


def test_the_breadcrumb_of_mailboxes_leads_over_the_configuration(ines: Visitor) -> None:
    """Settings, Email Configuration, Mailboxes."""
    crumbs = re.search(r'aria-label="Breadcrumb">(.*?)</nav>', ines.text("/mailboxes"))

    assert crumbs is not None
    assert re.findall(r">([^<]+)</", crumbs[1]) == ["Settings", "Email Configuration", "Mailboxes"]


def test_a_user_is_added_with_a_password_that_is_shown_once(office: Office, ines: Visitor) -> None:
    """The made-up password signs the new user in, and is on no page loaded later."""
    fields = {"name": "tomas", "full_name": "Tomas Ruiz", "email": "tomas@fjordbikes.example", "time_zone": "UTC"}
    answer = ines.post("/settings/users", **fields, role="User")
    secret = re.search(r"<pre[^>]*>([^<]+)</pre>", answer.text)

    assert secret is not None
    assert signing.sign_in(office.app, "tomas", secret[1])[1].viewer.called == "Tomas Ruiz"
    assert secret[1] not in ines.text("/settings") and "Tomas Ruiz" in ines.text("/settings")
    assert ines.post("/settings/users", **fields, role="User").status_code == 409


def test_roles_are_given_and_the_last_administrator_stays(office: Office, ines: Visitor) -> None:
    """Maya can be made an administrator; while Ines is the only one she cannot be made a User."""
    assert ines.post("/settings/users/role", name="ines", role="User").status_code >= 400
    assert ines.post("/settings/users/role", name="maya", role="System Administrator").status_code == 303

    assert office.viewer("maya").administrator


def test_a_password_is_reset(office: Office, ines: Visitor) -> None:
    """Given or made up; one that is too short is refused."""
    assert ines.post("/settings/users/password", name="maya", password="short").status_code == 422
    assert ines.post("/settings/users/password", name="maya", password="long-enough-1").status_code == 303
    signing.sign_in(office.app, "maya", "long-enough-1")
    made_up = re.search(r"<pre[^>]*>([^<]+)</pre>", ines.post("/settings/users/password", name="maya").text)

    assert made_up is not None
    with pytest.raises(SyncError):
        signing.sign_in(office.app, "maya", PASSWORD)
    signing.sign_in(office.app, "maya", made_up[1])


def test_a_token_is_shown_once_and_can_be_revoked(office: Office, ines: Visitor) -> None:
    """A token works for programs until it is revoked."""
    made = re.search(r"<pre[^>]*>([^<]+)</pre>", ines.post("/settings/tokens", user="ines", label="reports").text)
    assert made is not None
    asked = {"authorization": f"Bearer {made[1]}"}
    ines.client.cookies.clear()
    assert ines.client.get("/api/v1/mailboxes", headers=asked).status_code == 200

    ines.sign_in("ines")
    assert "reports ines" in shown(ines.text("/settings")) and made[1] not in ines.text("/settings")
    assert ines.post("/settings/tokens", user="ines", label="").status_code == 422
    assert ines.post("/settings/tokens/revoke", user="ines", label="reports").status_code == 303
    assert ines.client.get("/api/v1/mailboxes", headers=asked).status_code == 401


def test_settings_that_decide_are_shown(ines: Visitor) -> None:
    """The scheduling conflict settings stand there with their values and meanings."""
    text = shown(ines.text("/settings"))

    assert "conflict.check_past no Occurrences that have ended are compared too" in text
    assert "sync.on_scheduling_conflict ask" in text
