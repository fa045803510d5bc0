"""The doctor: everything about an installation that can be checked without asking a person, each with a sentence."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from syncline.config import load
from syncline.desk.archiving import DATABASES, KEY_BYTES, KEY_FILE
from syncline.desk.running import jobs_run
from syncline.errors import SyncError
from syncline.ports import Approval, TestState

FREE_MIN_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was checked."""

    subject: str
    ok: bool
    text: str


def examine(data: Path) -> list[Finding]:
    """Check a data folder from the outside in, and stop where going on makes no sense."""
    findings: list[Finding] = []
    for check in (_folder, _key, _settings, _disk, _databases, _jobs, _mailboxes, _ways_out):
        try:
            findings.extend(check(data))
        except SyncError as error:
            findings.append(Finding(subject=error.code, ok=False, text=f"{error.text} {error.row.what_to_do}"))
            break
    return findings


def _finding(subject: str, *, ok: bool, text: str) -> Finding:
    return Finding(subject=subject, ok=ok, text=text)


def _folder(data: Path) -> Iterator[Finding]:
    if not (data / KEY_FILE).is_file():
        raise SyncError("DataFolderInvalid", detail=f"{data} is not a data folder of Syncline.")
    mode = data.stat().st_mode & 0o777
    tight = not mode & 0o027
    yield _finding("data folder", ok=tight, text=f"{data}" if tight else f"{data} is open to others: chmod 700 {data}")


def _key(data: Path) -> Iterator[Finding]:
    stat = (data / KEY_FILE).stat()
    if stat.st_size != KEY_BYTES:
        yield _finding("key", ok=False, text=f"{KEY_FILE} is damaged; put the one from your backup in its place.")
    elif stat.st_mode & 0o077:
        yield _finding("key", ok=False, text=f"{KEY_FILE} can be read by others: chmod 600 {data / KEY_FILE}")
    else:
        yield _finding("key", ok=True, text=f"{KEY_FILE} is yours alone.")


def _settings(data: Path) -> Iterator[Finding]:
    settings = load(data)
    yield _finding("settings", ok=True, text="understood")
    if settings.clock_offset_s:
        text = f"SYNCLINE_CLOCK_OFFSET_S shifts the clock by {settings.clock_offset_s:g} s."
        yield _finding("clock", ok=False, text=text)


def _disk(data: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(data).free
    yield _finding("disk", ok=free >= FREE_MIN_BYTES, text=f"{free // (1024 * 1024):,} MB free")


def _databases(data: Path) -> Iterator[Finding]:
    for name in DATABASES:
        try:
            address = f"{(data / name).absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
                (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            answer = str(error)
        yield _finding(name, ok=answer == "ok", text="sound" if answer == "ok" else f"damaged: {answer}")


def _jobs(data: Path) -> Iterator[Finding]:
    runs = jobs_run(data)
    yield _finding("jobs", ok=True, text="a server runs them" if runs else "no server runs: syncline serve")


def _mailboxes(data: Path) -> Iterator[Finding]:
    from syncline.wiring import open_app

    app = open_app(data)
    try:
        for mailbox in app.store.mailboxes():
            waits = mailbox.approval is not Approval.APPROVED or mailbox.test is TestState.NOT_RUN
            text = mailbox.last_error_text or ("enabled" if mailbox.enabled else "not enabled")
            yield _finding(mailbox.address, ok=mailbox.last_error is None and (mailbox.enabled or waits), text=text)
    finally:
        app.close()


def _ways_out(data: Path) -> Iterator[Finding]:
    """Try mail server and webhook without sending anything; those that are not set are no finding."""
    from syncline.wiring import mail_of, webhook_of

    settings = load(data)
    for subject, notifier in (("mail", mail_of(settings)), ("webhook", webhook_of(settings))):
        if notifier is None:
            continue
        try:
            yield _finding(subject, ok=True, text=notifier.probe())
        except SyncError as error:
            yield _finding(subject, ok=False, text=f"{error.text} {error.row.what_to_do}")
