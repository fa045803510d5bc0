"""Start the demo: an Exchange stand-in, a data folder, the first cycles, the pages; and end it cleanly."""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from syncline.demo import firm
from syncline.desk import appointments, mailboxes, profiles, tokens, users
from syncline.desk.drafts import Draft
from syncline.desk.objects import encode
from syncline.desk.reading import OPERATOR, AccessRole
from syncline.desk.running import JobsLock
from syncline.emulators.exchange import ExchangeEmulator
from syncline.emulators.exchange.calendar_files import CalendarReport
from syncline.errors import SyncError
from syncline.wiring import App, make_folder, open_app

if TYPE_CHECKING:
    from syncline.web.serving import Listener

SERVICE = "svc-syncline"
PROFILE = "Fjord Bikes Exchange"
TOKEN = "demo"  # noqa: S105 - a name, not a secret
PORTS_TRIED = 20
FIRST_SYNC_WAIT_S = 4.0
CALENDAR_MAX_BYTES = 64 * 1024 * 1024
_WORDS = (
    ("moss", "fern", "birch", "amber", "cedar", "flint", "heath", "maple", "pebble", "reed", "river", "slate"),
    ("otter", "kite", "heron", "finch", "badger", "marten", "plover", "swift", "lynx", "stoat", "tern", "vole"),
)
_SETTINGS = """# The demo looks for changes every two seconds.
[sync]
interval_min_s = 2
interval_step_s = 0
interval_max_s = 2
"""


@dataclass(frozen=True, slots=True)
class Signed:
    """A name and a password to sign in with."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Ready:
    """What the demo says once it serves (interface.md)."""

    url: str
    administrator: Signed
    user: Signed
    token: str
    outlook: str
    data: str


def run_demo(
    *,
    port: int = 8080,
    host: str = "127.0.0.1",
    data: Path | None = None,
    calendars: Sequence[Path] = (),
    open_browser: bool = True,
    as_json: bool = False,
) -> None:
    """Serve the demo until Ctrl-C; its data is thrown away at the end unless `data` names a folder."""
    from syncline.web.serving import Listener

    texts = [_calendar_text(path) for path in calendars]
    _warn_about(host)
    secret = secrets.token_urlsafe(12)
    with ExitStack() as stack:
        folder = data or stack.enter_context(_thrown_away())
        _refuse_used(folder)
        emulator = stack.enter_context(_emulator(host, port, firm_zone(), secret))
        make_folder(folder)
        (folder / "config.toml").write_text(_SETTINGS, encoding="utf-8")
        app = open_app(folder)
        stack.callback(app.close)
        stack.enter_context(JobsLock(folder))
        listener = stack.enter_context(Listener(app, host, port))
        ready = _set_up(app, emulator, listener, texts, secret)
        app.worker.start()
        stack.callback(app.worker.stop)
        _first_sync(app)
        _announce(ready, kept=data is not None, as_json=as_json)
        if open_browser and not as_json and sys.stdout.isatty():
            webbrowser.open(ready.url)
        listener.run()


def firm_zone() -> str:
    """Return the IANA name of the machine's zone."""
    import tzlocal

    name = tzlocal.get_localzone_name()
    return name if name and "/" in name else "UTC"


@contextmanager
def _thrown_away() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="syncline-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_used(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise SyncError("DataFolderInvalid", detail=f"{folder} is not empty; the demo starts in a new folder.")


def _warn_about(host: str) -> None:
    if host not in ("127.0.0.1", "::1", "localhost"):
        sys.stderr.write(f"Warning: the demo listens on {host}; everybody who reaches it can see and change it.\n")


def _calendar_text(path: Path) -> str:
    try:
        if path.stat().st_size > CALENDAR_MAX_BYTES:
            raise SyncError("CalendarFileInvalid", detail=f"{path} is larger than {CALENDAR_MAX_BYTES >> 20} MB.")
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise SyncError("CalendarFileInvalid", detail=f"{path} cannot be read: {error.strerror}.") from error


@contextmanager
def _emulator(host: str, port: int, zone: str, secret: str) -> Iterator[ExchangeEmulator]:
    """Start the stand-in on the next free port after the pages' one."""
    candidates = range(port + 1, port + 1 + PORTS_TRIED) if port else (0,)
    words = {person.address: password() for person in firm.OWNERS}
    for candidate in candidates:
        emulator = ExchangeEmulator(
            host=host, port=candidate, mailboxes=words, service=(SERVICE, secret), time_zone=zone
        )
        try:
            emulator.start()
        except OSError:
            continue
        try:
            yield emulator
        finally:
            emulator.stop()
        return
    raise SyncError("PortInUse", detail=f"{port + 1} to {port + PORTS_TRIED}")


