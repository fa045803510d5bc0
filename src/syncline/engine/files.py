"""The files of one link while they are brought in step: what both sides hold, what is to be done, and doing it.

One content is held at a time, and a few small ones. Names of files reach the journal, those of private appointments do
not, and contents never. It must not know which links are due.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import PurePosixPath

from msgspec.structs import replace

from syncline.core.attachments import (
    BAD_NAME,
    BLOCKED,
    Attached,
    File,
    Known,
    Refused,
    Side,
    Step,
    agreed_after,
    aim,
    refusal,
    settled,
    steps,
)
from syncline.core.merging import Winner
from syncline.engine import questions, scoping
from syncline.engine.removing import Removing
from syncline.engine.run import Run, notice
from syncline.errors import CATALOGUE, LASTING, ErrorClass, SyncError
from syncline.ports import (
    Alert,
    Attachment,
    Attachments,
    AttachmentSide,
    AttachmentWritten,
    Changes,
    Entry,
    Link,
    NewAttachment,
    Result,
)

CACHE_MAX_BYTES = 8 * 1024 * 1024
OVERHEAD_MAX_BYTES = 64 * 1024
"""So much more than its content a server may count for a file before its content is asked for."""
TOLD_MAX = 5
_WORDS = {
    Side.CRM: ("file added in the CRM", "file removed from the CRM"),
    Side.EXCHANGE: ("file added in Outlook", "file removed from Outlook"),
}


class Moved(Exception):  # noqa: N818 - the name says what it is
    """Item or row changed meanwhile: the link stays due, and the next cycle looks at it again."""


class Files:
    """One link's files: its state, and what stands on each side, by file."""

    def __init__(
        self, run: Run, removing: Removing, link: Link, state: Attached, item: Attachments, row: Attachments
    ) -> None:
        assert run.rules.attachments is not None
        self._run, self._limits, self._removing = run, run.rules.attachments, removing
        self._link, self._state = link, state
        self._before = state
        self._now = {Side.EXCHANGE: item, Side.CRM: row}
        self._held: dict[Side, dict[File, list[Attachment]]] = {Side.EXCHANGE: {}, Side.CRM: {}}
        self._known: dict[str, Known] = {}
        self._refused: list[Refused] = []
        self._contents: dict[str, bytes] = {}
        self._failed = False
        self._waits = False

    def bring_in_step(self) -> None:
        """Merge, carry out what follows, and note what was dealt with.

        Raises Moved, and SyncError for what failed.
        """
        self._look()
        taken = frozenset(file for file in self._state.agreed if refusal(file.name, file.size, self._limits) is None)
        left = frozenset(self._state.agreed) - taken
        held = {side: self._files(side) for side in Side}
        exchange, crm = held[Side.EXCHANGE], held[Side.CRM]
        agreed = agreed_after(settled(taken, self._state.pending, held), exchange, crm)
        wins = self._run.rules.winner_of("attachments") is not Winner.CRM
        wanted = steps(aim(agreed, exchange, crm, exchange_wins=wins), exchange, crm)
        self._carry_out(agreed, left, self._allowed([step for step in wanted if self._may(step)]))

    def take_off(self) -> None:
        """Take what was agreed off the row of an appointment that is masked now; the item keeps it.

        Raises as `bring_in_step`.
        """
        for each in self._now[Side.CRM].files:
            self._held[Side.CRM].setdefault(File(each.name, each.size, each.digest), []).append(each)
        held = {side: self._files(side) for side in Side}
        agreed = settled(frozenset(self._state.agreed), self._state.pending, held) & held[Side.CRM]
        self._carry_out(agreed, frozenset(), [Step(Side.CRM, False, file) for file in sorted(agreed)])

    def _carry_out(self, agreed: frozenset[File], left: frozenset[File], todo: Sequence[Step]) -> None:
        """Carry out the steps, each noted before and settled after; `left` stays agreed as it is."""
        for at, step in enumerate(todo):
            if self._is_kept(step):
                continue
            self._note(agreed | left, tuple(todo[at:]))
            done = self._carried_out(step)
            self._failed = self._failed or not done
            if done:
                agreed = agreed_after(agreed, self._files(Side.EXCHANGE), self._files(Side.CRM))
            self._settle(agreed | left, step, tuple(todo[at + 1 :]))
        self._finish(agreed_after(agreed, self._files(Side.EXCHANGE), self._files(Side.CRM)) | left)

    # --- looking -------------------------------------------------------------------------------------------------

    def _files(self, side: Side) -> frozenset[File]:
        return frozenset(self._held[side])

    def _look(self) -> None:
        """Find out which file each attachment is; the contents of those that are new in Exchange are read."""
        known = {(each.ref, each.size, each.stamp): each.file for each in self._state.known}
        for each in self._now[Side.CRM].files:
            self._take(Side.CRM, each, File(each.name, each.size, each.digest))
        for each in self._now[Side.EXCHANGE].files:
            file = known.get((each.ref, each.size, each.stamp))
            size = file.size if file is not None else max(0, each.size - OVERHEAD_MAX_BYTES)
            refused = _no_file(each) or refusal(each.name, size, self._limits)
            if refused is None and file is None:
                file = self._read(each)
            if file is not None:
                self._known[each.ref] = Known(ref=each.ref, size=each.size, stamp=each.stamp, file=file)
            if refused is not None:
                self._refused.append(refused)
            elif file is not None:
                self._take(Side.EXCHANGE, each, file)

    def _take(self, side: Side, attachment: Attachment, file: File) -> None:
        refused = refusal(file.name, file.size, self._limits)
        if refused is not None:
            self._refused.append(refused)
        else:
            self._held[side].setdefault(file, []).append(attachment)

    def _read(self, attachment: Attachment) -> File | None:
        """Read a file that is new in Exchange; None if it turns out to be too large."""
        try:
            content = self._run.replica.attachment_content(attachment.ref, self._limits.size_max)
        except SyncError as error:
            if error.code != BLOCKED:
                raise
            self._refused.append(Refused(attachment.name, BLOCKED, error.params.get("detail", "it is too large")))
            return None
        if content is None:
            raise Moved
        digest = sha256(content).hexdigest()
        if sum(map(len, self._contents.values())) + len(content) <= CACHE_MAX_BYTES:
            self._contents[digest] = content
        return File(attachment.name, len(content), digest)

    def _may(self, step: Step) -> bool:
        """Return whether a step may be carried out: only its organizer's item is written, and only by setting."""
        if step.side is Side.CRM:
            return True
        seen = self._link.observed
        return self._run.outgoing and seen is not None and not seen.canceled and self._run.people.organizes(seen)

    def _allowed(self, todo: Sequence[Step]) -> list[Step]:
        """Return the steps that need no answer first; while others wait for one, the link stays due."""
        earlier = scoping.is_earlier(self._run, self._link)
        now = [step for step in todo if not (earlier and step.side is Side.EXCHANGE)]
        losing = [step for step in now if not step.adds and not step.instead]
        if not self._removing.allows(self._link.id, len(losing)):
            now = [step for step in now if step not in losing]
        self._waits = len(now) < len(todo)
        return now

    def _is_kept(self, step: Step) -> bool:
        """Return whether a file is not removed, because what was to replace it was not or perhaps not taken."""
        if step.adds:
            return False
        stems = {_stem(each.name) for each in self._refused}
        return self._failed or _stem(step.file.name) in stems

    # --- doing ---------------------------------------------------------------------------------------------------

    def _note(self, agreed: frozenset[File], todo: tuple[Step, ...]) -> None:
        """Note what is to be carried out; the first of it is about to be."""
        self._state = replace(self._state, agreed=tuple(sorted(agreed)), known=self._all_known(), pending=todo)
        self._run.write(Changes(attached=[self._state]))

    def _settle(self, agreed: frozenset[File], step: Step, todo: tuple[Step, ...]) -> None:
        """Note what became of it, and what is still to be carried out."""
        self._state = replace(self._state, agreed=tuple(sorted(agreed)), known=self._all_known(), pending=todo)
        entries = [self._entry(step)] if (step.file in self._held[step.side]) is step.adds else []
        self._run.write(Changes(attached=[self._state], links=[self._link], entries=entries))

    def _carried_out(self, step: Step) -> bool:
        """Carry out a step; False if the side cannot take it, which leaves everything as it is."""
        if step.adds:
            return self._added(step)
        for attachment in self._held[step.side].get(step.file, []):
            written = self._port(step.side).detach(self._ref(step.side), self._now[step.side].revision, attachment.ref)
            if not self._accepted(step, written):
                return False
        del self._held[step.side][step.file]
        return True

    def _added(self, step: Step) -> bool:
        source, content = self._content(step.file)
        new = NewAttachment(
            id=self._run.parts.new_id(), name=step.file.name, content_type=source.content_type, content=content
        )
        written = self._port(step.side).attach(self._ref(step.side), self._now[step.side].revision, new)
        if not self._accepted(step, written):
            return False
        made = next((each for each in self._now[step.side].files if each.ref == written.ref), None)
        if made is None:
            raise Moved
        if made.name != step.file.name:
            self._renamed(step, made)
            return False
        self._held[step.side][step.file] = [made]
        if step.side is Side.EXCHANGE:
            self._known[made.ref] = Known(ref=made.ref, size=made.size, stamp=made.stamp, file=step.file)
        return True

    def _renamed(self, step: Step, made: Attachment) -> None:
        """Take off again what the side keeps under another name: it would come back as a new file for ever."""
        written = self._port(step.side).detach(self._ref(step.side), self._now[step.side].revision, made.ref)
        self._accepted(step, written)
        self._refused.append(Refused(step.file.name, BAD_NAME, "its name cannot be taken"))

    def _accepted(self, step: Step, written: AttachmentWritten) -> bool:
        """Take in what became of a write; False if the side cannot take it. Raises Moved and what failed."""
        if written.result is Result.SAVED and written.after is not None:
            self._now[step.side] = written.after
            if step.side is Side.CRM:
                self._link = _rewritten(self._link, int(written.after.revision))
            return True
        if written.result is Result.CLOSED:
            return False
        if written.error is None:
            raise Moved
        if written.error.code not in (BLOCKED, BAD_NAME):
            raise written.error
        self._refused.append(Refused(step.file.name, written.error.code, written.error.params.get("detail", "")))
        return False

    def _content(self, file: File) -> tuple[Attachment, bytes]:
        """Return where a content is to be had, and the content; Moved if it is not there any more."""
        held = (pair for files in self._held.values() for pair in files.items())
        side, source = next(
            (self._side_of(each), each) for other, found in held for each in found if other.digest == file.digest
        )
        content = self._contents.get(file.digest)
        if content is None:
            content = self._port(side).attachment_content(source.ref, self._limits.size_max)
        if content is None or sha256(content).hexdigest() != file.digest:
            raise Moved
        return source, content

    def _side_of(self, attachment: Attachment) -> Side:
        return next(side for side, files in self._held.items() if any(attachment in found for found in files.values()))

    def _port(self, side: Side) -> AttachmentSide:
        return self._run.replica if side is Side.EXCHANGE else self._run.parts.crm

    def _ref(self, side: Side) -> str:
        return self._link.ref if side is Side.EXCHANGE else self._link.crm_id or ""

    def _all_known(self) -> tuple[Known, ...]:
        there = {each.ref for each in self._now[Side.EXCHANGE].files}
        return tuple(known for ref, known in sorted(self._known.items()) if ref in there)

    # --- telling -------------------------------------------------------------------------------------------------

    def _finish(self, agreed: frozenset[File]) -> None:
        """Note what was dealt with, and tell which files were not taken (attachmenterrors)."""
        incomplete = bool(self._refused)
        if self._now[Side.CRM].incomplete is not incomplete:
            self._run.parts.crm.flag_attachments(self._ref(Side.CRM), incomplete=incomplete)
        done = replace(
            self._state,
            agreed=tuple(sorted(agreed)),
            known=self._all_known(),
            pending=(),
            refused=incomplete,
            revision="" if self._waits else self._link.revision,
            crm_version=self._link.crm_version_seen,
            tries=0,
            next_try=None,
        )
        errors = self._errors()
        entries = [self._run.entry(self._link, "file not taken", "D-06", detail=each.text) for each in errors]
        alerts = [*self._over({each.code for each in errors}), *(notice(self._run, self._link, e) for e in errors)]
        self._run.write(Changes(attached=[done], entries=entries, alerts=alerts))

    def _errors(self) -> list[SyncError]:
        """Return what is wrong with files that were not taken, one error for each code."""
        by_code: dict[str, list[str]] = {}
        for each in self._refused:
            name = "a file" if self._link.private else each.name[:100]
            by_code.setdefault(each.code, []).append(f"{name} ({each.why})")
        return [
            SyncError(code, subject=self._link.subject, detail=_listed(told)) for code, told in sorted(by_code.items())
        ]

    def _over(self, codes: set[str]) -> list[Alert]:
        """Return the notices about the link that are over, withdrawn."""
        if not (self._before.refused or self._before.tries):
            return []
        standing = self._run.store.open_alerts(self._link.mailbox_id, [self._link.id])
        over = (each for each in standing if each.code not in (*codes, *LASTING) and _tells(each))
        return [questions.withdrawn(self._run, each, "its files are in step") for each in over]

    def _entry(self, step: Step) -> Entry:
        action = _WORDS[step.side][0 if step.adds else 1]
        name = "" if self._link.private else step.file.name
        return self._run.entry(self._link, action, "D-05", detail=name)


def _no_file(attachment: Attachment) -> Refused | None:
    if attachment.file:
        return None
    return Refused(attachment.name, BLOCKED, "attached items and links are not taken")


def _rewritten(link: Link, version: int) -> Link:
    """Return the link after our own write to its row, as the next reading would find it: it is no news.

    Each write to a row is guarded by its version. Nothing of an item is adopted: DeleteAttachment guards nothing, so
    that the item's new revision may hold what somebody changed just before, and the next reading has to see it.
    """
    seen = link.crm_version_seen
    return replace(
        link,
        crm_version=version if link.crm_version == seen else link.crm_version,
        crm_version_seen=version,
        crm_settled=version if link.crm_settled == seen else link.crm_settled,
    )


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.casefold()


def _tells(alert: Alert) -> bool:
    return CATALOGUE[alert.code].error_class is not ErrorClass.NEEDS_ANSWER


def _listed(told: Sequence[str]) -> str:
    more = len(told) - TOLD_MAX
    return "; ".join(told[:TOLD_MAX]) + (f"; and {more} more" if more > 0 else "")
