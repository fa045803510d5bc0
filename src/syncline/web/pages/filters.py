"""Settings › Sync filters: which entries of the CRM go to a user's calendar, one to make or change, and its preview.

The form holds at most one condition on each field; a filter with more is changed by command or API. It must not know
who may do what: the desk does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from syncline.core.filters import Condition, Field
from syncline.desk import filters
from syncline.desk.filter_words import CHOICES, FLAGS, TEXTS, all_said, called, checked, joined, split
from syncline.desk.filters import FilterChange, FilterObject, NewFilter, Selected
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.web.pages.rendering import Here, Visit, go
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Settings"
PATH = "/settings/filters"
NUMBER_MAX = 2**31 - 1
NOT = "not"
LABELS: Mapping[Field, str] = {
    Field.PART: noted("What the user is to it"),
    Field.STATUS: noted("Status"),
    Field.SHOW_AS: noted("Shown as"),
    Field.SUBJECT: noted("Subject"),
    Field.LOCATION: noted("Location"),
    Field.PRIVATE: noted("Private"),
    Field.ALL_DAY: noted("All-day"),
    Field.SERIES: noted("Repetition"),
}
ASKS: Mapping[Field, tuple[str, str]] = {
    Field.PRIVATE: (noted("Only private ones"), noted("Only those that are not private")),
    Field.ALL_DAY: (noted("Only all-day ones"), noted("Only those with times")),
    Field.SERIES: (noted("Only series"), noted("Only those that do not repeat")),
}
KINDS = {"template": noted("New users get a copy"), "system": noted("Everybody")}


class Given(BaseModel):
    """What the form holds, as it was typed: words of each field, and under the field's name with `_is` how they count.

    `number` is the filter that is changed, 0 for a new one.
    """

    model_config = ConfigDict(frozen=True)

    number: int = 0
    name: str = ""
    user: str = ""
    everybody: str = ""
    part: list[str] = []
    part_is: str = ""
    status: list[str] = []
    status_is: str = ""
    show_as: list[str] = []
    show_as_is: str = ""
    subject: str = ""
    subject_is: str = ""
    location: str = ""
    location_is: str = ""
    private: str = ""
    all_day: str = ""
    series: str = ""

    def conditions(self) -> tuple[Condition, ...]:
        """Return the conditions that are asked for."""
        return tuple(
            checked(field, words, negated=field not in FLAGS and getattr(self, f"{field}_is") == NOT)
            for field in Field
            if (words := self._words(field))
        )

    def wanted(self) -> NewFilter:
        """Return the filter that is asked for."""
        everybody = self.everybody == "yes"
        user = None if everybody or not self.user.strip() else self.user
        return NewFilter(conditions=self.conditions(), name=self.name, user=user, everybody=everybody)

    def _words(self, field: Field) -> list[str]:
        given: list[str] | str = getattr(self, field)
        return split(given) if isinstance(given, str) else given


def given_of(one: FilterObject) -> Given | None:
    """Return the form of a filter, None if it holds more than the form can."""
    values: dict[str, object] = {"number": one.id, "name": one.name, "user": one.user or ""}
    for each in one.conditions:
        if each.field in values or (each.field in FLAGS and len(each.words) != 1):
            return None
        if each.field in FLAGS:
            values[each.field] = "yes" if (each.words[0] == "yes") is not each.negated else "no"
        else:
            values[each.field] = joined(each.words) if each.field in TEXTS else list(each.words)
            values[f"{each.field}_is"] = NOT if each.negated else ""
    return Given(**values, everybody="yes" if one.kind == "system" else "")  # type: ignore[arg-type]


@router.get(PATH)
def overview(visit: Here, edit: Annotated[int, Query(ge=0, le=NUMBER_MAX)] = 0) -> Response:
    """Show the filters, and in the form the one that is to be changed."""
    if not edit:
        return _page(visit)
    try:
        found = filters.show(visit.app, visit.viewer, edit)
    except SyncError as error:
        return _page(visit, trouble=error)
    given = given_of(found) if found.changeable else None
    return _page(visit, given=given, too_much=given is None and found.changeable)


@router.post(PATH)
def save(visit: Here, given: Annotated[Given, Form()]) -> Response:
    """Make a filter, or change one."""

    def work() -> object:
        if not given.number:
            return filters.add(visit.app, visit.viewer, given.wanted())
        change = FilterChange(name=given.name, conditions=given.conditions())
        return filters.change(visit.app, visit.viewer, given.number, change)

    return _done(visit, work, given)


@router.post(f"{PATH}/preview")
def preview(visit: Here, given: Annotated[Given, Form()]) -> Response:
    """Show how many entries a filter would select; nothing is stored."""
    try:
        told = filters.preview(visit.app, visit.viewer, given.wanted(), instead_of=given.number or None)
    except SyncError as error:
        return _page(visit, given=given, trouble=error)
    return _page(visit, given=given, told=told)


@router.post(f"{PATH}/switch")
def switch(visit: Here, number: Annotated[int, Form()], on: Annotated[str, Form()] = "") -> Response:
    """Switch a filter on or off."""
    change = FilterChange(enabled=on == "yes")
    return _done(visit, lambda: filters.change(visit.app, visit.viewer, number, change))


@router.post(f"{PATH}/remove")
def remove(visit: Here, number: Annotated[int, Form()]) -> Response:
    """Forget a filter."""
    return _done(visit, lambda: filters.remove(visit.app, visit.viewer, number))


@router.post(f"{PATH}/reset")
def reset(visit: Here, user: Annotated[str, Form()] = "") -> Response:
    """Put a copy of the template in place of a user's own filters."""
    return _done(visit, lambda: filters.reset(visit.app, visit.viewer, user.strip() or None))


def _done(visit: Visit, work: Callable[[], object], given: Given | None = None) -> Response:
    try:
        work()
    except SyncError as error:
        return _page(visit, given=given, trouble=error)
    return go(f"{PATH}?said=changed")


def _page(
    visit: Visit,
    *,
    given: Given | None = None,
    told: Selected | None = None,
    trouble: SyncError | None = None,
    too_much: bool = False,
) -> Response:
    found = filters.listing(visit.app, visit.viewer)
    shown = given or Given()
    return visit.render(
        "filters.html",
        section=SECTION,
        status=status_of(trouble) if trouble is not None else 200,
        filters=[(each, called(each.name), all_said(each.conditions), _whose(visit, each)) for each in found],
        selecting=any(each.enabled and each.kind != "template" for each in found),
        given=shown,
        changed=next((called(each.name) for each in found if each.id == shown.number), None),
        told=told,
        trouble=trouble,
        too_much=too_much,
        choices=CHOICES,
        texts=TEXTS,
        asks=ASKS,
        labels=LABELS,
    )


def _whose(visit: Visit, one: FilterObject) -> str:
    return _(KINDS[one.kind]) if one.kind in KINDS else visit.called(one.user or "")
