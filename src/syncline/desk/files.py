"""Files of appointments in the CRM as people see, download, attach and take them off, where the setting is on (D-05).

Only an appointment's own people may read its files, as with its text; singles alone have any (R-07). What is refused
by size, ending or name is refused here as it is on the way from Exchange (D-06).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncline.core.attachments import KILOBYTE, Limits, refusal
from syncline.desk.appointments import editable
from syncline.desk.entries import Entry, look_at
from syncline.desk.reading import Sight, Viewer
from syncline.errors import SyncError
from syncline.language import _
from syncline.ports import Attachments, AttachmentWritten, Result

if TYPE_CHECKING:
    from syncline.wiring import App


@dataclass(frozen=True, slots=True, kw_only=True)
class FileObject:
    """One file of an appointment; `size` in bytes."""

    id: str
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files of one appointment; `incomplete`: some that are attached in Outlook could not be taken."""

    files: tuple[FileObject, ...]
    incomplete: bool
    size_max_kb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One file with its content."""

    name: str
    content: bytes


def of(app: App, viewer: Viewer, appointment_id: str) -> Files | None:
    """Return the files of an appointment; None where none are shown."""
    limits = app.settings.attachments.limits()
    entry: Entry = app.crm.listed(appointment_id)
    if limits is None or entry.kind != "single" or look_at(viewer, entry) is not Sight.OWN:
        return None
    found = app.crm.attachments([appointment_id]).get(appointment_id)
    if not isinstance(found, Attachments):
        return None
    files = tuple(FileObject(id=each.ref, name=each.name, size=each.size) for each in found.files)
    return Files(files=files, incomplete=found.incomplete, size_max_kb=limits.size_max // KILOBYTE)


def download(app: App, viewer: Viewer, appointment_id: str, file_id: str) -> Download:
    """Return a file with its content; SyncError("NotFoundHere") for what is not there or not to be read."""
    shown = of(app, viewer, appointment_id)
    found = next((each for each in shown.files if each.id == file_id), None) if shown is not None else None
    content = app.crm.attachment_content(file_id, found.size) if found is not None else None
    if found is None or content is None:
        raise SyncError("NotFoundHere", detail=_("This file"))
    return Download(name=found.name, content=content)


def add(app: App, viewer: Viewer, appointment_id: str, name: str, content_type: str, content: bytes) -> None:
    """Attach a file to an appointment; browsers may give a whole path as its name."""
    limits = _limits(app)
    entry, _row = editable(app, viewer, appointment_id)
    plain = name.replace("\\", "/").rpartition("/")[2]
    refused = refusal(plain, len(content), limits)
    if refused is not None:
        detail = f"{plain[:100]} ({refused.why})"
        raise SyncError(refused.code, subject=entry.subject, detail=detail)
    _accepted(app, app.crm.add_file(appointment_id, plain, content_type, content, by_user=viewer.name))


def remove(app: App, viewer: Viewer, appointment_id: str, file_id: str) -> None:
    """Take a file off an appointment; one that is off already is none of its files any more."""
    _limits(app)
    editable(app, viewer, appointment_id)
    _accepted(app, app.crm.remove_file(appointment_id, file_id, by_user=viewer.name))


def _limits(app: App) -> Limits:
    limits = app.settings.attachments.limits()
    if limits is None:
        raise SyncError("InvalidRequest", detail=_("Files are not kept here."))
    return limits


def _accepted(app: App, written: AttachmentWritten) -> None:
    if written.error is not None:
        raise written.error
    if written.result is Result.CLOSED:
        raise SyncError("ClosedInCrm", subject=_("The appointment"), crm=app.settings.crm.name)
    if written.result is not Result.SAVED:
        raise SyncError("RowChanged")
