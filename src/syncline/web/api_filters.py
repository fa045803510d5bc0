"""API: sync filters, and how many entries of the CRM one would select now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from syncline.core.filters import Condition
from syncline.desk import filter_words, filters
from syncline.desk.filters import FilterChange, FilterObject, NewFilter, Selected
from syncline.desk.objects import Listing
from syncline.web.asking import Asker, Parts, answered

router = APIRouter(tags=["filters"])
NUMBER_MAX = 2**31 - 1

FilterId = Annotated[int, Path(ge=1, le=NUMBER_MAX, description="Number of the filter.")]


class WantedCondition(BaseModel):
    """One condition: the field has one of the words, or none of them if negated."""

    model_config = ConfigDict(extra="forbid")

    field: str = Field(description="part, status, show_as, subject, location, private, all_day or series.")
    words: list[str] = Field(
        description="What is compared with: words of the field's list, of the text, or yes and no."
    )
    negated: bool = False

    def made(self) -> Condition:
        """Return it checked."""
        return filter_words.checked(self.field, self.words, negated=self.negated)


class WantedFilter(BaseModel):
    """A filter: all its conditions must hold. It is for one user, who asks if none is named, or for everybody."""

    model_config = ConfigDict(extra="forbid")

    conditions: list[WantedCondition] = Field([], max_length=filter_words.CONDITIONS_MAX)
    name: str = Field("", description="Made up if empty.")
    user: str | None = Field(None, description="Sign-in name; others than yourself as a System Administrator only.")
    everybody: bool = Field(False, description="A system filter; as a System Administrator only.")

    def wanted(self) -> NewFilter:
        """Return it as the desk takes it."""
        conditions = tuple(each.made() for each in self.conditions)
        return NewFilter(conditions=conditions, name=self.name, user=self.user, everybody=self.everybody)


class FilterEdit(BaseModel):
    """What changes about a filter; conditions that are given take the place of all it has."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    conditions: list[WantedCondition] | None = Field(None, max_length=filter_words.CONDITIONS_MAX)
    enabled: bool | None = None

    def wanted(self) -> FilterChange:
        """Return it as the desk takes it."""
        given = None if self.conditions is None else tuple(each.made() for each in self.conditions)
        return FilterChange(name=self.name, conditions=given, enabled=self.enabled)


class Whose(BaseModel):
    """Whose filters are meant; your own if nobody is named."""

    model_config = ConfigDict(extra="forbid")

    user: str | None = None


@router.get("/filters", response_model=Listing, summary="List sync filters")
def list_filters(
    app: Parts, viewer: Asker, user: Annotated[str | None, Query(description="Those that count for this user.")] = None
) -> Response:
    """Return the sync filters that you may see: everybody's and your own, as a System Administrator all."""
    return answered({"items": filters.listing(app, viewer, user), "next": None})


@router.post("/filters", response_model=FilterObject, status_code=201, summary="Make a sync filter")
def add_filter(app: Parts, viewer: Asker, body: WantedFilter) -> Response:
    """Make a filter. One more filter never takes anything away; its mailboxes look at all entries again at once."""
    return answered(filters.add(app, viewer, body.wanted()), 201)


@router.post("/filters/preview", response_model=Selected, summary="Count what a sync filter would select")
def preview_filter(app: Parts, viewer: Asker, body: WantedFilter) -> Response:
    """Return how many entries of the CRM a filter would select now; nothing is stored."""
    return answered(filters.preview(app, viewer, body.wanted()))


@router.post("/filters/reset", response_model=Listing, summary="Reset a user's sync filters")
def reset_filters(app: Parts, viewer: Asker, body: Whose) -> Response:
    """Put a copy of the template in place of all filters of a user's own; everybody's stay."""
    return answered({"items": filters.reset(app, viewer, body.user), "next": None})


@router.patch("/filters/{filter_id}", response_model=FilterObject, summary="Change a sync filter")
def change_filter(app: Parts, viewer: Asker, filter_id: FilterId, body: FilterEdit) -> Response:
    """Change a filter's name or conditions, or switch it on or off."""
    return answered(filters.change(app, viewer, filter_id, body.wanted()))


@router.delete("/filters/{filter_id}", status_code=204, summary="Remove a sync filter")
def remove_filter(app: Parts, viewer: Asker, filter_id: FilterId) -> Response:
    """Forget a filter."""
    filters.remove(app, viewer, filter_id)
    return Response(status_code=204)
