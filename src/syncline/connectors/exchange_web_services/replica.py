"""One person's Exchange calendar as the engine sees it: `ports.Replica` over Exchange Web Services.

This module strings operations together: pages, batches, and what to do
when one item spoils a batch. How requests and answers look is the wire modules' matter, what items mean `content`'s,
what failures mean `failures`'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol, TypeVar

from syncline.connectors.exchange_web_services import wire_answers, wire_requests
from syncline.connectors.exchange_web_services.attaching import Files
from syncline.connectors.exchange_web_services.batches import Answer, items_of
from syncline.connectors.exchange_web_services.categorizing import categorize
from syncline.connectors.exchange_web_services.content import (
    Reading,
    appointment,
    strangers,
    subject_of,
    with_exceptions,
)
from syncline.connectors.exchange_web_services.failures import About, of_invalid
from syncline.connectors.exchange_web_services.identities import clean_id
from syncline.connectors.exchange_web_services.organization import put_mark, read_mark
from syncline.connectors.exchange_web_services.transport import Transport
from syncline.connectors.exchange_web_services.wire import InvalidAnswer, Message, Request
from syncline.connectors.exchange_web_services.wire_items import Item
from syncline.connectors.exchange_web_services.writing import write_all
from syncline.core.answering_by_category import Categorizing
from syncline.core.outgoing import ItemWrite
from syncline.core.times import UnknownZone, zone_info
from syncline.errors import SyncError
from syncline.ports import (
    Attachments,
    AttachmentWritten,
    Categorized,
    Category,
    Folder,
    Light,
    NewAttachment,
    Observed,
    OrganizationMark,
    Page,
    Profile,
    Written,
)

ITEMS_PER_REQUEST: Final = 100
IDS_PER_SEARCH: Final = 50
LOOKUPS_MAX: Final = 500
PAGES_MAX: Final = 1000
_NO_CATEGORY_LIST: Final = frozenset({"ErrorItemNotFound", "ErrorFolderNotFound", "ErrorInvalidOperation"})
_NO_NAME: Final = frozenset({"ErrorNameResolutionNoResults", "ErrorNameResolutionNoMailbox", "ErrorAccessDenied"})
_NO_FOLDER: Final = frozenset({"ErrorFolderNotFound", "ErrorSyncFolderNotFound", "ErrorInvalidIdMalformed"})

_TORN: Final = "it was changed while it was read"

_V = TypeVar("_V")


class _Search(Protocol):
    """A search through one folder, page by page."""

    def __call__(self, folder: str, *, offset: int) -> Request:
        """Return the request for one page."""


def open_replica(
    profile: Profile, password: str, address: str, *, time_zone: str, timeout_s: float = 30.0
) -> ExchangeReplica:
    """Open the calendar of `address`; nothing is sent yet.

    `time_zone` (IANA) is the mailbox's own, for items that name none. A profile whose user name is the address signs in
    as itself, whatever its access mode. Raises SyncError for a URL or CA file that cannot be used.
    """
    own = profile.access == "own" or profile.username.lower() == address.lower()
    transport = Transport(
        profile,
        password,
        address.lower(),
        impersonate=not own and profile.access == "impersonation",
        timeout_s=timeout_s,
    )
    owner = address.lower() if not own and profile.access == "delegate" else None
    return ExchangeReplica(transport, address.lower(), calendar=wire_requests.calendar_id(owner), time_zone=time_zone)


class ExchangeReplica:
    """A calendar on one Exchange server; see `ports.Replica` for what each call promises."""

    def __init__(self, transport: Transport, mailbox: str, *, calendar: str, time_zone: str) -> None:
        self._transport = transport
        self._mailbox = mailbox
        self._calendar = calendar
        self._zone = _checked_zone(time_zone)
        self._addresses: dict[str, str] = {}
        self._folders: tuple[Folder, ...] | None = None
        self._files = Files(transport, mailbox, wire_requests.get_calendar(calendar))

    def folders(self) -> tuple[Folder, ...]:
        """Return the main calendar folder and the calendar folders below it (L-02)."""
        main = self._main_folder()
        below = [row for row in self._subfolders() if row.calendar and row.ref != main.ref]
        self._folders = (main, *(Folder(ref=row.ref, name=row.name) for row in below))
        return self._folders

    def categories(self) -> tuple[Category, ...]:
        """Return the category list of the mailbox; empty if it has none or the server keeps none."""
        request = wire_requests.get_category_list(self._calendar)
        message = self._transport.maybe(request, About.CALENDAR, _NO_CATEGORY_LIST)
        rows = () if message is None else self._read(wire_answers.category_list, message)
        return tuple(Category(id=row.guid, name=row.name) for row in rows)

    def changes(self, folder: str, cursor: str | None, limit: int) -> Page:
        """Return the next page of changes of one folder.

        A subfolder that has been deleted has no changes: `folders` will no longer name it, and its items are searched
        for by identity before anybody believes them gone.
        """
        request = wire_requests.sync_folder_items(folder, cursor, limit)
        message = self._transport.maybe(request, About.CALENDAR, _NO_FOLDER)
        if message is None:
            if folder == self._main_folder().ref:
                raise SyncError("CalendarUnreadable", mailbox=self._mailbox, detail="the calendar folder is missing")
            return Page(items=(), cursor=cursor or "", more=False)
        page = self._read(wire_answers.change_page, message)
        if not page.last and page.changes_count == 0 and page.state == cursor:
            raise of_invalid(InvalidAnswer("it promises more changes and gives none"), self._mailbox)
        items = tuple(
            Light(ref=row.ref, folder=folder, revision=row.revision, categories=row.categories, gone=row.gone)
            for row in page.rows
        )
        return Page(items=items, cursor=page.state, more=not page.last)

    def read(self, refs: Sequence[tuple[str, str]]) -> list[Observed | SyncError | None]:
        """Return the content of each (folder, ref), in order."""
        found: list[Observed | SyncError | None] = []
        for begin in range(0, len(refs), ITEMS_PER_REQUEST):
            found.extend(self._read_settled(refs[begin : begin + ITEMS_PER_REQUEST]))
        return found

    def find(self, global_object_ids: Sequence[str]) -> Mapping[str, tuple[Observed, ...]]:
        """Return every item of all calendar folders that carries one of the ids.

        An item that is there but cannot be read raises its SyncError: to call it missing would be a lie.
        """
        wanted = {name: clean_id(name) for name in global_object_ids}
        searched = list(dict.fromkeys(wanted.values()))
        found: dict[bytes, list[Observed]] = {value: [] for value in searched}
        folders = self._folders or self.folders()
        for begin in range(0, len(searched), IDS_PER_SEARCH):
            batch = searched[begin : begin + IDS_PER_SEARCH]
            for observed in self._found(partial(wire_requests.find_items, clean_ids=batch), folders):
                # By bytes, not by text: servers write the same hexadecimal id in either case.
                found.setdefault(clean_id(observed.appointment.identity.global_object_id), []).append(observed)
        return {name: tuple(found[value]) for name, value in wanted.items()}

    def find_keys(self, keys: Sequence[str]) -> Mapping[str, Observed]:
        """Return the oldest item of all calendar folders that carries each key; an unreadable one raises."""
        searched = list(dict.fromkeys(keys))
        found: dict[str, Observed] = {}
        for begin in range(0, len(searched), IDS_PER_SEARCH):
            batch = searched[begin : begin + IDS_PER_SEARCH]
            # Folders are asked for anew: an item may lie in one that was made a moment ago.
            seen = list(self._found(partial(wire_requests.find_keys, keys=batch), self.folders()))
            for observed in sorted(seen, key=_age):
                if observed.key in batch:
                    found.setdefault(observed.key, observed)
        return found

    def write(self, writes: Sequence[ItemWrite]) -> list[Written]:
        """Create, change and delete items, in order; see `writing`."""
        return write_all(self._transport, writes, self._mailbox, self.read)

    def categorize(self, changes: Sequence[Categorizing]) -> list[Categorized]:
        """Set and take off categories of items, each guarded by its ChangeKey; nobody is mailed."""
        found: list[Categorized] = []
        for begin in range(0, len(changes), ITEMS_PER_REQUEST):
            found.extend(categorize(self._transport, changes[begin : begin + ITEMS_PER_REQUEST], self._mailbox))
        return found

    def attachments(self, refs: Sequence[str]) -> Mapping[str, Attachments | SyncError]:
        """Return what is attached to items; only names, sizes and times are asked for."""
        return self._files.listed(refs)

    def attachment_content(self, ref: str, size_max: int) -> bytes | None:
        """Return the content of one file."""
        return self._files.content(ref, size_max)

    def attach(self, ref: str, revision: str, new: NewAttachment) -> AttachmentWritten:
        """Attach one file; nobody is mailed."""
        return self._files.attach(ref, revision, new)

    def detach(self, ref: str, revision: str, attachment: str) -> AttachmentWritten:
        """Take one file off; nobody is mailed."""
        return self._files.detach(ref, revision, attachment)

    def mark(self) -> OrganizationMark | None:
        """Return the mark in the calendar folder."""
        return read_mark(self._transport, self._calendar)

    def set_mark(self, mark: OrganizationMark, over: OrganizationMark | None) -> OrganizationMark:
        """Put a mark over the one that was seen; return the one that stands."""
        return put_mark(self._transport, self._calendar, self._mailbox, mark, over)

    def probe(self) -> tuple[str, ...]:
        """Run the steps of test-and-enable: address, sign-in, calendar, categories."""
        steps: tuple[tuple[str, Callable[[], object]], ...] = (
            ("address", self._probe_address),
            ("sign-in", self._main_folder),
            ("calendar", self._probe_calendar),
            ("categories", self.categories),
        )
        done = []
        for name, step in steps:
            step()
            done.append(name)
        return tuple(done)

    def close(self) -> None:
        """Give back the connection."""
        self._transport.close()

    def _main_folder(self) -> Folder:
        message = self._transport.one(wire_requests.get_calendar(self._calendar), About.CALENDAR)
        row = self._read(wire_answers.folder, message)
        return Folder(ref=row.ref, name=row.name, main=True)

    def _subfolders(self) -> Iterator[wire_answers.FolderRow]:
        offset: int | None = 0
        for _ in range(PAGES_MAX):
            if offset is None:
                return
            message = self._transport.one(wire_requests.find_subfolders(self._calendar, offset), About.CALENDAR)
            page = self._read(wire_answers.folder_page, message)
            yield from page.folders
            offset = page.next_offset
        raise of_invalid(InvalidAnswer("its list of folders has no end"), self._mailbox)

    def _found(self, search: _Search, folders: Sequence[Folder]) -> Iterator[Observed]:
        """Read what a search finds in folders; what is there and cannot be read raises its SyncError."""
        refs = [(folder.ref, ref) for folder in folders for ref in self._search(folder.ref, search)]
        for observed in self.read(list(dict.fromkeys(refs))):
            if isinstance(observed, SyncError):
                raise observed
            if observed is not None:
                yield observed

    def _search(self, folder: str, search: _Search) -> Iterator[str]:
        offset: int | None = 0
        for _ in range(PAGES_MAX):
            if offset is None:
                return
            message = self._transport.maybe(search(folder, offset=offset), About.CALENDAR, _NO_FOLDER)
            if message is None:
                return
            page = self._read(wire_answers.found_page, message)
            yield from page.refs
            offset = page.next_offset
        raise of_invalid(InvalidAnswer("its list of items has no end"), self._mailbox)

    def _read_settled(self, refs: Sequence[tuple[str, str]]) -> list[Observed | SyncError | None]:
        """Read one batch; a series that somebody changed between its two requests is read once more."""
        found = self._read_batch(refs)
        torn = [
            at for at, entry in enumerate(found) if isinstance(entry, SyncError) and entry.params.get("detail") == _TORN
        ]
        for at, entry in zip(torn, self._read_batch([refs[at] for at in torn]) if torn else (), strict=True):
            found[at] = entry
        return found

    def _read_batch(self, refs: Sequence[tuple[str, str]]) -> list[Observed | SyncError | None]:
        """Read one batch, then the exceptions of its series, then build the appointments."""
        items = self._items([ref for _, ref in refs])
        parts, failed = self._exceptions([item for item in items if isinstance(item, Item)])
        listed = [item for item in (*items, *parts.values()) if isinstance(item, Item)]
        reading = Reading(self._mailbox, self._zone, self._resolved(listed))
        found: list[Observed | SyncError | None] = []
        for (folder, _), item in zip(refs, items, strict=True):
            if not isinstance(item, Item):
                found.append(item)
            elif item.ref in failed:
                found.append(failed[item.ref])
            else:
                found.append(self._observed(item, folder, parts, reading))
        return found

    def _observed(self, item: Item, folder: str, parts: Mapping[str, Item], reading: Reading) -> Observed | SyncError:
        try:
            whole = appointment(item, reading)
            moved = item.moved() if whole.recurrence else []
            if any(entry.ref not in parts for entry in moved):
                return self._spoiled(item, _TORN)
            whole = with_exceptions(whole, [(entry.original_start, parts[entry.ref]) for entry in moved], reading)
        except SyncError as error:
            # An exception that cannot be taken spoils its series, and the series is what the engine knows.
            error.ref = item.ref
            return error
        key = item.properties.get("key")
        return Observed(
            ref=item.ref, folder=item.folder() or folder, revision=item.revision, appointment=whole, key=key
        )

    def _exceptions(self, masters: Sequence[Item]) -> tuple[dict[str, Item], dict[str, SyncError]]:
        """Read the modified occurrences of all masters; return them by ref, and the masters that lack one."""
        owners: dict[str, Item] = {}
        failed: dict[str, SyncError] = {}
        for master in masters:
            try:
                owners.update((entry.ref, master) for entry in master.moved())
            except InvalidAnswer as error:
                failed[master.ref] = self._spoiled(master, str(error))
        parts: dict[str, Item] = {}
        refs = list(owners)
        for begin in range(0, len(refs), ITEMS_PER_REQUEST):
            batch = refs[begin : begin + ITEMS_PER_REQUEST]
            for ref, item in zip(batch, self._items(batch), strict=True):
                if isinstance(item, Item):
                    parts[ref] = item
                else:
                    detail = _TORN if item is None else item.params.get("detail", "")
                    failed[owners[ref].ref] = self._spoiled(owners[ref], detail)
        return parts, failed

    def _items(self, refs: Sequence[str]) -> list[Answer]:
        return items_of(self._transport, refs, self._mailbox, control=wire_requests.get_calendar(self._calendar))

    def _spoiled(self, master: Item, detail: str) -> SyncError:
        return SyncError(
            "ItemUnreadable", ref=master.ref, mailbox=self._mailbox, subject=subject_of(master), detail=detail
        )

    def _resolved(self, items: Sequence[Item]) -> Mapping[str, str]:
        """Look up what is no mail address, once each; what the directory does not know stays as it is."""
        unknown = dict.fromkeys(name for item in items for name in strangers(item) if name not in self._addresses)
        for name in list(unknown)[:LOOKUPS_MAX]:
            message = self._transport.maybe(wire_requests.resolve_name(name), About.MAILBOX, _NO_NAME)
            addresses = () if message is None else wire_answers.resolved_addresses(message)
            self._addresses[name] = addresses[0] if len(addresses) == 1 else name
        return self._addresses

    def _probe_address(self) -> None:
        message = self._transport.one(wire_requests.resolve_name(self._mailbox), About.MAILBOX)
        if not wire_answers.resolved_addresses(message):
            raise SyncError("ErrorNonExistentMailbox", mailbox=self._mailbox)

    def _probe_calendar(self) -> None:
        self.changes(self._main_folder().ref, None, 1)

    def _read(self, reader: Callable[[Message], _V], message: Message) -> _V:
        """Apply a reader of the wire; what it cannot understand is the server's failure."""
        try:
            return reader(message)
        except InvalidAnswer as error:
            raise of_invalid(error, self._mailbox) from error


def _age(observed: Observed) -> datetime:
    return observed.appointment.created or datetime.max.replace(tzinfo=UTC)


def _checked_zone(time_zone: str) -> str:
    try:
        zone_info(time_zone)
    except UnknownZone as error:
        raise SyncError("SettingInvalid", detail=f"{time_zone} is not a time zone") from error
    return time_zone
