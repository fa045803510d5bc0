"""Sync filters: who may make which, and how many entries of the CRM one would select now (1.11, SEC-06).

A user has filters of his own; a System Administrator changes everybody's, makes those that count for all (system
filters), and keeps the template of which new users get a copy. Nobody else may do anything: what is not allowed here is
refused. What a filter selects is `core.filters`'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from syncline.core.filters import Condition, Seen, SyncFilter, selects
from syncline.desk.filter_words import CONDITIONS_MAX, all_said
from syncline.desk.reading import OPERATOR, Viewer, sight_of
from syncline.engine.rows import read_rows
from syncline.errors import SyncError
from syncline.language import _
from syncline.ports import CrmRow, User

if TYPE_CHECKING:
    from syncline.wiring import App

NAME_MAX_CHARACTERS = 80
FILTERS_MAX = 100
"""So many filters one user may have, and so many may count for everybody."""
ROWS_MAX = 5_000
USERS_MAX = 20
"""So many entries of the CRM, and so many users, a preview looks at."""
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFilter:
    """What somebody gives to make a filter; without a name it gets one that says what it selects.

    `user` is a sign-in name (none: who asks); `everybody` makes a system filter.
    """

    conditions: tuple[Condition, ...] = ()
    name: str = ""
    user: str | None = None
    everybody: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterChange:
    """What changes about a filter; None stays as it is."""

    name: str | None = None
    conditions: tuple[Condition, ...] | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterObject:
    """One sync filter: all its conditions hold for an entry that it selects, each with one of its words.

    `kind` is user, system (counts for everybody) or template (new users get a copy; it selects nothing itself); `user`
    is the sign-in name of whose it is, null for the other two. `changeable` says whether the viewer may change it.
    """

    id: int
    name: str
    kind: str
    user: str | None
    enabled: bool
    conditions: tuple[Condition, ...]
    changeable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """How many entries of the CRM a filter would select now: `selected` of `looked_at`.

    `new` of them no other filter of the user selects yet. `complete` is false if there are more entries or users than a
    preview looks at. What the viewer may not read, such as private appointments of others, is not looked at. A series
    is one entry.
    """

    selected: int
    new: int
    looked_at: int
    complete: bool


def listing(app: App, viewer: Viewer, user: str | None = None) -> list[FilterObject]:
    """Return the filters that the viewer may see: the template, everybody's, then each user's own.

    `user` limits them to those that count for one user, the template left out.
    """
    found = [each for each in app.store.filters() if _visible(viewer, each)]
    if user is not None:
        wanted = _user(app, viewer, user)
        found = [each for each in found if not each.template and each.user in (None, wanted)]
    return [_object(viewer, each) for each in found]


def show(app: App, viewer: Viewer, filter_id: int) -> FilterObject:
    """Return one filter; SyncError("NotFoundHere") if there is none that the viewer may see."""
    return _object(viewer, _one(app, viewer, filter_id))


def add(app: App, viewer: Viewer, wanted: NewFilter) -> FilterObject:
    """Make a filter; its mailboxes look at all entries again at once."""
    made = _made(app, viewer, wanted)
    if sum(each.user == made.user and not each.template for each in app.store.filters()) >= FILTERS_MAX:
        said = _("There are %(most)s filters already; remove some first.", most=FILTERS_MAX)
        raise SyncError("InvalidRequest", detail=said)
    stored = app.store.add_filter(made, app.clock.now())
    _wake(app, stored)
    return _object(viewer, stored)


def change(app: App, viewer: Viewer, filter_id: int, wanted: FilterChange) -> FilterObject:
    """Change a filter's name or conditions, or switch it on or off."""
    found = _changeable(app, viewer, filter_id)
    after = _changed(wanted)(found)
    _wake(app, app.store.change_filter(found.id, _changed(wanted), app.clock.now()))
    return _object(viewer, after)


def remove(app: App, viewer: Viewer, filter_id: int) -> None:
    """Forget a filter. What only it selected leaves the user's calendar as an appointment that left the filters."""
    found = _changeable(app, viewer, filter_id)
    if found.template:
        raise SyncError("InvalidRequest", detail=_("New users need a template; it can be changed or switched off."))
    app.store.remove_filter(found.id, app.clock.now())
    _wake(app, found)


def reset(app: App, viewer: Viewer, user: str | None = None) -> list[FilterObject]:
    """Put a copy of the template in place of all filters of a user's own; everybody's stay."""
    name = _user(app, viewer, user)
    fresh = app.store.reset_filters(name, app.clock.now())
    for each in fresh:
        _wake(app, each)
    return [_object(viewer, each) for each in fresh]


def preview(app: App, viewer: Viewer, wanted: NewFilter, instead_of: int | None = None) -> Selected:
    """Count what a filter would select now; nothing is stored. `instead_of` is the filter that it would replace."""
    made = _made(app, viewer, wanted)
    people, all_people = _people(app, made)
    others = {name: [each for each in app.store.sync_filters(name) if each.id != instead_of] for name, _ in people}
    read = looked_at = selected = new = 0
    for row in _first_rows(app):
        read += 1
        if sight_of(viewer, row.appointment, row.owner).masked:
            continue
        looked_at += 1
        hit = [each for each in _seen(row, people) if selects([made], each)]
        selected += bool(hit)
        new += any(not selects(others[each.user], each) for each in hit)
    return Selected(selected=selected, new=new, looked_at=looked_at, complete=all_people and read < ROWS_MAX)


def _seen(row: CrmRow, people: Sequence[tuple[str, frozenset[str]]]) -> Iterator[Seen]:
    """Yield the row as each of these people sees it."""
    for name, addresses in people:
        yield Seen(appointment=row.appointment, status=row.status, owner=row.owner, user=name, addresses=addresses)


