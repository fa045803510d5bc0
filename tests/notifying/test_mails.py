"""What a mail says and shows: the card in text and HTML, masked, in its reader's language, and safe in every line."""

from __future__ import annotations

import email
from email import policy
from html.parser import HTMLParser
from pathlib import Path

import pytest

from syncline.core.appointment import Address, Attendee
from syncline.core.rrule import from_rrule
from syncline.language import speaking
from syncline.store import Mails
from syncline.web.mail_picture import png_of
from syncline.web.mails import trial
from syncline.web.scene import Block, Lane, Scene
from tests.desk.office import at
from tests.notifying.firm import BASE, Firm, firm, html_of, text_of

pytestmark = pytest.mark.emulator

HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    'Quote " \' & </h1><a href="https://evil.example">Yes</a>',
    "{{ 7 * 7 }}{% raw %} %(crm)s {subject}",
    "Line one\r\nBcc: everybody@evil.example\r\n\r\nYes: https://evil.example/",
    "\u202egnp.exe \u2066turned\u2069 שלום עולם",
    "x" * 2000,
    "\x00\x07bell \ud83d".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
]


class _Seen(HTMLParser):
    """What a mail program makes of HTML: elements, addresses and words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.addresses: list[str] = []
        self.images: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        values = dict(attrs)
        self.addresses += [values[name] or "" for name in ("href",) if name in values]
        self.images += [values["src"] or ""] if "src" in values else []
        assert not any(name.startswith("on") for name in values)

    def handle_data(self, data: str) -> None:
        self.words += data


def one_mail(at_firm: Firm) -> email.message.EmailMessage:
    """Let the mail about the only question arrive."""
    assert at_firm.later() == 1
    return at_firm.mails[-1]


def test_the_mail_says_what_the_card_says(tmp_path: Path) -> None:
    """Subject, times, the published sentence, what is in the way, Yes and No with consequences, and the way in."""
    with firm(tmp_path) as at_firm:
        at_firm.office.the_scene()
        mail = one_mail(at_firm)

    for words in (text_of(mail), _Seen(html_of(mail)).words):
        for said in (
            "Product demo for Alpen Sport",
            "Tue 24 Nov 2026, 10:30 – 11:30",
            "because Maya Lind is unavailable at this time. Do you want to ignore the conflict and save anyway?",
            "Quarterly review with Harbour Cycles",
            "overlaps 30 min",
            "Free for everybody:",
            "Save it in Syncline CRM beside the other.",
            "Keep it out of Syncline CRM.",
            "Open in Syncline",
            "All times: UTC",
        ):
            assert said in words, said
        assert "secret body" not in words


def test_the_mail_leads_to_one_yes_and_one_no(tmp_path: Path) -> None:
    """Text and HTML carry the same two secrets, the card, and the page where mails are chosen; nothing else."""
    with firm(tmp_path) as at_firm:
        at_firm.office.the_scene()
        mail = one_mail(at_firm)

    answers = {each for each in _Seen(html_of(mail)).addresses if "/answer/" in each}
    assert len(answers) == 2
    assert all(each.startswith(f"{BASE}/answer/") and each in text_of(mail) for each in answers)
    assert set(_Seen(html_of(mail)).addresses) - answers == {f"{BASE}/alerts/1", f"{BASE}/settings/me"}


def test_without_answers_by_mail_there_are_none(tmp_path: Path) -> None:
    """An installation can do without Yes and No in mails."""
    with firm(tmp_path, links_valid_days=0) as at_firm:
        at_firm.office.the_scene()
        mail = one_mail(at_firm)

    assert "/answer/" not in text_of(mail) + html_of(mail)
    assert "work once" not in text_of(mail)


def test_the_picture_comes_along(tmp_path: Path) -> None:
    """The picture is inside the mail as PNG, named by the HTML, with its text alternative; nothing is loaded."""
    with firm(tmp_path) as at_firm:
        at_firm.office.the_scene()
        mail = one_mail(at_firm)

    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    content = picture.get_content()
    assert content.startswith(b"\x89PNG")
    assert _Seen(html_of(mail)).images == ["cid:picture@syncline"]
    assert picture["Content-ID"] == "<picture@syncline>"
    assert "They overlap 30 min." in html_of(mail)
    assert len(content) < 200_000


def test_no_machine_answers_a_mail(tmp_path: Path) -> None:
    """The headers say that a program wrote it, under which name, and where to change what one gets."""
    with firm(tmp_path) as at_firm:
        at_firm.office.the_scene()
        mail = one_mail(at_firm)

    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["List-Unsubscribe"] == f"<{BASE}/settings/me>"
    assert mail["From"] == "Syncline <syncline@fjordbikes.example>"
    assert mail["Message-ID"].endswith("@fjordbikes.example>")


@pytest.mark.parametrize("subject", HOSTILE, ids=range(len(HOSTILE)))
def test_foreign_texts_stay_texts(tmp_path: Path, subject: str) -> None:
    """Whatever a subject holds, the mail has the same headers, elements and addresses, and shows it as it is."""
    with firm(tmp_path) as at_firm:
        at_firm.office.in_crm("Quarterly review", at(10))
        ref = at_firm.office.in_outlook(subject, at(10.5))
        at_firm.office.change(ref, location=subject, organizer=Address("guest@out.example", subject[:200]))
        at_firm.office.app.crm.set_user("jonas", full_name=subject[:100].strip() or "Jonas")
        at_firm.office.in_crm("Salary talk", at(10), organizer="jonas")
        at_firm.office.change(ref, attendees=(Attendee("jonas@fjordbikes.example"),))
        at_firm.office.sync("maya")
        mail = one_mail(at_firm)
        ((_, to, raw),) = at_firm.server.taken

    seen = _Seen(html_of(mail))
    assert to == ["maya@fjordbikes.example"]
    assert mail["Bcc"] is None and len(mail.get_all("Subject", [])) == 1
    assert "\n" not in mail["Subject"] and len(mail["Subject"]) < 200
    assert "script" not in seen.elements and seen.images == ["cid:picture@syncline"]
    assert all(address.startswith(f"{BASE}/") for address in seen.addresses)
    assert not any(line.startswith("Yes: https://evil") for line in text_of(mail).splitlines())
    assert not set("\u202e\u2066\x00\x07") & set(text_of(mail) + seen.words + mail["Subject"])
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.isascii()
    if subject.isprintable() and len(subject) < 200:
        assert subject in seen.words
        assert subject in text_of(mail)


def test_a_private_appointment_is_not_named(tmp_path: Path) -> None:
    """A mail may be read on a locked screen and by delegates: it says Private appointment, the picture too."""
    with firm(tmp_path) as at_firm:
        at_firm.office.in_crm("Quarterly review", at(10))
        at_firm.office.in_outlook("Doctor", at(10.5), private=True)
        at_firm.office.sync()
        mail = one_mail(at_firm)

    assert "Private appointment" in mail["Subject"]
    assert "Private appointment" in text_of(mail) and "Private appointment" in html_of(mail)
    assert "Doctor" not in text_of(mail) + html_of(mail) + mail["Subject"]


def test_the_owner_may_choose_to_have_it_named(tmp_path: Path) -> None:
    """By setting, the mail names what is private, but its subject line never does."""
    with firm(tmp_path, private_subjects=True) as at_firm:
        at_firm.office.in_crm("Quarterly review", at(10))
        at_firm.office.in_outlook("Doctor", at(10.5), private=True)
        at_firm.office.sync()
        mail = one_mail(at_firm)

    assert "Doctor" in text_of(mail) and "Doctor" in html_of(mail)
    assert "Doctor" not in mail["Subject"]


def test_another_persons_clash_is_masked(tmp_path: Path) -> None:
    """What stands in the way of a colleague is Busy with its times, as on the card."""
    with firm(tmp_path) as at_firm:
        at_firm.office.in_crm("Salary talk", at(10), organizer="jonas")
        at_firm.office.in_outlook("Price round", at(10), "jonas")
        at_firm.office.sync()
        at_firm.later()
        mail = next(mail for mail in at_firm.mails if mail["To"] == "maya@fjordbikes.example")

    assert "Salary talk" not in text_of(mail) + html_of(mail)
    assert "- Busy\n" in text_of(mail)
    assert "Jonas Weber" in text_of(mail)


def test_a_digest_masks_what_is_private(tmp_path: Path) -> None:
    """A list of questions names nothing private either."""
    with firm(tmp_path) as at_firm:
        at_firm.wants("maya", mails=Mails.DIGEST)
        at_firm.double_book("Doctor", "Lawyer", private=True)
        mail = one_mail(at_firm)

    assert text_of(mail).count("Private appointment") == 2
    assert "Doctor" not in text_of(mail) + html_of(mail)


def test_a_digest_of_foreign_texts(tmp_path: Path) -> None:
    """Foreign texts stay texts in a list too."""
    with firm(tmp_path) as at_firm:
        at_firm.double_book(*HOSTILE[:4])
        mail = one_mail(at_firm)

    seen = _Seen(html_of(mail))
    assert "script" not in seen.elements and seen.images == []
    assert all(address.startswith(f"{BASE}/") for address in seen.addresses)
    assert not any(line.startswith("Yes: https://evil") for line in text_of(mail).splitlines())


def test_each_reads_his_own_language_and_zone(tmp_path: Path) -> None:
    """The mail is in its reader's language and zone; the reader beside him has his own."""
    with firm(tmp_path) as at_firm:
        at_firm.wants("maya", language="de")
        at_firm.office.app.crm.set_user("maya", time_zone="Europe/Copenhagen")
        at_firm.wants("jonas", language="en")
        at_firm.double_book("Visit")
        at_firm.double_book("Visit", owner="jonas", day=2)
        assert at_firm.later() == 2
        by_person = {mail["To"].partition("@")[0]: mail for mail in at_firm.mails}

    assert '<html lang="de">' in html_of(by_person["maya"])
    assert "Di 24. Nov 2026, 10:00 – 10:15" in text_of(by_person["maya"])
    assert "Europe/Copenhagen" in text_of(by_person["maya"])
    assert '<html lang="en">' in html_of(by_person["jonas"])
    assert "Wed 25 Nov 2026, 09:00 – 09:15" in text_of(by_person["jonas"])


