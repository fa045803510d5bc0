"""Backup and restore of a data folder: both databases, the key and the settings in one tar.

A backup is consistent while Syncline runs (SQLite's own backup of each database). It knows files and no table.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from syncline.config import CONFIG_FILE
from syncline.desk.running import JobsLock
from syncline.errors import SyncError
from syncline.wiring import forget_crm_cursors

STATE_FILE = "state.db"
CRM_FILE = "crm.db"
KEY_FILE = "secret.key"
# The state first: rows that the CRM got meanwhile are found again by their identity, while links to rows that are not
# there yet would look as if somebody had deleted the rows.
DATABASES = (STATE_FILE, CRM_FILE)
REQUIRED = (*DATABASES, KEY_FILE)
MEMBERS = frozenset({*REQUIRED, CONFIG_FILE})
KEY_BYTES = 32
BUSY_TIMEOUT_S = 30.0


def backup(data: Path, file: Path) -> None:
    """Write the archive `file` (mode 0600); SyncError("AlreadyExists") if it exists already."""
    if not (data / KEY_FILE).is_file():
        raise SyncError("DataFolderInvalid", detail=f"{data} is not a data folder of Syncline.")
    if file.exists():
        raise SyncError("AlreadyExists", detail=str(file))
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.absolute().parent) as name:
            _pack(data, Path(name)).rename(file)
    except (OSError, sqlite3.Error) as error:
        raise _failure(f"The backup {file} cannot be written", error) from error


def restore(file: Path, data: Path) -> Path | None:
    """Put an archive in place; return the folder that keeps what was there before, or None if nothing was.

    The CRM that comes back has a new epoch: every cursor of its change log is unknown, so that the next cycle of each
    mailbox looks at all rows instead of going on from a place that no longer means the same.

    Raises SyncError("DataFolderBusy") while a server runs on the folder, SyncError("InvalidRequest") if the archive is
    not one of ours or is damaged; nothing is changed then.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=data) as name, JobsLock(data):
            fresh = Path(name)
            _unpack(file, fresh)
            forget_crm_cursors(fresh / CRM_FILE)
            kept = _set_aside(data)
            for member in MEMBERS:
                if (fresh / member).is_file():
                    (fresh / member).chmod(0o600)
                    (fresh / member).replace(data / member)
            return kept
    except (OSError, sqlite3.Error) as error:
        raise _failure(f"{file} cannot be restored", error) from error


def _pack(data: Path, folder: Path) -> Path:
    """Copy what belongs into the archive to a folder, and return the archive made of it there."""
    for database in DATABASES:
        _copy_database(data / database, folder / database)
    for plain in (KEY_FILE, CONFIG_FILE):
        if (data / plain).is_file():
            shutil.copyfile(data / plain, folder / plain)
    archive = folder / "archive.tar"
    archive.touch(0o600)
    with tarfile.open(archive, "w") as tar:
        for member in sorted(MEMBERS):
            if (folder / member).is_file():
                tar.add(folder / member, member)
    return archive


def _copy_database(source: Path, target: Path) -> None:
    address = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


def _unpack(file: Path, folder: Path) -> None:
    try:
        with tarfile.open(file, "r:*") as tar:
            for member in tar:
                if member.name not in MEMBERS or not member.isfile():
                    raise SyncError("InvalidRequest", detail=f"{file} is not a backup of Syncline: {member.name!r}.")
                tar.extract(member, folder, set_attrs=False, filter="data")
    except tarfile.TarError as error:
        raise SyncError("InvalidRequest", detail=f"{file} is not a backup of Syncline.") from error
    missing = [name for name in REQUIRED if not (folder / name).is_file()]
    if missing:
        raise SyncError("InvalidRequest", detail=f"{file} lacks {', '.join(missing)}.")
    if (folder / KEY_FILE).stat().st_size != KEY_BYTES:
        raise SyncError("InvalidRequest", detail=f"The key in {file} is damaged.")
    for database in DATABASES:
        _check_database(folder / database, file)


def _check_database(path: Path, file: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as connection:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        answer = str(error)
    if answer != "ok":
        raise SyncError("InvalidRequest", detail=f"{path.name} in {file} is damaged: {answer}.")


def _set_aside(data: Path) -> Path | None:
    """Move the present files, with the logs that belong to them, into a folder of their own."""
    logs = [f"{database}{suffix}" for database in DATABASES for suffix in ("-wal", "-shm")]
    present = [data / name for name in (*sorted(MEMBERS), *logs) if (data / name).exists()]
    if not present:
        return None
    kept = data / f"before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    kept.mkdir(mode=0o700)
    for path in present:
        path.replace(kept / path.name)
    return kept


def _failure(what: str, error: Exception) -> SyncError:
    full = (
        getattr(error, "errno", None) == errno.ENOSPC or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    )
    return SyncError("DiskFull" if full else "DataFolderInvalid", detail=f"{what}: {error}")
