"""Start the demo: an Exchange stand-in, a data folder, the firm, the pages; and end it cleanly."""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from syncline.demo import firm
from syncline.demo.founding import SERVICE, Ground, Words, found, found_with
from syncline.demo.playing import play, sync
from syncline.demo.telling import Progress, Ready, Signed, announce, password, warn_about
from syncline.desk import tokens
from syncline.desk.reading import OPERATOR
from syncline.desk.running import JobsLock
from syncline.emulators.exchange import ExchangeEmulator
from syncline.emulators.exchange.calendar_files import CalendarReport
from syncline.errors import SyncError
from syncline.wiring import App, make_folder, open_app

if TYPE_CHECKING:
    from syncline.web.serving import Listener

TOKEN, STAND_IN_TOKEN = "demo", "Outlook stand-in"
PORTS_TRIED = 20
CALENDAR_MAX_BYTES = 64 * 1024 * 1024
_SETTINGS = """# The demo looks at every mailbox once a second, so that what happens in Outlook is here within two.
[sync]
interval_min_s = 1
interval_step_s = 0
interval_max_s = 1
"""


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
    texts = [_calendar_text(path) for path in calendars]
    warn_about(host)
    progress = Progress(quiet=as_json)
    progress.say("Syncline demo: starting…")
    from syncline.web.serving import Listener

    with ExitStack() as stack:
        folder = data or stack.enter_context(_thrown_away())
        _refuse_used(folder)
        words = _words()
        exchange = stack.enter_context(_emulator(host, port, firm_zone(), words))
        make_folder(folder)
        (folder / "config.toml").write_text(_SETTINGS, encoding="utf-8")
        app = open_app(folder)
        stack.callback(app.close)
        stack.enter_context(JobsLock(folder))
        listener = stack.enter_context(Listener(app, host, port))
        _begin(Ground(app=app, exchange=exchange, words=words, today=_today(), zone=firm_zone()), texts, progress)
        ready = _opened(app, exchange, listener, words, asked_about="" if texts else firm.SCENE)
        app.worker.start()
        stack.callback(app.worker.stop)
        progress.say("")
        announce(ready, kept=data is not None, as_json=as_json)
        if open_browser and not as_json and sys.stdout.isatty():
            webbrowser.open(ready.url)
        listener.run()


def firm_zone() -> str:
    """Return the IANA name of the machine's zone."""
    import tzlocal

    name = tzlocal.get_localzone_name()
    return name if name and "/" in name else "UTC"


def _today() -> date:
    return date.today()  # noqa: DTZ011 - the viewer's own day is meant


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


def _calendar_text(path: Path) -> str:
    try:
        if path.stat().st_size > CALENDAR_MAX_BYTES:
            raise SyncError("CalendarFileInvalid", detail=f"{path} is larger than {CALENDAR_MAX_BYTES >> 20} MB.")
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise SyncError("CalendarFileInvalid", detail=f"{path} cannot be read: {error.strerror}.") from error


def _words() -> Words:
    return Words(
        service=secrets.token_urlsafe(12),
        mailboxes={person.address: password() for person in firm.OWNERS},
        people={person.name: password() for person in firm.PEOPLE if person.signs_in},
    )


@contextmanager
def _emulator(host: str, port: int, zone: str, words: Words) -> Iterator[ExchangeEmulator]:
    """Start the stand-in on the next free port after the pages' one."""
    candidates = range(port + 1, port + 1 + PORTS_TRIED) if port else (0,)
    for candidate in candidates:
        emulator = ExchangeEmulator(
            host=host, port=candidate, mailboxes=words.mailboxes, service=(SERVICE, words.service), time_zone=zone
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


def _begin(ground: Ground, calendars: Sequence[str], progress: Progress) -> None:
    """Put the firm there and let happen what has happened; with other calendars only their first sync."""
    progress.say("Syncline demo: six people, their calendars, one CRM…")
    if calendars:
        for report in found_with(ground, calendars):
            _say_refused(report)
        progress.say("Syncline demo: the first sync…")
        sync(ground.app, firm.ENABLED)
        return
    found(ground)
    progress.say("Syncline demo: the first syncs, two answers, a move in Outlook…")
    play(ground)


def _opened(app: App, exchange: ExchangeEmulator, listener: Listener, words: Words, *, asked_about: str) -> Ready:
    """Introduce the parts to each other, and return what is said at the start."""
    from syncline.web.pages.demo import DemoFacts, Guest

    shown = tokens.create(app, OPERATOR, firm.ADMINISTRATOR, STAND_IN_TOKEN).token or ""
    exchange.show_syncline(listener.url, shown, f"Tracked to {app.settings.crm.name}")
    outlook = f"{exchange.url}/"
    listener.show_demo(
        DemoFacts(
            guests=tuple(
                Guest(name=person.name, called=person.full_name.partition(" ")[0])
                for person in firm.PEOPLE
                if person.signs_in
            ),
            outlook=outlook,
            asked_about=asked_about,
            since=app.clock.now(),
            mailbox_ids=tuple(mailbox.id for mailbox in app.store.mailboxes() if mailbox.enabled),
        )
    )
    return Ready(
        url=listener.url,
        administrator=Signed(firm.ADMINISTRATOR, words.people[firm.ADMINISTRATOR]),
        user=Signed(firm.SALES, words.people[firm.SALES]),
        token=tokens.create(app, OPERATOR, firm.ADMINISTRATOR, TOKEN).token or "",
        outlook=outlook,
        data=str(app.data),
    )


def _say_refused(report: CalendarReport) -> None:
    for finding in report.refused:
        sys.stderr.write(f'Not loaded: "{finding.subject}" ({finding.code}) {finding.detail}\n')
