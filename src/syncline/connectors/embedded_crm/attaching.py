"""Files of singles: listing, reading, attaching and taking off. Each write gives the row another version.

A file is its name and its content, so that the same file attached again changes nothing. It must not know which files
are allowed, nor who may attach them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from sqlalchemy import BindParameter, Connection, RowMapping, bindparam, delete, insert, select, update

from syncline.connectors.embedded_crm.chunk import Pen
from syncline.connectors.embedded_crm.codes import CLOSED, STATUS
from syncline.connectors.embedded_crm.reading import IDS_PER_QUERY_MAX
from syncline.connectors.embedded_crm.rows import identity_of
from syncline.connectors.embedded_crm.schema import appointments, attachment_errors, attachments
from syncline.connectors.embedded_crm.writing import log_change
from syncline.core.appointment import Kind
from syncline.core.times import epoch_s
from syncline.errors import SyncError
from syncline.ports import Attachment, Attachments, AttachmentWritten, NewAttachment, Result

_ids: BindParameter[str] = bindparam("ids", expanding=True)
_LIGHT = [column for column in attachments.c if column.name != "content"]
_of_rows = select(*_LIGHT).where(attachments.c.appointment_id.in_(_ids)).order_by(attachments.c.name, attachments.c.id)
_versions = select(appointments.c.id, appointments.c.version, attachment_errors.c.appointment_id.label("flagged"))
_versions = _versions.outerjoin(attachment_errors, attachment_errors.c.appointment_id == appointments.c.id).where(
    appointments.c.id.in_(_ids), appointments.c.series_id.is_(None)
)
_row = select(appointments).where(appointments.c.id == bindparam("row_id"), appointments.c.series_id.is_(None))


def listed(connection: Connection, row_ids: Sequence[str]) -> Iterator[tuple[str, Attachments]]:
    """Yield what is attached to the rows that exist, by name."""
    for begin in range(0, len(row_ids), IDS_PER_QUERY_MAX):
        ids = {"ids": list(row_ids[begin : begin + IDS_PER_QUERY_MAX])}
        files: dict[str, list[Attachment]] = {}
        for row in connection.execute(_of_rows, ids).mappings():
            files.setdefault(row["appointment_id"], []).append(_attachment(row))
        for row in connection.execute(_versions, ids).mappings():
            found, incomplete = tuple(files.get(row["id"], ())), row["flagged"] is not None
            yield row["id"], Attachments(revision=str(row["version"]), files=found, incomplete=incomplete)


def content(connection: Connection, attachment: str, size_max: int) -> bytes | None:
    """Return the content of a file, None if it is gone; one that is too large is not read."""
    size = connection.scalar(select(attachments.c.size).where(attachments.c.id == attachment))
    if size is not None and size > size_max:
        raise SyncError("AttachmentBlocked", subject="", detail=f"it is larger than {size_max} bytes")
    found = connection.scalar(select(attachments.c.content).where(attachments.c.id == attachment))
    return None if found is None else bytes(found)


def attach(
    connection: Connection, row_id: str, revision: str | None, new: NewAttachment, pen: Pen
) -> AttachmentWritten:
    """Attach a file to a single; `revision` None takes the row as it stands."""
    digest = sha256(new.content).hexdigest()
    here = dict(listed(connection, [row_id])).get(row_id)
    files = here.files if here is not None else ()
    same = next((each for each in files if each.ref == new.id or (each.name, each.digest) == (new.name, digest)), None)
    if same is not None and _stands(here, revision):
        return AttachmentWritten(result=Result.SAVED, after=here, ref=same.ref)
    row = connection.execute(_row, {"row_id": row_id}).mappings().one_or_none()
    refused = _unwritable(row, revision, here)
    if refused is not None or row is None:
        return refused or AttachmentWritten(result=Result.STALE)
    if row["kind"] != Kind.SINGLE:
        error = SyncError("CrmRefused", crm=pen.crm_name, subject=row["subject"], detail="a series keeps no files")
        return AttachmentWritten(result=Result.FAILED, error=error)
    values = {
        "id": new.id,
        "appointment_id": row_id,
        "name": new.name,
        "content_type": new.content_type,
        "size": len(new.content),
        "digest": digest,
        "content": new.content,
        "added_by": pen.writer,
        "added_at": epoch_s(pen.now),
    }
    connection.execute(insert(attachments), values)
    return AttachmentWritten(result=Result.SAVED, after=_moved(connection, row, pen), ref=new.id)


def detach(connection: Connection, row_id: str, revision: str | None, attachment: str, pen: Pen) -> AttachmentWritten:
    """Take a file off a row; one that is off already changes nothing."""
    here = dict(listed(connection, [row_id])).get(row_id)
    if here is not None and _stands(here, revision) and all(each.ref != attachment for each in here.files):
        return AttachmentWritten(result=Result.SAVED, after=here)
    row = connection.execute(_row, {"row_id": row_id}).mappings().one_or_none()
    refused = _unwritable(row, revision, here)
    if refused is not None or row is None:
        return refused or AttachmentWritten(result=Result.STALE)
    connection.execute(delete(attachments).where(attachments.c.id == attachment))
    return AttachmentWritten(result=Result.SAVED, after=_moved(connection, row, pen))


def flag(connection: Connection, row_id: str, *, incomplete: bool) -> None:
    """Set or take away the flag of a row that exists; its version stays."""
    connection.execute(delete(attachment_errors).where(attachment_errors.c.appointment_id == row_id))
    if incomplete and connection.execute(_row, {"row_id": row_id}).first() is not None:
        connection.execute(insert(attachment_errors), {"appointment_id": row_id})


def _stands(here: Attachments | None, revision: str | None) -> bool:
    """Return whether the row is what the writer has seen: SAVED would hide what somebody else changed since."""
    return here is not None and (revision is None or here.revision == revision)


def _unwritable(row: RowMapping | None, revision: str | None, here: Attachments | None) -> AttachmentWritten | None:
    """Return STALE or CLOSED (A-22), None if the row can be written."""
    if row is None:
        return AttachmentWritten(result=Result.STALE)
    if STATUS[row["statecode"]] in CLOSED:
        return AttachmentWritten(result=Result.CLOSED, after=here)
    if revision is not None and str(row["version"]) != revision:
        return AttachmentWritten(result=Result.STALE, after=here)
    return None


def _moved(connection: Connection, row: RowMapping, pen: Pen) -> Attachments:
    """Give the row its next version and tell of it in the change log; return what is attached now."""
    version = row["version"] + 1
    stamp = {"version": version, "modified_by": pen.writer, "modified_at": epoch_s(pen.now)}
    connection.execute(update(appointments).where(appointments.c.id == row["id"]).values(stamp))
    log_change(connection, row["id"], version, identity_of(row), pen.now)
    return dict(listed(connection, [row["id"]]))[row["id"]]


def _attachment(row: RowMapping) -> Attachment:
    return Attachment(
        ref=row["id"],
        name=row["name"],
        size=row["size"],
        stamp=row["digest"],
        digest=row["digest"],
        content_type=row["content_type"],
    )