def _first_rows(app: App) -> Iterator[CrmRow]:
    """Yield the rows that a preview looks at, by id."""
    last, left = "", ROWS_MAX
    while left and (ids := app.crm.ids(last, min(_CHUNK, left))):
        yield from read_rows(app.parts, ids).found.values()
        last, left = ids[-1], left - len(ids)


def _people(app: App, made: SyncFilter) -> tuple[list[tuple[str, frozenset[str]]], bool]:
    """Return for whom a filter counts, with their addresses, and whether these are all."""
    mailboxes: dict[str, set[str]] = {}
    for each in app.store.mailboxes():
        mailboxes.setdefault(each.user, set()).add(each.address)
    names = sorted(mailboxes) if made.user is None else [made.user]
    emails = {user.name: user.emails for user in app.crm.users(names=names[:USERS_MAX])}
    found = [(name, frozenset({*mailboxes.get(name, ()), *emails.get(name, ())})) for name in names[:USERS_MAX]]
    return found, len(names) <= USERS_MAX


def _made(app: App, viewer: Viewer, wanted: NewFilter) -> SyncFilter:
    if wanted.everybody and wanted.user is not None:
        raise SyncError("InvalidRequest", detail=_("A filter is for one user or for everybody, not for both."))
    if wanted.everybody and not viewer.administrator:
        raise SyncError("NotAllowed", detail=_("Only a System Administrator may make a filter for everybody."))
    user = None if wanted.everybody else _user(app, viewer, wanted.user)
    conditions = _few(wanted.conditions)
    return SyncFilter(name=_name(wanted.name) or _name_of(conditions), user=user, conditions=conditions)


def _changed(wanted: FilterChange) -> Callable[[SyncFilter], SyncFilter]:
    """Return what makes of a filter what is wanted of it, checked before anything is stored."""
    name = None if wanted.name is None else _name(wanted.name)
    conditions = None if wanted.conditions is None else _few(wanted.conditions)

    def changed(old: SyncFilter) -> SyncFilter:
        after = old.conditions if conditions is None else conditions
        return replace(
            old,
            name=old.name if name is None else name or _name_of(after),
            conditions=after,
            enabled=old.enabled if wanted.enabled is None else wanted.enabled,
        )

    return changed


def _user(app: App, viewer: Viewer, name: str | None) -> str:
    """Return the sign-in name of the user who is meant, who asks if none is named; others only for administrators."""
    if name is None and viewer == OPERATOR:
        raise SyncError(
            "InvalidRequest", detail=_("Name the user whose filter is meant, or say that it is everybody's.")
        )
    wanted = viewer.name if name is None else name.strip()
    if not viewer.administrator and not viewer.among((wanted,)):
        raise SyncError("NotAllowed", detail=_("Only a System Administrator may change the filters of others."))
    users: Sequence[User] = app.crm.users()
    found = next((user.name for user in users if wanted.lower() in (user.name.lower(), *user.emails)), None)
    if found is None:
        raise SyncError("NotFoundHere", detail=f"user {wanted}")
    return found


def _visible(viewer: Viewer, one: SyncFilter) -> bool:
    return viewer.administrator or (not one.template and (one.user is None or viewer.among((one.user,))))


def _one(app: App, viewer: Viewer, filter_id: int) -> SyncFilter:
    found = next((each for each in app.store.filters() if each.id == filter_id), None)
    if found is None or not _visible(viewer, found):
        raise SyncError("NotFoundHere", detail=f"filter {filter_id}")
    return found


def _changeable(app: App, viewer: Viewer, filter_id: int) -> SyncFilter:
    found = _one(app, viewer, filter_id)
    if not _may_change(viewer, found):
        raise SyncError("NotAllowed", detail=_("Only a System Administrator may change a filter for everybody."))
    return found


def _may_change(viewer: Viewer, one: SyncFilter) -> bool:
    return viewer.administrator or (one.user is not None and viewer.among((one.user,)))


def _wake(app: App, changed: SyncFilter) -> None:
    """Run the mailboxes soon that the store has made due."""
    if changed.template:
        return
    concerned = [each for each in app.store.mailboxes() if each.enabled]
    mine = [each.id for each in concerned if changed.user is None or each.user.lower() == changed.user.lower()]
    app.worker.wake(mine)


def _few(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    if len(conditions) > CONDITIONS_MAX:
        said = _("A filter takes at most %(most)s conditions.", most=CONDITIONS_MAX)
        raise SyncError("InvalidRequest", detail=said)
    return tuple(conditions)


def _name(text: str) -> str:
    name = text.strip()
    if len(name) > NAME_MAX_CHARACTERS or not name.isprintable():
        said = _(
            "%(name)s takes at most %(most)s characters, all of them printable.", name="name", most=NAME_MAX_CHARACTERS
        )
        raise SyncError("InvalidRequest", detail=said)
    return name


def _name_of(conditions: Sequence[Condition]) -> str:
    """Make up a name that says what the filter selects."""
    text = all_said(conditions)
    text = text[:1].upper() + text[1:]
    return text if len(text) <= NAME_MAX_CHARACTERS else f"{text[: NAME_MAX_CHARACTERS - 1]}…"


def _object(viewer: Viewer, one: SyncFilter) -> FilterObject:
    kind = "template" if one.template else "system" if one.user is None else "user"
    return FilterObject(
        id=one.id,
        name=one.name,
        kind=kind,
        user=one.user,
        enabled=one.enabled,
        conditions=one.conditions,
        changeable=_may_change(viewer, one),
    )
