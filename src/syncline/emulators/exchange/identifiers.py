"""Opaque identifiers of the emulated server: item and folder ids, change keys, sync states, meeting ids.

Pure functions between numbers and the base64 texts that clients see. Occurrence ids are derived from the
master's row and the original start and are never stored. Global object ids follow [MS-OXOCAL] 2.2.1.27
(PidLidGlobalObjectId) and 2.2.1.28 (PidLidCleanGlobalObjectId).
"""

from __future__ import annotations

import binascii
import struct
import uuid
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime

from syncline.emulators.exchange.errors import EwsError

ITEM, OCCURRENCE, FOLDER, ATTACHMENT = 1, 2, 3, 4
GOID_HEADER = bytes.fromhex("040000008200E00074C5B7101A82E008")
VCAL_MARK = b"vCal-Uid\x01\x00\x00\x00"


@dataclass(frozen=True, slots=True)
class Reference:
    """A decoded id: the row, and for an occurrence the original start."""

    row: int
    original_start: datetime | None = None


def item_id(mailbox: int, row: int) -> str:
    """Return the id of an item; it changes when the item moves, because the row does."""
    return _encode(struct.pack(">BIQ", ITEM, mailbox, row))


def occurrence_id(mailbox: int, row: int, original_start: datetime) -> str:
    """Return the id of one occurrence of the series in `row`."""
    return _encode(struct.pack(">BIQq", OCCURRENCE, mailbox, row, int(original_start.timestamp())))


def folder_id(mailbox: int, row: int) -> str:
    """Return the id of a folder."""
    return _encode(struct.pack(">BIQ", FOLDER, mailbox, row))


def attachment_id(mailbox: int, row: int, blob: int) -> str:
    """Return the id of a file on an item; it changes when the item moves."""
    return _encode(struct.pack(">BIQQ", ATTACHMENT, mailbox, row, blob))


def read_attachment_id(text: str) -> tuple[str, int]:
    """Return the id of the item that a file is on, and which file it is; raises ErrorInvalidAttachmentId."""
    raw = _decode(text)
    if len(raw) != 21 or raw[0] != ATTACHMENT:
        raise EwsError("ErrorInvalidAttachmentId")
    _, mailbox, row, blob = struct.unpack(">BIQQ", raw)
    return item_id(mailbox, row), blob


def read_item_id(text: str) -> Reference:
    """Return what an item id names; raises ErrorInvalidIdMalformed."""
    raw = _decode(text)
    if len(raw) == 13 and raw[0] == ITEM:
        return Reference(struct.unpack(">BIQ", raw)[2])
    if len(raw) == 21 and raw[0] == OCCURRENCE:
        _, _, row, start = struct.unpack(">BIQq", raw)
        return Reference(row, datetime.fromtimestamp(start, UTC))
    raise EwsError("ErrorInvalidIdMalformed")


def read_folder_id(text: str) -> int:
    """Return the row that a folder id names; raises ErrorInvalidIdMalformed."""
    raw = _decode(text)
    if len(raw) != 13 or raw[0] != FOLDER:
        raise EwsError("ErrorInvalidIdMalformed")
    return int(struct.unpack(">BIQ", raw)[2])


def change_key(change: int) -> str:
    """Return the ChangeKey of a change number."""
    return b64encode(struct.pack(">HIQ", 0x0F00, 0x16, change)).decode()


def read_change_key(text: str) -> int:
    """Return the change number of a ChangeKey, or -1 when it was never one of ours."""
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return -1
    return int(struct.unpack(">HIQ", raw)[2]) if len(raw) == 14 else -1


@dataclass(frozen=True, slots=True)
class SyncState:
    """How far a client has read one folder: everything up to `floor`; while paging also rows from `cursor` up.

    `ceiling` becomes the next floor when the last page was read; `epoch` tells states of an earlier life
    (before a reset) from those of this one.
    """

    epoch: int
    folder: int
    floor: int = 0
    ceiling: int = 0
    cursor: int = 0

    def text(self) -> str:
        """Return the opaque text."""
        return b64encode(
            b"H4sI" + struct.pack(">IQQQQ", self.epoch, self.folder, self.floor, self.ceiling, self.cursor)
        ).decode()


def read_sync_state(text: str) -> SyncState:
    """Return the state that a text stands for; raises ErrorInvalidSyncStateData."""
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise EwsError("ErrorInvalidSyncStateData") from None
    if len(raw) != 40 or raw[:4] != b"H4sI":
        raise EwsError("ErrorInvalidSyncStateData")
    return SyncState(*struct.unpack(">IQQQQ", raw[4:]))


def new_uid() -> str:
    """Return a fresh UID: the hex of a clean global object id."""
    return (GOID_HEADER + bytes(20) + struct.pack("<I", 16) + uuid.uuid4().bytes).hex().upper()


def clean_global_object_id(uid: str) -> bytes:
    """Return the clean global object id of a UID: its own bytes, or the vCal-Uid form of a foreign one."""
    raw = _hex(uid)
    if raw is not None and raw.startswith(GOID_HEADER) and len(raw) >= 40:
        return raw[:16] + bytes(4) + raw[20:]
    data = VCAL_MARK + uid.encode() + b"\0"
    return GOID_HEADER + bytes(20) + struct.pack("<I", len(data)) + data


def global_object_id(uid: str, day: date | None) -> bytes:
    """Return the global object id: the clean one with the date of one occurrence in bytes 16 to 19."""
    clean = clean_global_object_id(uid)
    if day is None:
        return clean
    return clean[:16] + struct.pack(">HBB", day.year, day.month, day.day) + clean[20:]


def _hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _encode(raw: bytes) -> str:
    return "AAMkA" + b64encode(raw).decode()


def _decode(text: str) -> bytes:
    if not text.startswith("AAMkA"):
        raise EwsError("ErrorInvalidIdMalformed")
    try:
        return b64decode(text[5:], validate=True)
    except (binascii.Error, ValueError):
        raise EwsError("ErrorInvalidIdMalformed") from None
