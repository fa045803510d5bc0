"""My settings: what everybody chooses for himself (time zone, language, mails, quiet hours).

It must not know what a mail says or how a page is translated.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import groupby
from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Form
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from syncline.desk import preferences
from syncline.desk.preferences import Mails
from syncline.errors import SyncError
from syncline.language import noted
from syncline.web.language import choose
from syncline.web.pages.rendering import Here, Visit, go
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Me"
PATH = "/settings/me"
REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
MAILS: Mapping[str, str] = {
    Mails.EACH.value: noted("A mail for each question"),
    Mails.DIGEST.value: noted("One mail for several questions"),
    Mails.OFF.value: noted("No mail; I look at the Alerts page"),
}


class Chosen(BaseModel):
    """What the form holds, as it was typed."""

    model_config = ConfigDict(frozen=True)

    time_zone: str = "UTC"
    language: str = ""
    mails: str = Mails.DIGEST.value
    quiet_from: str = ""
    quiet_to: str = ""


@router.get(PATH)
def overview(visit: Here) -> Response:
    """Show what the viewer has chosen."""
    return _page(visit, _standing(visit))


@router.post(PATH)
def save(visit: Here, chosen: Annotated[Chosen, Form()]) -> Response:
    """Keep the viewer's choice; the language holds from the next page on."""
    try:
        wanted = preferences.chosen(
            language=chosen.language, mails=chosen.mails, quiet_from=chosen.quiet_from, quiet_to=chosen.quiet_to
        )
        preferences.save(visit.app, visit.viewer, wanted, time_zone=chosen.time_zone.strip() or "UTC")
    except SyncError as error:
        return _page(visit, chosen, trouble=error)
    answer = go(f"{PATH}?said=changed")
    choose(answer, wanted.language)
    return answer


def _standing(visit: Visit) -> Chosen:
    kept = preferences.of(visit.app, visit.viewer.name)
    return Chosen(
        time_zone=visit.times.zone,
        language=kept.language,
        mails=kept.mails.value,
        quiet_from=kept.quiet_from.isoformat("minutes") if kept.quiet_from else "",
        quiet_to=kept.quiet_to.isoformat("minutes") if kept.quiet_to else "",
    )


def _page(visit: Visit, chosen: Chosen, *, trouble: SyncError | None = None) -> Response:
    return visit.render(
        "me.html",
        section=SECTION,
        status=status_of(trouble) if trouble is not None else 200,
        chosen=chosen,
        zones=_zones(),
        unlisted=not any(chosen.time_zone in names for _, names in _zones()),
        mails=MAILS,
        trouble=trouble,
    )


@cache
def _zones() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the places that people know as time zones, by region."""
    places = sorted(name for name in available_timezones() if name.split("/")[0] in REGIONS)
    return tuple((region, tuple(names)) for region, names in groupby(places, lambda name: name.split("/")[0]))
