"""Files on the page of a calendar entry: attached, downloaded safely, taken off; hidden where the setting is off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request

from syncline.config import Settings
from syncline.desk import appointments
from syncline.desk.reading import OPERATOR
from syncline.partners import AttachmentSettings
from tests.desk.office import Office, at
from tests.web.visitor import HTML, Visitor, shown, visiting

DAY = f"{at(0).start:%Y-%m-%d}"
FIELDS = {"subject": "Fitting", "start": f"{DAY}T14:00", "end": f"{DAY}T15:00", "time_zone": "UTC", "organizer": "maya"}
ON = AttachmentSettings(enabled=True, size_max_kb=3_000)
NAME = "Plan “ä”; x=1.html.txt"
BYTES = b"<script>alert(1)</script>\x00\xff"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Return a firm that keeps files in step."""
    return Office(tmp_path, Settings(data=tmp_path, attachments=ON))


@pytest.fixture
def maya(office: Office) -> Iterator[Visitor]:
    """Give Maya at her browser, with an appointment of hers."""
    with visiting(office) as visitor:
        visitor.sign_in("maya")
        visitor.get("/calendar/new")
        assert visitor.post("/calendar/new", **FIELDS).status_code == 303
        yield visitor


def entry(office: Office) -> str:
    """Return the address of the appointment."""
    return (
        f"/calendar/{next(each.id for each in appointments.listing(office.app, OPERATOR) if each.subject == 'Fitting')}"
    )


def attach(visitor: Visitor, path: str, name: str = NAME, content: bytes = BYTES) -> httpx2.Response:
    """Send the form with a file."""
    sent = {"file": (name, content, "text/html")}
    data = {"csrf_token": visitor.csrf}
    return visitor.client.post(f"{path}/files", data=data, files=sent, headers=HTML, follow_redirects=False)


def link(page: str) -> str:
    """Return the address of the only file on the page."""
    return page.partition("/files/")[2].partition("/remove")[0]


@pytest.mark.rule("D-05")
def test_a_file_is_attached_downloaded_and_taken_off(office: Office, maya: Visitor) -> None:
    """What was sent comes back byte for byte, to be saved and never to be shown."""
    path = entry(office)
    assert "No file is attached." in maya.text(path)
    answer = attach(maya, path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?said=file-added")
    page = maya.text(path)
    file = f"{path}/files/{link(page)}"
    assert NAME in page
    got = maya.get(file)
    assert got.content == BYTES
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith(
        "attachment; filename*=UTF-8''Plan%20%E2%80%9C%C3%A4%E2%80%9D%3B"
    )
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    maya.get(path)
    assert maya.post(f"{file}/remove").headers["location"] == f"{path}?said=file-removed"
    assert "No file is attached." in maya.text(f"{path}?said=file-removed")
    assert maya.get(file).status_code == 404


@pytest.mark.rule("D-06")
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("setup.exe", b"x", "files ending in .exe are blocked"), ("a?.txt", b"x", "its name cannot be taken")],
)
def test_what_is_refused_is_said(office: Office, maya: Visitor, name: str, content: bytes, words: str) -> None:
    """A blocked ending and a bad name are said in words, and nothing is attached."""
    path = entry(office)
    maya.get(path)
    answer = attach(maya, path, name, content)
    assert answer.status_code >= 400
    assert words in shown(answer.text)
    assert "No file is attached." in maya.text(path)


def test_a_file_may_be_larger_than_other_requests_but_not_than_the_limit(office: Office, maya: Visitor) -> None:
    """Three megabytes pass where a file is attached; more is refused before it is read."""
    path = entry(office)
    maya.get(path)
    assert attach(maya, path, "large.bin", b"x" * 3_000 * 1_024).status_code == 303
    assert attach(maya, path, "larger.bin", b"x" * 3_200 * 1_024).status_code == 413
    assert attach(maya, "/calendar/new", "large.bin", b"x" * 3_000 * 1_024).status_code >= 400
    assert maya.client.post("/calendar/new", content=b"x" * 3_000 * 1_024).status_code == 413


def test_only_its_own_people_see_a_file(office: Office, maya: Visitor) -> None:
    """Somebody else neither sees nor gets nor changes the files of an appointment; nor does a forged form."""
    path = entry(office)
    maya.get(path)
    attach(maya, path)
    file = f"{path}/files/{link(maya.text(path))}"
    with visiting(office) as jonas:
        jonas.sign_in("jonas")
        page = jonas.get(path)
        assert NAME not in page.text and "Attach a file" not in page.text
        assert jonas.get(file).status_code == 404
        jonas.get("/calendar")
        assert jonas.post(f"{file}/remove").status_code == 403
        assert attach(jonas, path).status_code == 403
    maya.csrf = "forged"
    assert attach(maya, path, "more.txt").status_code == 403
    assert [each.name for each in office.app.crm.attachments([path.rpartition("/")[2]]).popitem()[1].files] == [NAME]


@pytest.mark.rule("D-05")
def test_with_the_setting_off_the_pages_show_no_files(office: Office, tmp_path: Path, maya: Visitor) -> None:
    """Files that are there stay in the CRM, but no page shows, hands out or takes any."""
    path = entry(office)
    maya.get(path)
    attach(maya, path)
    file = f"{path}/files/{link(maya.text(path))}"
    office.app = replace(office.app, settings=Settings(data=tmp_path))
    with visiting(office) as visitor:
        visitor.sign_in("maya")
        page = visitor.text(path)
        assert NAME not in page and "Attach a file" not in page
        assert visitor.get(file).status_code == 404
        assert attach(visitor, path).status_code == 422
        assert visitor.post(f"{file}/remove").status_code == 422


def test_what_could_not_be_taken_from_outlook_is_said(office: Office, maya: Visitor) -> None:
    """Attachmenterrors stands on the page of the appointment."""
    path = entry(office)
    office.app.crm.flag_attachments(path.rpartition("/")[2], incomplete=True)
    assert "Not every file that is attached in Outlook could be taken" in maya.text(path)


@pytest.mark.parametrize("stranger", ["nobody", "another site"])
def test_a_file_of_a_stranger_is_refused_unread(
    office: Office, maya: Visitor, stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what nobody signed in sends nor what another site makes a browser send is parsed."""
    path = entry(office)
    parsed: list[Request] = []
    real = Request.form

    def form(request: Request, **limits: float) -> object:
        parsed.append(request)
        return real(request, **limits)  # type: ignore[arg-type]

    monkeypatch.setattr(Request, "form", form)
    headers = {**HTML, "Content-Type": "multipart/form-data; boundary=x"}
    if stranger == "nobody":
        maya.client.cookies.clear()
    else:
        headers["Origin"] = "https://elsewhere.example"
    answer = maya.client.post(f"{path}/files", content=b"x", headers=headers, follow_redirects=False)
    assert answer.status_code in (303, 401, 403)
    assert parsed == []


def test_a_download_is_not_compressed(office: Office, maya: Visitor) -> None:
    """Large files are packed already; pages still are compressed."""
    path = entry(office)
    maya.get(path)
    attach(maya, path, "large.txt", b"x" * 100_000)
    got = maya.client.get(f"{path}/files/{link(maya.text(path))}", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in got.headers
    assert maya.client.get(path, headers={**HTML, "Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"
