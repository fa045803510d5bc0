"""How an administrator looks after mail and webhook: settings that cannot be, the trial mail, the doctor, the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from syncline.cli import app as command_line
from syncline.config import Settings, load, value_of
from syncline.desk import checking, installing, ways_out
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from syncline.wiring import mail_of, webhook_of
from tests.desk.office import Office
from tests.notifying.firm import firm
from tests.smtp.server import NAME, PASSWORD, Post, certificate_for, serving
from tests.web.visitor import shown, visiting

pytestmark = pytest.mark.emulator

MAIL = {
    "SYNCLINE_MAIL_HOST": "mail.example.com",
    "SYNCLINE_MAIL_SENDER": "syncline@example.com",
    "SYNCLINE_WEB_BASE_URL": "https://syncline.example.com",
}
WEBHOOK = {"SYNCLINE_WEBHOOK_URL": "https://chat.example/hook", "SYNCLINE_WEB_BASE_URL": "https://syncline.example.com"}


def invalid(folder: Path, environ: dict[str, str]) -> str:
    """Return why settings cannot be."""
    with pytest.raises(SyncError) as refused:
        mail_of(load(folder, environ=environ)), webhook_of(load(folder, environ=environ))
    assert refused.value.code == "SettingInvalid"
    return refused.value.text


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"SYNCLINE_MAIL_SENDER": "Syncline <x@y>"}, "mail.sender"),
        ({"SYNCLINE_MAIL_SECURITY": "none"}, "mail.security"),
        ({"SYNCLINE_WEB_BASE_URL": "http://syncline.example.com"}, "web.base_url"),
        ({"SYNCLINE_WEB_BASE_URL": "syncline.example.com"}, "web.base_url"),
        ({"SYNCLINE_MAIL_PASSWORD_FILE": "/nowhere/password"}, "mail.password_file"),
        ({"SYNCLINE_MAIL_PASWORD": "x"}, "SYNCLINE_MAIL_PASSWORD"),
    ],
)
def test_settings_of_mail_that_cannot_be(tmp_path: Path, changed: dict[str, str], named: str) -> None:
    """What would be unsafe or could not work is said at the start, by the setting's name."""
    assert named in invalid(tmp_path, MAIL | changed)


def test_links_need_to_lead_somewhere(tmp_path: Path) -> None:
    """Mail and webhook need the address of the pages, and a webhook its secret."""
    assert "web.base_url" in invalid(tmp_path, {k: v for k, v in MAIL.items() if "BASE" not in k})
    assert "web.base_url" in invalid(tmp_path, {"SYNCLINE_WEBHOOK_URL": "https://chat.example/hook"})
    assert "webhook.secret" in invalid(tmp_path, WEBHOOK)


def test_secrets_are_shown_nowhere(tmp_path: Path) -> None:
    """Passwords and the webhook's address are neither in what is printed of settings nor in what a page shows."""
    secrets = {"SYNCLINE_MAIL_PASSWORD": "relay-secret", "SYNCLINE_WEBHOOK_SECRET": "chat-secret"}
    settings = load(tmp_path, environ=MAIL | WEBHOOK | secrets)

    assert not any(text in repr(settings) for text in (*secrets.values(), "chat.example"))
    assert value_of(settings, "mail.password") == value_of(settings, "webhook.url") == "set"
    assert value_of(Settings(data=tmp_path), "mail.password") == ""


