"""Global object ids: what names a meeting everywhere, as UID text and as the bytes that Exchange searches by.

Pure. Format: [MS-OXOCAL] 2.2.1.27 (PidLidGlobalObjectId) and [MS-OXCICAL] 2.1.3.1.1.20.26 (UID). A UID is the hex of
such an id, or foreign text, which Exchange wraps under the mark vCal-Uid. One that carries the date of an occurrence
(bytes 16 to 19) is cleared, so that all copies of a meeting have one identity (ews-facts.md, rule A-33a).
"""

from __future__ import annotations

import binascii
from datetime import date
from typing import Final

_CLASS_ID: Final = bytes.fromhex("040000008200E00074C5B7101A82E008")
_DATE: Final = slice(16, 20)
_DATA: Final = 40
_FOREIGN: Final = b"vCal-Uid\x01\x00\x00\x00"


def identity_text(uid: str) -> str:
    """Return the UID as identity: as it is, but with the date of an occurrence cleared from a hex one."""
    raw = _object_id(uid)
    if raw is None or not any(raw[_DATE]):
        return uid
    return uid[:32] + "00000000" + uid[40:]


def embedded_date(uid: str) -> date | None:
    """Return the date of the occurrence that a hex UID carries, None if it carries none."""
    raw = _object_id(uid)
    if raw is None or not any(raw[_DATE]):
        return None
    try:
        return date(raw[16] << 8 | raw[17], raw[18], raw[19])
    except ValueError:
        return None


def text_of_clean_id(clean_id: bytes) -> str:
    """Return the UID that belongs to a clean global object id; empty for no or a broken one."""
    if len(clean_id) < _DATA or not clean_id.startswith(_CLASS_ID):
        return ""
    data = clean_id[_DATA:]
    if data.startswith(_FOREIGN):
        return data[len(_FOREIGN) :].rstrip(b"\x00").decode("utf-8", "replace")
    return clean_id.hex().upper()


def clean_id(global_object_id: str) -> bytes:
    """Return the value of PidLidCleanGlobalObjectId of an identity."""
    raw = _object_id(global_object_id)
    if raw is not None:
        return raw[:16] + bytes(4) + raw[20:]
    data = _FOREIGN + global_object_id.encode() + b"\x00"
    return _CLASS_ID + bytes(20) + len(data).to_bytes(4, "little") + data


def _object_id(uid: str) -> bytes | None:
    if len(uid) < 2 * _DATA:
        return None
    try:
        raw = binascii.unhexlify(uid)
    except (binascii.Error, ValueError):
        return None
    return raw if raw.startswith(_CLASS_ID) else None
