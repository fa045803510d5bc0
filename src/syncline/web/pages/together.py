"""One answer for many questions: the page that names number and consequence, and the answer itself.

Which questions: those ticked, those of a mailbox, those like one (mailbox, series, person in the way), or all that a
filter finds. They are counted again when the answer comes; what was not seen is shown first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from msgspec.structs import replace
from pydantic import BaseModel, Field
from starlette.responses import Response

from syncline.desk import together as desk
from syncline.desk import wall
from syncline.desk.answering import WITHOUT_OVERLAPS
from syncline.engine.questions import CONFLICT
from syncline.errors import SyncError
from syncline.language import _, ngettext, numeral
from syncline.store.wall import Wanted
from syncline.web.pages import asked
from syncline.web.pages.groups import Group, group_of
from syncline.web.pages.outcome import address, instants, taken_back
from syncline.web.pages.rendering import Here, Visit, go

router = APIRouter()
SECTION = "Alerts"
IDS_MAX = 500
AT_MAX = 4_102_444_800
"""The year 2100."""
LIKE = ("like", "series", "person")
_STATES = ("open", "lapsed", "kept_out")


class Choice(BaseModel):
    """Which questions: exactly one of these says it; `state` is that of those that `id` names."""

    mailbox: str | None = None
    like: int | None = None
    series: int | None = None
    person: int | None = None
    match: str | None = Field(default=None, max_length=2000)
    id: list[int] = Field(default=[], max_length=IDS_MAX)
    state: str = "open"
    answer: str | None = None

    def fields(self) -> list[tuple[str, str]]:
        """Return the choice as the fields of a form or an address, without the answer."""
        said = [
            (name, str(value)) for name in ("mailbox", *LIKE, "match") if (value := getattr(self, name)) is not None
        ]
        said += [("id", str(number)) for number in self.id]
        return said + ([("state", self.state)] if self.state != "open" else [])


class Given(Choice):
    """An answer, with what its giver saw, and when (in seconds since 1970)."""

    count: int = 0
    newest: int = 0
    versions: str = ""
    at: int = Field(default=0, ge=0, le=AT_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One answer that is offered: its word, its button, and what it does."""

    answer: str
    button: str
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wider:
    """Another choice that reaches more or other questions, and how many."""

    text: str
    url: str
    current: bool


@router.get("/alerts/together")
def together(visit: Here, choice: Annotated[Choice, Query()]) -> Response:
    """Show the questions as one, with the number and the consequence of each answer."""
    return _show(visit, choice)


@router.post("/alerts/together")
def answer_together(visit: Here, given: Annotated[Given, Form()]) -> Response:
    """Answer what was seen; if something stands there that was not, show it first."""
    wanted = _wanted(visit, given)
    chosen = desk.choose(visit.app, wanted)
    seen = desk.Seen(count=given.count, newest=given.newest, changed=desk.read_versions(given.versions))
    if desk.changed(seen, chosen.seen):
        return _show(visit, given, moved=given.count > 0)
    over = _over(visit, wanted, given, chosen.ids) if chosen.seen.count < seen.count else ()
    result = desk.answer(visit.app, visit.viewer, chosen.versions, given.answer or "")
    return go(address(result, (*over, *result.refused)))


@router.post("/alerts/together/undo")
def undo_together(visit: Here, done: Annotated[str, Form()]) -> Response:
    """Take back an answer to many, as far as nobody has begun to carry it out."""
    return go(taken_back(desk.take_back(visit.app, visit.viewer, instants(done))))


def _show(visit: Visit, choice: Choice, *, moved: bool = False) -> Response:
    wanted = _wanted(visit, choice)
    outlines = visit.app.store.outlines(wanted)
    group = group_of(visit, outlines) if outlines else None
    offers = _offers(group, choice.state) if group is not None else ()
    only = [offer for offer in offers if offer.answer == choice.answer]
    return visit.render(
        "alerts_together.html",
        section=SECTION,
        status=409 if moved else 200,
        group=group,
        seen=desk.seen_of((outline.id, outline.version) for outline in outlines),
        at=int(visit.times.now.timestamp()),
        fields=choice.fields(),
        offers=only or offers,
        wider=_wider(visit, choice, group),
        moved=moved,
        state=choice.state,
    )