def test_a_password_comes_from_a_file(tmp_path: Path) -> None:
    """The first line of the named file signs in."""
    pem = certificate_for(tmp_path)
    (tmp_path / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    with serving(Post(), certificate=pem) as port:
        environ = MAIL | {"SYNCLINE_MAIL_HOST": "localhost", "SYNCLINE_MAIL_PORT": str(port)}
        environ |= {"SYNCLINE_MAIL_USERNAME": NAME, "SYNCLINE_MAIL_CA_FILE": str(pem)}
        environ |= {"SYNCLINE_MAIL_PASSWORD_FILE": str(tmp_path / "password")}
        notifier = mail_of(load(tmp_path, environ=environ))
        assert notifier is not None
        assert f"signed in as {NAME}" in notifier.probe()


def run(folder: Path, *words: str, **environ: str) -> tuple[int, str]:
    """Run a command on a data folder."""
    result = CliRunner().invoke(command_line, [*words, "--data", str(folder)], env=environ)
    return result.exit_code, result.output


def test_a_mail_for_a_trial_from_the_command_line(tmp_path: Path) -> None:
    """`syncline mail test` sends one mail and says what was reached; without a server it says what to set."""
    installing.init(tmp_path / "data", "admin", "moss-otter-41")
    post = Post()
    with serving(post) as port:
        environ = MAIL | {"SYNCLINE_MAIL_HOST": "127.0.0.1", "SYNCLINE_MAIL_PORT": str(port)}
        code, said = run(
            tmp_path / "data", "mail", "test", "ines@example.com", **environ, SYNCLINE_MAIL_SECURITY="none"
        )
        assert (code, "The server took a mail to ines@example.com" in said) == (0, True), said
        assert post.mails[0]["Subject"] == "Syncline can send mail"

    code, said = run(tmp_path / "data", "mail", "test", "ines@example.com")
    assert code == 1
    assert "MailNotSet" in said
    code, said = run(tmp_path / "data", "mail", "test", "no address", **environ)
    assert code == 2


def test_the_doctor_tries_mail_and_webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer and a target that is not allowed are findings; nothing is sent."""
    installing.init(tmp_path, "admin", "moss-otter-41")
    with serving(Post()) as port:
        for name, value in (MAIL | WEBHOOK).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SYNCLINE_MAIL_HOST", "127.0.0.1")
        monkeypatch.setenv("SYNCLINE_MAIL_PORT", str(port))
        monkeypatch.setenv("SYNCLINE_MAIL_SECURITY", "none")
        monkeypatch.setenv("SYNCLINE_WEBHOOK_SECRET", "chat-secret")
        monkeypatch.setenv("SYNCLINE_WEBHOOK_URL", "https://127.0.0.1/hook")
        up = {finding.subject: finding.ok for finding in checking.examine(tmp_path)}
    down = {finding.subject: finding for finding in checking.examine(tmp_path)}

    assert (up["mail"], up["webhook"]) == (True, False)
    assert not down["mail"].ok
    assert "syncline mail test" in down["mail"].text


def test_the_page_shows_how_mail_stands_and_tries_it(tmp_path: Path) -> None:
    """An administrator sees what was sent and to whom, never about what, and sends a mail for a trial."""
    with firm(tmp_path) as at_firm, visiting(at_firm.office) as ines:
        at_firm.office.the_scene()
        at_firm.later()
        ines.get("/sign-in")
        ines.sign_in("ines")
        words = shown(ines.text("/settings/mail"))
        assert "1 sent, 0 waiting, 0 failed" in words
        assert "maya" in words and "Product demo" not in words

        page = ines.post("/settings/mail/test", address="ines@fjordbikes.example")
        assert "The server took a mail to ines@fjordbikes.example" in shown(page.text)
        assert at_firm.mails[-1]["To"] == "ines@fjordbikes.example"

        at_firm.server.refuse = {"gone@fjordbikes.example": "550 no such user"}
        page = ines.post("/settings/mail/test", address="gone@fjordbikes.example")
        assert page.status_code == 502
        assert "Error code: MailRefused" in shown(page.text)
        assert ines.post("/settings/mail/test", address="<script>").status_code == 422


def test_the_page_says_what_to_set(tmp_path: Path) -> None:
    """Without mail and webhook the page says how to switch them on; a User does not see it."""
    office = Office(tmp_path)
    with visiting(office) as ines:
        ines.get("/sign-in")
        ines.sign_in("ines")
        words = shown(ines.text("/settings/mail"))
        assert "No mail is sent" in words and "No program is told" in words
    with visiting(office) as maya:
        maya.get("/sign-in")
        maya.sign_in("maya")
        assert maya.get("/settings/mail").status_code == 403
        assert maya.post("/settings/mail/test", address="maya@fjordbikes.example").status_code == 403


def test_trying_needs_a_server_and_the_right(tmp_path: Path) -> None:
    """Nobody but an administrator sends a mail for a trial, and none leaves without a server."""
    office = Office(tmp_path)
    with pytest.raises(SyncError, match="MailNotSet"):
        ways_out.try_mail(office.app, OPERATOR, "ines@fjordbikes.example", b"")
    with pytest.raises(SyncError, match="NotAllowed"):
        ways_out.try_mail(office.app, office.viewer("maya"), "maya@fjordbikes.example", b"")
