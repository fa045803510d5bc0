"""Files of a calendar entry: downloading, attaching and taking them off.

A file is always saved by the browser and never shown by it: whatever it says it is, it comes as plain bytes.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, UploadFile
from starlette.responses import Response

from syncline.desk import files as desk
from syncline.errors import SyncError
from syncline.language import _
from syncline.web.pages.rendering import Here, go

router = APIRouter()
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-store",
}


@router.get("/calendar/{appointment_id}/files/{file_id}")
def download(visit: Here, appointment_id: str, file_id: str) -> Response:
    """Hand a file out, to be saved."""
    found = desk.download(visit.app, visit.viewer, appointment_id, file_id)
    disposition = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
    headers = {**HEADERS, "Content-Disposition": disposition}
    return Response(found.content, media_type="application/octet-stream", headers=headers)


@router.post("/calendar/{appointment_id}/files")
def attach(visit: Here, appointment_id: str, file: Annotated[UploadFile | None, File()] = None) -> Response:
    """Attach the chosen file."""
    if file is None or not file.filename:
        raise SyncError("InvalidRequest", detail=_("Choose a file to attach."))
    content = file.file.read()
    desk.add(visit.app, visit.viewer, appointment_id, file.filename, file.content_type or "", content)
    return go(f"/calendar/{quote(appointment_id, safe='')}?said=file-added")


@router.post("/calendar/{appointment_id}/files/{file_id}/remove")
def remove(visit: Here, appointment_id: str, file_id: str) -> Response:
    """Take a file off."""
    desk.remove(visit.app, visit.viewer, appointment_id, file_id)
    return go(f"/calendar/{quote(appointment_id, safe='')}?said=file-removed")
