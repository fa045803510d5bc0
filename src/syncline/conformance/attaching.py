"""What every side must do that keeps files of appointments (`syncline.ports.AttachmentSide`), as tests.

The same facts hold for calendars and CRMs. A subclass of `ReplicaAttachmentConformance` or `CrmAttachmentConformance`
whose name starts with Test is collected; it overrides nothing but the fixture `replica_world` or `crm_world`. It must
not know any connector.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import pytest
from msgspec.structs import replace

from syncline.conformance import samples
from syncline.conformance.worlds import CrmWorld, ReplicaWorld
from syncline.errors import SyncError
from syncline.ports import Attachments, AttachmentSide, AttachmentWritten, NewAttachment, Result

UID = "with-files"
BYTES = bytes(range(256)) + "Änderungen & <mehr>".encode()
SIZE_MAX = 1_048_576


@dataclass(frozen=True)
class Kept:
    """One appointment on the tested side: its reference there, and how people change its subject and delete it."""

    side: AttachmentSide
    ref: str
    edit: Callable[[], object]
    delete: Callable[[], object]
    mails: Callable[[], int] = lambda: 0
    revision_of: Callable[[], str] | None = None

    @property
    def now(self) -> Attachments:
        """Return what is attached."""
        found = self.side.attachments([self.ref])[self.ref]
        assert isinstance(found, Attachments)
        return found

    def names(self) -> list[str]:
        """Return the names of what is attached, in order."""
        return sorted(each.name for each in self.now.files)

    def attach(self, name: str, content: bytes = BYTES, number: int = 1) -> AttachmentWritten:
        """Attach a file to the appointment as it stands."""
        new = NewAttachment(id=f"file-{number}", name=name, content_type="text/plain", content=content)
        return self.side.attach(self.ref, self.now.revision, new)


def kept_in_calendar(world: ReplicaWorld) -> Kept:
    """Return a meeting of Ada's with Bob, who was invited."""
    ada = world.address
    world.add(ada, samples.meeting(UID, samples.at(9)))
    replica = world.replica(ada)
    (found,) = replica.find([UID])[UID]
    return Kept(
        side=replica,
        ref=found.ref,
        edit=lambda: world.edit(ada, UID, subject="Another"),
        delete=lambda: world.delete(ada, UID),
        mails=world.mails,
        revision_of=lambda: replica.find([UID])[UID][0].revision,
    )


def kept_in_crm(world: CrmWorld) -> Kept:
    """Return a row of Bob's."""
    row_id = world.enter(replace(samples.single(UID, samples.at(9)), organizer=samples.BOB))
    crm = world.crm()
    return Kept(
        side=crm,
        ref=row_id,
        edit=lambda: world.edit(row_id, subject="Another"),
        delete=lambda: world.delete(row_id),
        revision_of=lambda: str(crm.read([row_id])[row_id].version),
    )


