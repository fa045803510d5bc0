"""Files of items: what listing, reading, attaching and taking off take in requests, and what became of them.

The ChangeKey is read just before a file is written, and what is attached is listed again afterwards. Nothing here mails
anybody: the operations have no mode, and the item itself is not sent. It must not know how requests look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from msgspec.structs import replace

from syncline.connectors.exchange_web_services import wire_attachments as wire
from syncline.connectors.exchange_web_services.failures import PERHAPS_ONE_ITEM, About, of_invalid, of_message
from syncline.connectors.exchange_web_services.transport import Transport
from syncline.connectors.exchange_web_services.wire import InvalidAnswer, Message, Request
from syncline.connectors.exchange_web_services.wire_items import item_of
from syncline.core.attachments import KILOBYTE
from syncline.errors import Scope, SyncError
from syncline.ports import Attachments, AttachmentWritten, NewAttachment, Result

ITEMS_PER_REQUEST: Final = 100
_GONE: Final = frozenset({"ErrorItemNotFound"})
_NO_FILE: Final = frozenset({"ErrorInvalidAttachmentId", "ErrorItemNotFound", "ErrorCannotOpenFileAttachment"})
_MOVED_ON: Final = frozenset({"ErrorIrresolvableConflict", "ErrorStaleObject", "ErrorInvalidChangeKey", *_GONE})
_CODES: Final[Mapping[str, str]] = {
    "ErrorAccessDenied": "ItemNotWritable",
    "ErrorAttachmentSizeLimitExceeded": "AttachmentBlocked",
    "ErrorMessageSizeExceeded": "AttachmentBlocked",
    "ErrorInvalidAttachmentSubfilter": "AttachmentBlocked",
}


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one mailbox's items; `control` asks the server for something else, to tell who is at fault.

    `sizes` are those that were listed last, by reference of the file, in bytes.
    """

    transport: Transport
    mailbox: str
    control: Request
    sizes: dict[str, int] = field(default_factory=dict)

    def listed(self, refs: Sequence[str]) -> dict[str, Attachments | SyncError]:
        """Return what is attached to these items, by reference; those that are gone are left out."""
        found: dict[str, Attachments | SyncError] = {}
        for begin in range(0, len(refs), ITEMS_PER_REQUEST):
            found.update(self._batch(refs[begin : begin + ITEMS_PER_REQUEST]))
        items = (each for each in found.values() if isinstance(each, Attachments))
        self.sizes.update((file.ref, file.size) for item in items for file in item.files)
        return found

    def content(self, ref: str, size_max: int) -> bytes | None:
        """Return the content of one file, None if it is gone."""
        reader = partial(wire.content_of, size_max=size_max, listed=self.sizes.get(ref, 0))
        try:
            found = self.transport.fetch(wire.get_attachment(ref), About.ITEM, reader)
        except wire.TooMuch as error:
            detail = f"it is larger than {size_max // KILOBYTE} KB"
            raise SyncError("AttachmentBlocked", subject="", detail=detail) from error
        except SyncError as error:
            raise self._blamed(error, "ItemUnreadable") from error
        if isinstance(found, bytes):
            return found
        if found.code in _NO_FILE:
            return None
        raise of_message(found, About.ITEM, self.mailbox, subject="")

    def attach(self, ref: str, revision: str, new: NewAttachment) -> AttachmentWritten:
        """Attach one file if the item still has that ChangeKey."""
        refused = self._refused(ref, revision)
        if refused is not None:
            return refused
        try:
            (answer,) = self._asked(wire.create_attachment(ref, revision, new), 1)
        except SyncError as error:
            raise self._blamed(error, "ItemRefused") from error
        if not answer.ok:
            return self._refusal(answer)
        try:
            made = wire.made_ref(answer)
        except InvalidAnswer as error:
            raise of_invalid(error, self.mailbox) from error
        return AttachmentWritten(result=Result.SAVED, after=self._after(ref, answer), ref=made)

    def detach(self, ref: str, revision: str, attachment: str) -> AttachmentWritten:
        """Take one file off if the item still has that ChangeKey; one that is off already is SAVED."""
        refused = self._refused(ref, revision)
        if refused is not None:
            return refused
        (answer,) = self._asked(wire.delete_attachment(attachment), 1)
        if not answer.ok and answer.code not in _NO_FILE:
            return self._refusal(answer)
        return AttachmentWritten(result=Result.SAVED, after=self._after(ref, answer))

    def _batch(self, refs: Sequence[str]) -> dict[str, Attachments | SyncError]:
        """List one batch; one that fails as a whole is halved until the bad item stands alone."""
        try:
            answers = self._asked(wire.list_attachments(refs), len(refs))
        except SyncError as error:
            blamed = self._blamed(error, "ItemUnreadable")
            if blamed is error:
                raise
            middle = len(refs) // 2
            return {refs[0]: blamed} if not middle else self._batch(refs[:middle]) | self._batch(refs[middle:])
        entries = ((ref, self._entry(ref, answer)) for ref, answer in zip(refs, answers, strict=True))
        return {ref: entry for ref, entry in entries if entry is not None}

    def _now(self, ref: str) -> Attachments | None:
        found = self.listed([ref]).get(ref)
        if isinstance(found, SyncError):
            raise found
        return found

    def _after(self, ref: str, answer: Message) -> Attachments | None:
        """Return what is attached after a write, at the revision that the write itself made.

        Where somebody has changed the item since, that revision is old already, and the change is seen like any other.
        """
        now, revision = self._now(ref), wire.root_revision(answer)
        return replace(now, revision=revision) if now is not None and revision else now

    def _refused(self, ref: str, revision: str) -> AttachmentWritten | None:
        """Return STALE unless the item is what it was."""
        now = self._now(ref)
        if now is None or now.revision != revision:
            return AttachmentWritten(result=Result.STALE, after=now)
        return None

    def _refusal(self, answer: Message) -> AttachmentWritten:
        """Return what became of a file that the server refused; what concerns the mailbox is raised."""
        if answer.code in _MOVED_ON:
            return AttachmentWritten(result=Result.STALE)
        detail = f"{answer.code}: {answer.text}" if answer.text else answer.code
        code = _CODES.get(answer.code)
        if code is None:
            error = of_message(answer, About.ITEM, self.mailbox, subject="")
            if error.row.scope is not Scope.ITEM:
                raise error
        found = SyncError(code or "ItemRefused", mailbox=self.mailbox, subject="", detail=detail)
        return AttachmentWritten(result=Result.FAILED, error=found)

    def _blamed(self, error: SyncError, code: str) -> SyncError:
        """Return the failure of a whole request as that of its only file, if the server can still do something else."""
        if error.code not in PERHAPS_ONE_ITEM:
            return error
        self.transport.one(self.control, About.CALENDAR)
        return SyncError(code, mailbox=self.mailbox, subject="", detail=error.params.get("detail", ""))

    def _entry(self, ref: str, answer: Message) -> Attachments | SyncError | None:
        if answer.ok:
            try:
                item = item_of(answer)
                return None if item is None else wire.attachments_of(item)
            except InvalidAnswer as invalid:
                detail = str(invalid)
                return SyncError("ItemUnreadable", ref=ref, mailbox=self.mailbox, subject="", detail=detail)
        if answer.code in _GONE:
            return None
        error = of_message(answer, About.ITEM, self.mailbox, subject="")
        if error.row.scope is not Scope.ITEM:
            raise error
        error.ref = ref
        return error

    def _asked(self, request: Request, count: int) -> list[Message]:
        answers = self.transport.call(request, About.ITEM)
        if len(answers) != count:
            raise of_invalid(InvalidAnswer(f"{len(answers)} answers to {count} questions"), self.mailbox)
        return answers
