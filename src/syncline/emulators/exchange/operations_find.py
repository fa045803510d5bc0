"""FindItem: pages of a folder's items by restriction and order, and calendar views with occurrences expanded."""

from __future__ import annotations

from datetime import datetime, timedelta

from lxml import etree

from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Folder
from syncline.emulators.exchange.operations_items import each
from syncline.emulators.exchange.restrictions import predicate, sort_key, wanted_meetings
from syncline.emulators.exchange.series import expand
from syncline.emulators.exchange.shapes import Shape, read_shape
from syncline.emulators.exchange.view import View, occurrence_view, view_of
from syncline.emulators.exchange.wire import M, children, read_instant
from syncline.emulators.exchange.zones import to_utc

PAGE_MAX = 1_000
VIEW_YEARS_MAX = 2
VIEW_ANSWERS_MAX = 1_000
_VIEWS = ("FractionalPageItemView", "SeekToConditionPageItemView", "ContactsView", "GroupBy", "DistinguishedGroupBy")


def find_item(call: Call, request: etree._Element) -> str:
    """Return what each folder has: one page, or everything of a calendar view."""
    shape = read_shape(request.find(f"{M}ItemShape"), summary=True)
    for name in _VIEWS:
        if request.find(f"{M}{name}") is not None:
            raise call.refuse(f"FindItem with {name}.")
    if request.findtext(f"{M}QueryString"):
        raise call.refuse("FindItem with a query string.")

    def one(element: etree._Element) -> str:
        folder = call.folder(element)
        if request.get("Traversal") != "Shallow":
            return _root_folder(call, [], shape, 0, 0, complete=True)
        view = request.find(f"{M}CalendarView")
        return (
            _paged(call, request, folder, shape) if view is None else _calendar_view(call, request, folder, view, shape)
        )

    return each("FindItem", children(request, f"{M}ParentFolderIds"), one)


def _root_folder(call: Call, views: list[View], shape: Shape, offset: int, total: int, *, complete: bool) -> str:
    items = "".join(call.rendered(view, shape) for view in views)
    attributes = (
        f'IndexedPagingOffset="{offset}" TotalItemsInView="{total}"'
        f' IncludesLastItemInRange="{"true" if complete else "false"}"'
    )
    return f"<m:RootFolder {attributes}><t:Items>{items}</t:Items></m:RootFolder>"


def _paged(call: Call, request: etree._Element, folder: Folder, shape: Shape) -> str:
    found = _searched(call, request, folder, shape)
    page = request.find(f"{M}IndexedPageItemView")
    offset = int(page.get("Offset", "0")) if page is not None else 0
    limit = min(int(page.get("MaxEntriesReturned", PAGE_MAX)) if page is not None else PAGE_MAX, PAGE_MAX)
    if page is not None and page.get("BasePoint") == "End":
        end = max(0, len(found) - offset)
        views = found[max(0, end - limit) : end]
        return _root_folder(call, views, shape, offset + len(views), len(found), complete=end - limit <= 0)
    views = found[offset : offset + limit]
    end = min(offset + limit, len(found))
    return _root_folder(call, views, shape, end, len(found), complete=end >= len(found))


def _searched(call: Call, request: etree._Element, folder: Folder, shape: Shape) -> list[View]:
    owner = call.owner(folder.mailbox)
    restriction = request.find(f"{M}Restriction")
    condition = restriction[0] if restriction is not None else None
    test = predicate(call, condition) if condition is not None else None
    goids = wanted_meetings(condition)
    if goids is None:
        stored = call.store.items(folder.row)
    else:
        found = (each for goid in goids for each in call.store.items_of_meeting(folder.mailbox, goid))
        stored = sorted((each for each in found if each.folder == folder.row), key=lambda each: each.row)
    # Newest first where nobody asks for an order; among equals of an ascending one the older item comes first.
    orders = children(request, f"{M}SortOrder")
    ascending = bool(orders) and orders[0].get("Order") != "Descending"
    views = [view_of(s, owner, body_type=shape.body_type) for s in (stored if ascending else reversed(stored))]
    if test is not None:
        views = [view for view in views if test(view)]
    for order in reversed(orders):
        views.sort(key=sort_key(order), reverse=order.get("Order") == "Descending")
    return views


def _calendar_view(call: Call, request: etree._Element, folder: Folder, view: etree._Element, shape: Shape) -> str:
    if folder.folder_class != "IPF.Appointment":
        raise EwsError("ErrorCalendarFolderIsInvalidForCalendarView")
    for name in ("Restriction", "SortOrder"):
        if request.find(f"{M}{name}") is not None:
            raise EwsError("ErrorInvalidRequest", f"A calendar view takes no {name}.")
    start, end = _instant(call, view, "StartDate"), _instant(call, view, "EndDate")
    if end < start:
        raise EwsError("ErrorCalendarEndDateIsEarlierThanStartDate")
    if end > _years_later(start):
        raise EwsError("ErrorCalendarViewRangeTooBig")
    limit = min(int(view.get("MaxEntriesReturned", VIEW_ANSWERS_MAX)), VIEW_ANSWERS_MAX)
    owner = call.owner(folder.mailbox)
    found = []
    for stored in call.store.items_between(folder.row, start, end):
        for item in expand(stored.item, start, end):
            if stored.item.recurrence is None:
                found.append(view_of(stored, owner, body_type=shape.body_type))
            else:
                found.append(occurrence_view(stored, owner, item, body_type=shape.body_type))
    found.sort(key=lambda v: (v.item.start, v.stored.row))
    shown = found[:limit]
    return _root_folder(call, shown, shape, len(shown), len(found), complete=len(shown) == len(found))


def _instant(call: Call, view: etree._Element, name: str) -> datetime:
    value = read_instant(view.get(name, ""))
    return value if value.tzinfo else to_utc(value, call.zone)


def _years_later(start: datetime) -> datetime:
    # A day of grace: two years may hold a leap day, and the zone may have changed its clock.
    return start + timedelta(days=365 * VIEW_YEARS_MAX + 2)