def test_a_series_says_how_many_of_its_dates_overlap(tmp_path: Path) -> None:
    """The mail about a series counts its dates, names those that clash and says what becomes of all of them."""
    with firm(tmp_path) as at_firm:
        at_firm.office.in_crm("Bike fair", at(10, days=3))
        ref = at_firm.office.in_outlook("Pipeline call", at(10))
        at_firm.office.change(ref, recurrence=from_rrule("FREQ=DAILY;COUNT=4", at(10).start.date()))
        at_firm.office.sync()
        mail = one_mail(at_firm)

    assert "1 of 4 dates overlaps: Thu 26 Nov 2026, 10:00" in text_of(mail)
    assert "Save all 4 dates in Syncline CRM" in text_of(mail)


def test_a_question_about_many_deletions_comes_by_mail(tmp_path: Path) -> None:
    """What a guard holds back is asked by mail too, with what Yes and No would do."""
    with firm(tmp_path) as at_firm:
        office = at_firm.office
        refs = [office.in_outlook(f"Visit {number}", at(8 + number / 2, length=0.5)) for number in range(24)]
        office.sync()
        for ref in refs[:20]:
            office.exchange.delete("maya@fjordbikes.example", ref)
        office.sync()
        mail = one_mail(at_firm)

    assert mail["Subject"] == "Many deletions held"
    assert "20 of 24 appointments of maya@fjordbikes.example were deleted in Exchange" in text_of(mail)
    assert text_of(mail).count(f"{BASE}/answer/") == 2
    assert "image/png" not in [part.get_content_type() for part in mail.walk()]


def test_a_mail_for_a_trial(tmp_path: Path) -> None:
    """It says that mails arrive, in the language of who tries."""
    with firm(tmp_path) as at_firm, speaking("en"):
        parsed = email.message_from_bytes(trial(at_firm.office.app, "ines@fjordbikes.example"), policy=policy.default)

    assert parsed["Subject"] == "Syncline can send mail"
    assert isinstance(parsed, email.message.EmailMessage)
    assert "nothing needs to be done" in text_of(parsed)


def test_letters_of_other_scripts_are_drawn() -> None:
    """The picture carries a font for Latin, Greek, Cyrillic, Hebrew and Arabic letters; what it says changes it."""

    def drawn(label: str) -> bytes:
        block = Block(label=label, start=at(10).start, end=at(10).end)
        scene = Scene(key="1", crm="CRM", zone="UTC", lanes=(Lane(title="Maya", blocks=(block,)),), waiting=(block,))
        return png_of(scene)

    words = ["Größe", "Ωμέγα", "Встреча", "פגישה", "اجتماع", "     "]
    assert len({drawn(word) for word in words}) == len(words)
