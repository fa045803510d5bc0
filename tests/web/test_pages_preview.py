"""The preview of a mailbox: both directions, mails by recipient, and nothing that leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from syncline.engine.run import Rules
from syncline.errors import SyncError
from syncline.web.language import COOKIE
from tests.desk.office import DOMAIN, Office, at
from tests.web.visitor import Visitor, shown, visiting


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Return a firm in which both sides are partners and the first syncs are over."""
    firm = Office(tmp_path, rules=Rules(outgoing=True))
    firm.sync()
    return firm


@pytest.fixture
def ines(office: Office) -> Iterator[Visitor]:
    """Sign Ines in, who administers."""
    with visiting(office) as visitor:
        yield visitor.sign_in("ines")


def preview(office: Office, visitor: Visitor) -> str:
    """Return the words of the computed page."""
    path = f"/mailboxes/{office.mailbox('maya').id}/preview"
    assert "What the next sync would do" in visitor.text(path)
    return shown(visitor.post(path).text)


@pytest.mark.rule("A-06")
def test_both_directions_and_every_recipient_are_shown(office: Office, ines: Visitor) -> None:
    """Counts, appointments and the guests that would be mailed stand on the page; nothing has left."""
    office.in_crm("Quarterly review", at(10), required=("eve@elsewhere.example", "jonas"))
    office.in_outlook("Product demo", at(12))
    words = preview(office, ines)

    assert "would be saved in the CRM 1" in words
    assert "would be made in Outlook 1" in words
    assert "Exchange would send 2 mails. Nothing leaves before you sync." in words
    assert "eve@elsewhere.example 1 mail Invitation: Quarterly review" in words
    assert "A-06" in words
    assert office.exchange.outbox == []
    assert [item.appointment.subject for item in office.exchange.items(f"maya@{DOMAIN}")] == ["Product demo"]


def test_fields_are_shown_before_and_after(office: Office, ines: Visitor) -> None:
    """A change shows what stands there and what would, with times as the viewer reads them."""
    ref = office.in_outlook("Product demo", at(12))
    office.sync("maya")
    office.change(ref, location="Bern", span=at(14))
    words = preview(office, ines)

    assert "Location : nothing → Bern" in words or "Location: nothing → Bern" in words
    assert "12:00 – 13:00" in words
    assert "14:00 – 15:00" in words


def test_what_is_private_is_masked(office: Office, ines: Visitor) -> None:
    """Ines sees that something private would change, not what."""
    ref = office.in_outlook("Surgery", at(12), private=True)
    office.sync("maya")
    office.change(ref, location="Ward 7")
    words = preview(office, ines)

    assert "Private appointment" in words
    assert "private → private" in words
    assert "Surgery" not in words
    assert "Ward 7" not in words


def test_nothing_to_do_says_so(office: Office, ines: Visitor) -> None:
    """An empty plan is a sentence, not an empty table."""
    assert "the next sync would write nothing and send no mail" in preview(office, ines)


def test_a_plan_that_cannot_be_made_says_why(office: Office, ines: Visitor) -> None:
    """When the server refuses, the page says what to do and stays usable."""
    office.refusal = SyncError("Unauthorized", mailbox=f"maya@{DOMAIN}")
    words = preview(office, ines)

    assert "Sign-in refused" in words
    assert "Preview again" in words


def test_one_way_says_that_nothing_is_written(tmp_path: Path) -> None:
    """While the way out is switched off the page says so instead of being silent."""
    office = Office(tmp_path, rules=replace(Rules(), outgoing=False))
    office.in_outlook("Product demo", at(12))
    with visiting(office) as visitor:
        words = preview(office, visitor.sign_in("ines"))

    assert "Nothing is written to Exchange" in words


def test_a_profile_that_only_reads_is_the_reason(office: Office, ines: Visitor) -> None:
    """Where the setting is on and the profile only reads, the page names the profile."""
    office.only_read()
    office.in_outlook("Product demo", at(12))

    assert "Nothing is written to Exchange: the profile of this mailbox only reads." in preview(office, ines)


def test_the_general_tab_leads_there_and_users_do_not_go(office: Office, ines: Visitor) -> None:
    """The administrator finds the preview on the mailbox; a User is refused."""
    box = f"/mailboxes/{office.mailbox('maya').id}"
    assert f'href="{box}/preview"' in ines.text(box)
    with visiting(office) as visitor:
        maya = visitor.sign_in("maya")
        assert "/preview" not in maya.text(box)
        assert maya.get(f"{box}/preview").status_code == 403
        assert maya.post(f"{box}/preview").status_code == 403


def test_script_gets_the_part_alone(office: Office, ines: Visitor) -> None:
    """What the page asks for by itself is the plan without the frame."""
    path = f"/mailboxes/{office.mailbox('maya').id}/preview"
    ines.get(path)
    answer = ines.client.post(path, data={"csrf_token": ines.csrf}, headers={"HX-Request": "true"})

    assert answer.text.lstrip().startswith('<div id="plan">')


def test_the_page_speaks_german(office: Office, ines: Visitor) -> None:
    """Counts, mails and the promise that nothing leaves are German for who reads German."""
    office.in_crm("Quartalsgespräch", at(10), required=("eve@elsewhere.example",))
    ines.client.cookies.set(COOKIE, "de")
    path = f"/mailboxes/{office.mailbox('maya').id}/preview"
    ines.text(path)
    words = shown(ines.post(path).text)

    assert "würden in Outlook angelegt 1" in words
    assert "Exchange würde 1 Mail senden. Nichts geht hinaus, bevor Sie synchronisieren." in words
    assert "Einladung: Quartalsgespräch" in words
