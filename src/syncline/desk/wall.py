"""The wall of alerts: what somebody asks to see of all that he may see, and pages of it.

A search finds what the viewer may read and nothing else. It must not know how alerts are drawn or answered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from syncline.desk.alerts import hidden_codes, objects, visible_alert
from syncline.desk.finding import one, owned, within
from syncline.desk.objects import AlertObject
from syncline.desk.paging import PAGE, Page
from syncline.desk.reading import PRIVATE_SUBJECT, Viewer
from syncline.engine.questions import CONFLICT
from syncline.errors import CATALOGUE, SyncError
from syncline.language import _
from syncline.ports import Alert
from syncline.store.wall import STATES, Fold, Health, Wanted

if TYPE_CHECKING:
    from syncline.wiring import App

TOGETHER_MIN = 6
"""From so many open questions of one mailbox on they are one card (pages.md)."""
FOLD = Fold(code=CONFLICT, least=TOGETHER_MIN)
WORDS_MAX = 200
ANY = "any"
KINDS = ("question", "notice")
LEVELS = ("error", "warning", "information")
_DAY = timedelta(days=1)
AGES: Mapping[str, tuple[timedelta | None, timedelta | None]] = {
    "day": (_DAY, None),
    "week": (7 * _DAY, None),
    "month": (30 * _DAY, None),
    "older": (None, 7 * _DAY),
}
"""How long ago an alert was raised: at most, or at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What somebody asks to see; empty means: everything. `kind` is question, notice or a code."""

    mailbox: str = ""
    kind: str = ""
    level: str = ""
    state: str = "open"
    age: str = ""
    mine: bool = False
    words: str = ""

    @property
    def folds(self) -> bool:
        """Return whether the questions of a mailbox may come as one: not when only some of them are wanted."""
        return self.state == "open" and self.kind in ("", "question") and not (self.age or self.words or self.level)


def wanted(app: App, viewer: Viewer, filters: Filters) -> Wanted:
    """Return what the filters ask for of what the viewer may see; SyncError("InvalidRequest") for unknown words."""
    _check(filters)
    mailbox_ids = within(app, viewer)
    if filters.mailbox:
        mailbox_ids = frozenset({one(app, viewer, filters.mailbox).id})
    mine = owned(app, viewer) if filters.mine or filters.words else frozenset()
    if filters.mine:
        mailbox_ids = mine if mailbox_ids is None else mailbox_ids & mine
    most, least = AGES.get(filters.age, (None, None))
    now = app.clock.now()
    words = filters.words.strip()[:WORDS_MAX]
    return Wanted(
        mailbox_ids=mailbox_ids,
        state=None if filters.state == ANY else filters.state,
        question=None if filters.kind not in KINDS else filters.kind == "question",
        codes=_codes(filters),
        hidden=hidden(app, viewer, filters.level),
        since=None if most is None else now - most,
        until=None if least is None else now - least,
        words=words,
        readable=mine,
        masked=words.casefold() in _(PRIVATE_SUBJECT).casefold(),
    )


def page(
    app: App, viewer: Viewer, filters: Filters, *, after: int | None = None, limit: int = PAGE
) -> Page[AlertObject, int]:
    """Return what the filters ask for as objects, the newest first; an administrator gets alerts of every level."""
    asked = wanted(app, viewer, filters)
    asked = replace(asked, hidden=frozenset() if viewer.administrator else asked.hidden)
    found = app.store.newest(asked, limit + 1, after)
    shown = found[:limit]
    mailboxes = app.store.mailboxes_by_id({alert.mailbox_id for alert in shown})
    following = shown[-1].id if len(found) > limit else None
    return Page(items=tuple(objects(app, viewer, shown, mailboxes)), next=following)


def hidden(app: App, viewer: Viewer, level: str = "") -> frozenset[str]:
    """Return the codes that the settings keep away (AL-04); an administrator who asks for a level gets it."""
    if viewer.administrator and level:
        return frozenset()
    return hidden_codes(app)


def like(app: App, viewer: Viewer, alert_id: int, how: str) -> Wanted:
    """Return the open questions like one: of its mailbox (`like`), its `series`, or with the same `person` in the way.

    Raises SyncError: NotFoundHere if the viewer may not see the alert, InvalidRequest for another word.
    """
    alert, mailbox = visible_alert(app, viewer, alert_id)
    asked = Wanted(mailbox_ids=within(app, viewer), state="open", question=True, codes=(alert.code,))
    if how == "like":
        return replace(asked, mailbox_ids=(mailbox.id,))
    if how == "series":
        return replace(asked, global_object_id=_series_of(app, alert))
    if how == "person" and alert.verdict is not None and alert.verdict.unavailable:
        return replace(asked, unavailable=alert.verdict.unavailable[0].full_name)
    raise SyncError("InvalidRequest", detail=f"{how!r} does not say which questions are like this one.")


def of_mailbox(app: App, viewer: Viewer, mailbox: str) -> Wanted:
    """Return the open questions about scheduling conflicts of one mailbox."""
    number = one(app, viewer, mailbox).id
    return Wanted(mailbox_ids=(number,), state="open", question=True, codes=(CONFLICT,))


def of_ids(app: App, viewer: Viewer, ids: Collection[int], state: str = "open") -> Wanted:
    """Return those of these alerts that the viewer may see and that are in a state."""
    if state not in STATES:
        raise SyncError("InvalidRequest", detail=f"{state!r} is no state of an alert.")
    return Wanted(mailbox_ids=within(app, viewer), state=state, question=True, ids=tuple(ids))


def health(app: App, viewer: Viewer) -> Health:
    """Return how the viewer's mailboxes stand."""
    return app.store.health(within(app, viewer))


def _check(filters: Filters) -> None:
    for name, value, known in (
        ("state", filters.state, (*STATES, ANY)),
        ("level", filters.level, ("", *LEVELS)),
        ("age", filters.age, ("", *AGES)),
        ("kind", filters.kind, ("", *KINDS, *CATALOGUE)),
    ):
        if value not in known:
            allowed = ", ".join(word for word in known if word)[:200]
            raise SyncError("InvalidRequest", detail=f"The {name} {value[:50]!r} is not one of: {allowed}.")


def _codes(filters: Filters) -> frozenset[str] | None:
    codes = None if filters.kind in ("", *KINDS) else frozenset({filters.kind})
    if not filters.level:
        return codes
    of_level = frozenset(row.code for row in CATALOGUE.values() if row.level.value == filters.level)
    return of_level if codes is None else of_level & codes


def _series_of(app: App, alert: Alert) -> str:
    found = app.store.links_by_id([alert.link_id]) if alert.link_id is not None else ()
    if not found or not found[0].identity.global_object_id:
        raise SyncError("InvalidRequest", detail=_("This alert is about no appointment."))
    return found[0].identity.global_object_id
