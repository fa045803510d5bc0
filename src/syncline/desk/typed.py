"""Words and time zones as somebody types them, made values or refused with what would be taken.

It must not know what they are given for.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from syncline.core.times import UnknownZone, resolve_zone
from syncline.errors import SyncError
from syncline.language import _

Word = TypeVar("Word", bound=StrEnum)


def word(words: type[Word], text: str, name: str) -> Word:
    """Return one of the `words`; SyncError("InvalidRequest") names those that `name` takes."""
    try:
        return words(text)
    except ValueError as error:
        raise SyncError(
            "InvalidRequest",
            detail=_("%(name)s takes %(words)s; not %(text)s.", name=name, words=", ".join(words), text=repr(text)),
        ) from error


def zone(name: str) -> str:
    """Return the IANA zone of an IANA or Windows name; SyncError("InvalidRequest") if it is not known."""
    try:
        return resolve_zone(name)
    except UnknownZone as error:
        detail = _('The time zone "%(name)s" is not known; it takes IANA names such as Europe/Copenhagen.', name=name)
        raise SyncError("InvalidRequest", detail=detail) from error