def _set_up(app: App, emulator: ExchangeEmulator, listener: Listener, texts: Sequence[str], secret: str) -> Ready:
    signed = {person.name: Signed(person.name, password()) for person in firm.PEOPLE}
    zone = firm_zone()
    today = date.today()  # noqa: DTZ011 - the viewer's own day is meant
    for person in firm.PEOPLE:
        _add_person(app, person, signed[person.name], zone)
    for place, text in enumerate(texts):
        owner = firm.OWNERS[place % len(firm.OWNERS)]
        _say_refused(emulator.load_calendar(owner.address, text))
    if not texts:
        for owner in firm.OWNERS:
            emulator.load_calendar(owner.address, firm.calendar(owner, today, zone))
        _enter(app, today, zone)
    profiles.add(
        app,
        OPERATOR,
        profiles.NewProfile(
            name=PROFILE, url=emulator.ews_url, username=SERVICE, password=secret, auth="basic", allow_http=True
        ),
    )
    for owner in firm.OWNERS:
        _add_mailbox(app, owner, track="all" if texts else "category")
    return Ready(
        url=listener.url,
        administrator=signed[firm.ADMINISTRATOR],
        user=signed[firm.SALES],
        token=tokens.create(app, OPERATOR, firm.ADMINISTRATOR, TOKEN).token or "",
        outlook=f"{emulator.url}/",
        data=str(app.data),
    )


def _add_person(app: App, person: firm.Person, signed: Signed, zone: str) -> None:
    role = AccessRole.ADMINISTRATOR if person.administrator else AccessRole.USER
    users.add(
        app,
        OPERATOR,
        users.NewUser(
            name=person.name,
            emails=(person.address,),
            full_name=person.full_name,
            role=role.value,
            time_zone=zone,
            password=signed.password,
        ),
    )


def _add_mailbox(app: App, owner: firm.Person, *, track: str) -> None:
    mailboxes.add(
        app, OPERATOR, mailboxes.NewMailbox(address=owner.address, profile=PROFILE, user=owner.name, track=track)
    )
    mailboxes.approve(app, OPERATOR, owner.address)
    tested = mailboxes.test(app, OPERATOR, owner.address)
    if tested.error is not None:
        raise tested.error


def _enter(app: App, today: date, zone: str) -> None:
    """Enter the firm's own appointments in the CRM, as people do."""
    days = firm.days(today)
    for entry in firm.ENTRIES:
        day = days[entry.day].isoformat()
        draft = Draft(
            subject=entry.subject,
            start=f"{day}T{entry.start}",
            end=f"{day}T{entry.end}",
            time_zone=zone,
            organizer=entry.organizer,
            required=entry.required,
            show_as=entry.show_as,
            location=entry.location,
        )
        appointments.add(app, OPERATOR, draft)


def _first_sync(app: App) -> None:
    """Wait for the first cycles, but not longer than a person would."""
    end = time.monotonic() + FIRST_SYNC_WAIT_S
    while time.monotonic() < end and not all(m.first_sync_done for m in app.store.mailboxes() if m.enabled):
        time.sleep(0.05)


def _say_refused(report: CalendarReport) -> None:
    for finding in report.refused:
        sys.stderr.write(f'Not loaded: "{finding.subject}" ({finding.code}) {finding.detail}\n')


def password() -> str:
    """Return a password of two words and a number, easy to type from a screen."""
    first, second = (secrets.choice(words) for words in _WORDS)
    return f"{first}-{second}-{10 + secrets.randbelow(90)}"


def _announce(ready: Ready, *, kept: bool, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(encode(ready).decode() + "\n")
    else:
        sys.stdout.write(_text(ready, kept=kept))
    sys.stdout.flush()


def _text(ready: Ready, *, kept: bool) -> str:
    end = "kept" if kept else "thrown away at the end; --data DIR keeps it"
    admin, user = ready.administrator, ready.user
    return (
        f"Syncline demo, Fjord Bikes.   Data: {ready.data} ({end})\n"
        f"  Syncline            {ready.url}      {admin.name} / {admin.password}  (administrator)     "
        f"{user.name} / {user.password}  (sales)\n"
        f"  Outlook stand-in    {ready.outlook}     the other side: Exchange, spoken to over EWS\n"
        f"  Try:  1 open the first address, answer the question   "
        f"2 .venv/bin/syncline alerts list --data {ready.data}\n"
        "Nothing leaves this machine. Ctrl-C ends it.\n"
    )
