"""Files of the memory sides: contents by reference, and what a side tells of them.

Both memory sides keep their files in one of these shelves by the reference of the appointment. It must not know either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count

from syncline.errors import SyncError
from syncline.ports import Attachment, NewAttachment

Kept = tuple[Attachment, bytes]


@dataclass(slots=True)
class Shelf:
    """The files of the appointments of one side, by reference of the appointment and of the file."""

    files: dict[str, dict[str, Kept]] = field(default_factory=dict)
    incomplete: set[str] = field(default_factory=set)
    numbers: count[int] = field(default_factory=lambda: count(1))

    def of(self, ref: str) -> tuple[Attachment, ...]:
        """Return what is attached to an appointment, oldest first."""
        return tuple(attachment for attachment, _ in self.files.get(ref, {}).values())

    def content(self, attachment: str, size_max: int) -> bytes | None:
        """Return the content of a file, as the port promises it."""
        found = next((kept[attachment][1] for kept in self.files.values() if attachment in kept), None)
        if found is not None and len(found) > size_max:
            raise SyncError("AttachmentBlocked", subject="", detail=f"it is larger than {size_max} bytes")
        return found

    def put(self, ref: str, new: NewAttachment, *, digest: bool, as_id: str = "") -> str:
        """Keep a file and return its reference; `digest`: the side tells the digest of its content."""
        number = next(self.numbers)
        name = as_id or f"file-{number}"
        attachment = Attachment(
            ref=name,
            name=new.name,
            size=len(new.content),
            stamp=str(number),
            digest=sha256(new.content).hexdigest() if digest else "",
            content_type=new.content_type,
        )
        self.files.setdefault(ref, {})[name] = (attachment, new.content)
        return name

    def take_off(self, ref: str, attachment: str) -> bool:
        """Take a file off and return whether it was there."""
        return self.files.get(ref, {}).pop(attachment, None) is not None

    def hand_on(self, before: str, after: str) -> None:
        """Give a copy of the files of one appointment to another, under references of their own."""
        for attachment, content in list(self.files.get(before, {}).values()):
            again = NewAttachment(id="", name=attachment.name, content_type=attachment.content_type, content=content)
            self.put(after, again, digest=bool(attachment.digest))

    def drop(self, ref: str) -> None:
        """Forget the files of an appointment that is gone."""
        self.files.pop(ref, None)
        self.incomplete.discard(ref)

    def copy(self) -> Shelf:
        """Return the shelf as it stands now."""
        files = {ref: dict(kept) for ref, kept in self.files.items()}
        return Shelf(files=files, incomplete=set(self.incomplete), numbers=self.numbers)