class AttachmentConformance:
    """The suite for one side that keeps files."""

    def test_an_appointment_without_files_says_so(self, kept: Kept) -> None:
        """Nothing is attached, at the revision that the appointment itself has."""
        assert kept.now.files == ()
        assert kept.revision_of is not None
        assert kept.now.revision == kept.revision_of()

    def test_a_file_is_listed_and_read_as_it_was_attached(self, kept: Kept) -> None:
        """Name, type, size and content come back, and the answer names the file and what stands afterwards."""
        written = kept.attach("Plan & <notes> ä.txt")
        (found,) = kept.now.files
        assert (written.result, written.ref, written.after) == (Result.SAVED, found.ref, kept.now)
        assert (found.name, found.content_type, found.file) == ("Plan & <notes> ä.txt", "text/plain", True)
        assert found.size >= len(BYTES)
        assert found.digest in ("", sha256(BYTES).hexdigest())
        assert kept.side.attachment_content(found.ref, SIZE_MAX) == BYTES

    def test_a_file_moves_the_revision_of_its_appointment(self, kept: Kept) -> None:
        """What observes revisions sees that a file came or went."""
        seen = [kept.now.revision]
        written = kept.attach("a.txt")
        seen.append(kept.now.revision)
        kept.side.detach(kept.ref, kept.now.revision, written.ref)
        seen.append(kept.now.revision)
        assert kept.revision_of is not None
        assert (len(set(seen)), kept.revision_of()) == (3, seen[-1])

    def test_files_mail_nobody(self, kept: Kept) -> None:
        """Guests hear of a file only with the next mail about the meeting."""
        before = kept.mails()
        written = kept.attach("a.txt")
        kept.side.detach(kept.ref, kept.now.revision, written.ref)
        assert kept.mails() == before

    def test_an_empty_file_is_a_file(self, kept: Kept) -> None:
        """A file without content is kept and read."""
        written = kept.attach("empty.txt", b"")
        assert kept.side.attachment_content(written.ref, SIZE_MAX) == b""

    def test_a_file_that_is_taken_off_is_gone(self, kept: Kept) -> None:
        """Only that file goes; its content cannot be read any more, and taking it off again is harmless."""
        first, _ = kept.attach("a.txt"), kept.attach("b.txt", b"b", 2)
        written = kept.side.detach(kept.ref, kept.now.revision, first.ref)
        assert (written.result, written.after, kept.names()) == (Result.SAVED, kept.now, ["b.txt"])
        assert kept.side.attachment_content(first.ref, SIZE_MAX) is None
        again = kept.side.detach(kept.ref, kept.now.revision, first.ref)
        assert (again.result, kept.names()) == (Result.SAVED, ["b.txt"])

    def test_two_files_of_one_name_are_two(self, kept: Kept) -> None:
        """A name may stand twice with different contents."""
        kept.attach("a.txt", b"one", 1)
        kept.attach("a.txt", b"two", 2)
        contents = {kept.side.attachment_content(each.ref, SIZE_MAX) for each in kept.now.files}
        assert (kept.names(), contents) == (["a.txt", "a.txt"], {b"one", b"two"})

    def test_an_appointment_that_changed_meanwhile_is_left_alone(self, kept: Kept) -> None:
        """With an older revision nothing is attached or taken off."""
        kept.attach("a.txt")
        (file,) = kept.now.files
        old = kept.now.revision
        kept.edit()
        new = NewAttachment(id="file-2", name="b.txt", content=b"b")
        assert kept.side.attach(kept.ref, old, new).result is Result.STALE
        assert kept.side.detach(kept.ref, old, file.ref).result is Result.STALE
        assert kept.names() == ["a.txt"]

    def test_what_is_done_already_hides_no_other_change(self, kept: Kept) -> None:
        """A file that is off already is STALE at an older revision: SAVED would pass somebody's edit off as ours."""
        old, written = kept.now.revision, kept.attach("a.txt")
        kept.side.detach(kept.ref, kept.now.revision, written.ref)
        kept.edit()
        again = kept.side.detach(kept.ref, old, written.ref)
        assert (again.result, kept.names()) == (Result.STALE, [])

    def test_files_stay_when_their_appointment_is_edited(self, kept: Kept) -> None:
        """Another subject changes no file, and none is read anew: reference, size and stamp stay."""
        kept.attach("a.txt")
        before = kept.now.files
        kept.edit()
        assert kept.now.files == before

    def test_an_appointment_that_is_gone_has_no_files(self, kept: Kept) -> None:
        """It is left out of the listing, and nothing can be attached to it."""
        old = kept.now.revision
        kept.delete()
        new = NewAttachment(id="file-1", name="a.txt", content=b"a")
        assert kept.side.attachments([kept.ref]) == {}
        assert kept.side.attach(kept.ref, old, new).result is Result.STALE

    def test_a_file_beyond_the_limit_is_not_handed_out(self, kept: Kept) -> None:
        """Content that is too large is refused instead of being held in memory."""
        written = kept.attach("a.txt", b"0123456789")
        with pytest.raises(SyncError) as refused:
            kept.side.attachment_content(written.ref, 9)
        assert refused.value.code == "AttachmentBlocked"
        assert kept.side.attachment_content(written.ref, 10) == b"0123456789"

    def test_large_files_pass(self, kept: Kept) -> None:
        """Twelve megabytes come back as they went."""
        content = bytes(range(256)) * 49_152
        written = kept.attach("large.bin", content)
        assert kept.side.attachment_content(written.ref, len(content)) == content


class ReplicaAttachmentConformance(AttachmentConformance):
    """The suite for one calendar connector."""

    @pytest.fixture
    def kept(self, replica_world: ReplicaWorld) -> Kept:
        """Return an appointment in the tested calendar."""
        return kept_in_calendar(replica_world)


class CrmAttachmentConformance(AttachmentConformance):
    """The suite for one CRM connector; the ids of its files are its client's."""

    @pytest.fixture
    def kept(self, crm_world: CrmWorld) -> Kept:
        """Return a row of the tested CRM."""
        return kept_in_crm(crm_world)

    def test_a_repeated_addition_finds_the_file(self, kept: Kept) -> None:
        """The same id answers SAVED and doubles nothing; at an older revision it is STALE as every write is."""
        old = kept.now.revision
        new = NewAttachment(id="file-1", name="a.txt", content=b"a")
        first = kept.side.attach(kept.ref, old, new)
        again = kept.side.attach(kept.ref, kept.now.revision, new)
        assert (first.result, again.result, again.ref) == (Result.SAVED, Result.SAVED, "file-1")
        assert kept.side.attach(kept.ref, old, new).result is Result.STALE
        assert kept.names() == ["a.txt"]

    def test_a_closed_row_keeps_its_files(self, crm_world: CrmWorld, kept: Kept) -> None:
        """A completed row is read-only for files too (A-22)."""
        written = kept.attach("a.txt")
        crm_world.complete(kept.ref)
        assert kept.attach("b.txt", b"b", 2).result is Result.CLOSED
        assert kept.side.detach(kept.ref, kept.now.revision, written.ref).result is Result.CLOSED
        assert kept.names() == ["a.txt"]

    @pytest.mark.rule("D-06")
    def test_a_row_remembers_that_files_are_missing(self, crm_world: CrmWorld, kept: Kept) -> None:
        """Attachmenterrors is set and taken away, and is no new version."""
        crm, old = crm_world.crm(), kept.now.revision
        crm.flag_attachments(kept.ref, incomplete=True)
        assert (kept.now.incomplete, kept.now.revision) == (True, old)
        crm.flag_attachments(kept.ref, incomplete=False)
        assert kept.now.incomplete is False