def _wanted(visit: Visit, choice: Choice) -> Wanted:
    """Return which questions a choice means; SyncError("InvalidRequest") if it says none, or two things."""
    app, viewer = visit.app, visit.viewer
    said: list[Callable[[], Wanted]] = [
        partial(wall.like, app, viewer, number, how) for how in LIKE if (number := getattr(choice, how)) is not None
    ]
    if choice.mailbox is not None:
        said.append(partial(wall.of_mailbox, app, viewer, choice.mailbox))
    if choice.match is not None:
        said.append(partial(_matching, visit, choice.match))
    if choice.id or not said:
        said.append(partial(wall.of_ids, app, viewer, choice.id, choice.state))
    if len(said) != 1 or choice.state not in _STATES:
        raise SyncError("InvalidRequest", detail=_("Say which questions: ticked ones, a mailbox, or those like one."))
    return said[0]()


def _matching(visit: Visit, query: str) -> Wanted:
    filters = asked.read(query).filters
    if filters.state != "open":
        raise SyncError("InvalidRequest", detail=_("Only open questions are answered by a filter."))
    return replace(wall.wanted(visit.app, visit.viewer, filters), question=True, codes=frozenset({CONFLICT}))


def _over(visit: Visit, wanted: Wanted, given: Given, left: Sequence[int]) -> tuple[int, ...]:
    """Return which of what was seen is over by now: answered by somebody else since, or without need of an answer."""
    since = datetime.fromtimestamp(given.at, UTC) if wanted.ids is None else None
    found = visit.app.store.chosen(replace(wanted, state=None, decided_since=since))
    return tuple(number for number, _version in found if number not in set(left) and number <= given.newest)


def _offers(group: Group, state: str) -> tuple[Offer, ...]:
    if not group.scheduling:
        return _plain_offers(group)
    yes, no = {
        "open": (_("Save all anyway"), _("Keep all out")),
        "lapsed": (_("Save them now"), _("Leave them out")),
        "kept_out": (_("Change to Yes"), ""),
    }[state]
    made = [Offer(answer="yes", button=yes, means=group.yes_means)]
    if group.partly and state == "open":
        without = _("Save without overlapping dates")
        made.append(Offer(answer=WITHOUT_OVERLAPS, button=without, means=group.without_means))
    if no:
        made.append(Offer(answer="no", button=no, means=group.no_means))
    return tuple(made)


def _plain_offers(group: Group) -> tuple[Offer, ...]:
    """Return the answers to questions about other things, each of which says on its card what it does."""
    said = ngettext(
        "Answer %(num)d question. What the answer does stands on its card.",
        "Answer %(num)d questions. What the answer does stands on each card.",
        group.questions,
    )
    buttons = {"yes": _("Yes to all"), "no": _("No to all")}
    return tuple(Offer(answer=answer, button=button, means=said) for answer, button in buttons.items())


def _wider(visit: Visit, choice: Choice, group: Group | None) -> Sequence[Wider]:
    """Return the choices around one question, with their numbers: its mailbox, its series, who is in the way."""
    number = next((value for how in LIKE if (value := getattr(choice, how)) is not None), None)
    if number is None or group is None:
        return ()
    said: Mapping[str, str] = {
        "like": _("This mailbox"),
        "series": _("This series"),
        "person": _("The same person in the way"),
    }
    found = []
    for how, text in said.items():
        try:
            many = len(visit.app.store.chosen(wall.like(visit.app, visit.viewer, number, how)))
        except SyncError:
            continue
        url = f"/alerts/together?{urlencode({how: number})}"
        found.append(Wider(text=f"{text} ({numeral(many)})", url=url, current=getattr(choice, how) is not None))
    return found
