"""The stand-in's pages and forms: a request in, an answer out.

Each page is complete as it comes; a form that was carried out leads on with 303. Knows the store through `writing`, the
layout through `week`, and Syncline through its public API only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from syncline.emulators.exchange import series
from syncline.emulators.exchange.call import Call
from syncline.emulators.exchange.errors import EwsError
from syncline.emulators.exchange.model import Item, Mailbox, Stored, ZoneRef
from syncline.emulators.exchange.site import Answer, Site
from syncline.emulators.exchange.stand_in import form, states, week, writing
from syncline.emulators.exchange.stand_in.door import Request, refusal
from syncline.emulators.exchange.stand_in.rendering import HTML, SECURITY, STYLE, rendered, style
from syncline.emulators.exchange.zones import to_utc, to_wall, zone_ref

if TYPE_CHECKING:
    from syncline.emulators.exchange.stand_in.states import Standing, Standings, Syncline

CATEGORY = "Tracked to Syncline CRM"
BODY_BYTES_MAX = 256 * 1024
FIELDS_MAX = 100
PREFIX = "/stand-in"
FRESH_S = 8
UNSEEN_S = 60
REFRESH_S = 2
OUTBOX_SHOWN = 200
NOTHING_GIVEN = form.Given()
SAID: Mapping[str, str] = {
    "saved": "Saved.",
    "deleted": "Deleted.",
    "answered": "Answered; the organizer was told.",
    "password": "The password was changed. Syncline is refused until it has the new one.",
}


class WrongRequestError(Exception):
    """A request that no page of ours sends, with its status."""

    def __init__(self, status: int, text: str) -> None:
        """Keep status and text."""
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as the week shows it: the occurrence, where its form is, and what Syncline says."""

    shown: week.Shown
    url: str
    tracked: bool
    standing: Standing | None


@dataclass(slots=True, kw_only=True)
class StandIn:
    """The pages over one site. `syncline` None: they say nothing of Syncline; `category`: what *Track in CRM* sets."""

    site: Site
    token: str | None = None
    syncline: Syncline | None = None
    category: str = CATEGORY

    def serves(self, path: str) -> bool:
        """Return whether a path is one of ours."""
        return path == "/" or path.startswith(f"{PREFIX}/")

    def answer(self, request: Request) -> Answer:
        """Answer one request; whoever may not come in is told so."""
        refused = refusal(request, self.token)
        if refused is not None:
            return replace(refused, headers=(*refused.headers, *SECURITY))
        try:
            answer = self._route(request)
        except WrongRequestError as error:
            answer = _page("trouble.html", error.status, text=str(error))
        except EwsError as error:
            answer = _page("trouble.html", 404 if error.code == "ErrorItemNotFound" else 409, text=error.text)
        return replace(answer, headers=(*answer.headers, *SECURITY))

    def _route(self, request: Request) -> Answer:
        target = urlsplit(request.target)
        wanted = ROUTES.get((request.method, target.path.removeprefix(PREFIX)))
        if wanted is None:
            raise WrongRequestError(404, "There is no such page.")
        return wanted(self, _fields(target.query if request.method == "GET" else _text(request.body)))

    # -- what a request names

    def mailbox(self, fields: Mapping[str, str]) -> Mailbox:
        """Return the mailbox that a request names, else the first one."""
        name = fields.get("mailbox", "")
        found = self.site.store.mailbox(name) if name else next(iter(self.site.store.mailboxes()), None)
        if found is None:
            raise WrongRequestError(404, "There is no such mailbox here." if name else "This server has no mailbox.")
        return found

    def standings(self, mailbox: Mailbox) -> Standings | None:
        """Return what Syncline says of a mailbox; None when nobody named a Syncline."""
        return states.ask(self.syncline, mailbox.address) if self.syncline is not None else None

    def outbox(self) -> list[dict[str, Any]]:
        """Return every mail that this server would have sent, newest first."""
        return [msgspec.json.decode(text) for _, text in reversed(self.site.store.notes("mail"))]

    def shared(self, mailbox: Mailbox) -> dict[str, Any]:
        """Return what every page of a mailbox shows."""
        return {
            "mailbox": mailbox,
            "mailboxes": self.site.store.mailboxes(),
            "zone": mailbox.zone,
            "mails": len(self.site.store.notes("mail")),
            "syncline": self.syncline.url if self.syncline is not None else "",
            "category": self.category,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form page: what it is about (`stored` None: something new), its fields, and what is wrong."""

    mailbox: Mailbox
    stored: Stored | None = None
    original: datetime | None = None
    fields: form.Given = NOTHING_GIVEN
    trouble: str = ""

    @property
    def item(self) -> Item | None:
        """Return the single, the series, or the one date that the form is about."""
        if self.stored is None:
            return None
        return self.stored.item if self.original is None else series.by_original_start(self.stored.item, self.original)


# -- pages


def _calendar(site: StandIn, fields: Mapping[str, str]) -> Answer:
    mailbox = site.mailbox(fields)
    zone = zone_ref(mailbox.zone)
    now = site.site.clock.now()
    today = to_wall(now, zone).date()
    monday = week.monday_of(_date(fields.get("week"), _first_day(site, mailbox, now, zone)))
    shown = week.week(_calendar_items(site, mailbox, monday, zone), monday, zone)
    standings = site.standings(mailbox)
    lines = {id(each): _line(site, mailbox, each, standings) for day in shown.days for each in day.items}
    looks_again = standings is not None and _unsettled(lines.values(), now)
    page = _page(
        "week.html",
        **site.shared(mailbox),
        week=shown,
        view="list" if fields.get("view") == "list" else "grid",
        line=lambda each: lines[id(each)],
        show_as=form.SHOW_AS,
        today=today,
        this_week=week.monday_of(today),
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
        said=SAID.get(fields.get("said", "")),
        answered=standings is None or standings.answered,
        looks_again=looks_again,
    )
    return replace(page, headers=(*page.headers, ("Refresh", str(REFRESH_S)))) if looks_again else page


def _first_day(site: StandIn, mailbox: Mailbox, now: datetime, zone: ZoneRef) -> date:
    """Return a day of the week that is shown unasked: this one, or the next when nothing is left of this one."""
    today = to_wall(now, zone).date()
    monday = week.monday_of(today)
    _, end = week.bounds(monday, zone)
    items = _calendar_items(site, mailbox, monday, zone)
    left = any(True for each in items for _ in series.expand(each.item, now, end))
    following = monday + timedelta(days=7)
    return today if left or not _calendar_items(site, mailbox, following, zone) else following


def _calendar_items(site: StandIn, mailbox: Mailbox, monday: date, zone: ZoneRef) -> list[Stored]:
    begin, end = week.bounds(monday, zone)
    store = site.site.store
    folders = [folder for folder in store.folders(mailbox.row) if folder.folder_class == "IPF.Appointment"]
    return [each for folder in folders for each in store.items_between(folder.row, begin, end) if each.item.is_calendar]


def _line(site: StandIn, mailbox: Mailbox, shown: week.Shown, standings: Standings | None) -> Line:
    item, stored = shown.item, shown.stored
    tracked = site.category in item.categories
    original = item.original_start or item.recurrence_id
    url = f"{PREFIX}/item?" + urlencode(_names(mailbox, stored, item.original_start))
    standing = None
    if standings is not None:
        # A question about a series begins where its first date does.
        start = stored.item.start
        standing = standings.of(states.Wanted(stored.item.uid, stored.item.subject, start, original, tracked))
    return Line(shown=shown, url=url, tracked=tracked, standing=standing)


def _unsettled(lines: Iterable[Line], now: datetime) -> bool:
    """Return whether something was written just now that Syncline may still look at, or has not seen yet."""
    ages = ((line, (now - line.shown.stored.item.modified).total_seconds()) for line in lines)
    return any(age < (UNSEEN_S if line.standing and line.standing.state == "coming" else FRESH_S) for line, age in ages)


def _new(site: StandIn, fields: Mapping[str, str]) -> Answer:
    mailbox = site.mailbox(fields)
    zone = zone_ref(mailbox.zone)
    today = to_wall(site.site.clock.now(), zone).date()
    day = _date(fields.get("day"), week.working_day_after(today))
    start = datetime.combine(day, time(10))
    item = Item(start=to_utc(start, zone), end=to_utc(start + timedelta(hours=1), zone), categories=(site.category,))
    return _form(site, Form(mailbox=mailbox, fields=form.shown(item, zone, site.category)))


def _item(site: StandIn, fields: Mapping[str, str]) -> Answer:
    about = _about(site, fields)
    assert about.item is not None
    shown = form.shown(about.item, zone_ref(about.mailbox.zone), site.category)
    return _form(site, replace(about, fields=shown))


def _form(site: StandIn, about: Form) -> Answer:
    item = about.item
    standing = None
    standings = site.standings(about.mailbox) if about.stored is not None and item is not None else None
    if standings is not None and about.stored is not None and item is not None:
        zone = zone_ref(about.mailbox.zone)
        shown = week.Shown(stored=about.stored, item=item, start=to_wall(item.start, zone), end=to_wall(item.end, zone))
        standing = _line(site, about.mailbox, shown, standings).standing
    return _page(
        "item.html",
        422 if about.trouble else 200,
        **site.shared(about.mailbox),
        about=about,
        item=item,
        fields=about.fields,
        names=_names(about.mailbox, about.stored, about.original) if about.stored is not None else {},
        series_url=f"{PREFIX}/item?" + urlencode(_names(about.mailbox, about.stored, None)) if about.original else "",
        show_as=form.SHOW_AS,
        repeats={**form.REPEATS, **({form.AS_IT_IS: "As it is"} if about.fields.repeats == form.AS_IT_IS else {})},
        count_max=form.COUNT_MAX,
        known=[name for name in writing.added_categories(site.site.store, about.mailbox) if name != site.category],
        standing=standing,
    )


def _outbox(site: StandIn, fields: Mapping[str, str]) -> Answer:
    mails = site.outbox()
    return _page("outbox.html", **site.shared(site.mailbox(fields)), listed=mails[:OUTBOX_SHOWN])


def _mailboxes(site: StandIn, fields: Mapping[str, str]) -> Answer:
    return _page("mailboxes.html", **site.shared(site.mailbox(fields)), said=SAID.get(fields.get("said", "")))


def _style(_: StandIn, __: Mapping[str, str]) -> Answer:
    return Answer(status=200, headers=STYLE, body=style())


# -- forms


def _save(site: StandIn, fields: Mapping[str, str]) -> Answer:
    about = replace(_about(site, fields), fields=form.given(fields))
    call = writing.call_of(site.site, about.mailbox)
    try:
        stored = _written(site, call, about, fields)
    except (form.FormError, EwsError) as error:
        text = error.text if isinstance(error, EwsError) else str(error)
        if isinstance(error, EwsError) and error.code == "ErrorIrresolvableConflict":
            text = "Somebody changed this appointment meanwhile. Open it again."
        return _form(site, replace(about, trouble=text))
    item = stored.item if about.original is None else series.by_original_start(stored.item, about.original)
    return _back(about.mailbox, item.start, "saved")


def _written(site: StandIn, call: Call, about: Form, fields: Mapping[str, str]) -> Stored:
    zone = zone_ref(about.mailbox.zone)
    if about.stored is None:
        return writing.create(call, form.read(about.fields, writing.blank(call), zone, site.category))
    assert about.item is not None
    given = about.fields
    if about.original is not None:
        # What belongs to the whole series is not asked in the form of one date.
        kept = form.shown(about.item, zone, site.category)
        given = replace(given, repeats=form.NEVER, track=kept.track, categories=kept.categories)
    after = form.read(given, about.item, zone, site.category)
    return writing.change(call, about.stored, about.original, after, _number(fields.get("change")))


def _delete(site: StandIn, fields: Mapping[str, str]) -> Answer:
    about = _about(site, fields)
    assert about.stored is not None and about.item is not None
    start = about.item.start
    writing.delete(writing.call_of(site.site, about.mailbox), about.stored, about.original)
    return _back(about.mailbox, start, "deleted")


def _respond(site: StandIn, fields: Mapping[str, str]) -> Answer:
    about = _about(site, fields)
    assert about.stored is not None
    writing.respond(writing.call_of(site.site, about.mailbox), about.stored, fields.get("verb", ""))
    return _back(about.mailbox, about.stored.item.start, "answered")


def _set_password(site: StandIn, fields: Mapping[str, str]) -> Answer:
    mailbox, password = site.mailbox(fields), fields.get("password", "")
    if not password:
        raise WrongRequestError(422, "The password is empty.")
    site.site.store.add_mailbox(mailbox.address, password, zone=mailbox.zone)
    return _go(f"{PREFIX}/mailboxes?" + urlencode({"mailbox": mailbox.address, "said": "password"}))


ROUTES: Mapping[tuple[str, str], Callable[[StandIn, Mapping[str, str]], Answer]] = {
    ("GET", "/"): _calendar,
    ("GET", "/new"): _new,
    ("GET", "/item"): _item,
    ("GET", "/outbox"): _outbox,
    ("GET", "/mailboxes"): _mailboxes,
    ("GET", "/stand-in.css"): _style,
    ("POST", "/save"): _save,
    ("POST", "/delete"): _delete,
    ("POST", "/respond"): _respond,
    ("POST", "/password"): _set_password,
}


# -- pieces


def _about(site: StandIn, fields: Mapping[str, str]) -> Form:
    """Return what a request is about: something new when it names no row."""
    mailbox = site.mailbox(fields)
    if "row" not in fields:
        return Form(mailbox=mailbox)
    stored = writing.own(writing.call_of(site.site, mailbox), _number(fields["row"]))
    original = None
    if fields.get("original"):
        original = _instant(fields["original"])
        if stored.item.recurrence is None:
            raise EwsError("ErrorItemNotFound")
        series.by_original_start(stored.item, original)
    return Form(mailbox=mailbox, stored=stored, original=original)


def _names(mailbox: Mailbox, stored: Stored | None, original: datetime | None) -> dict[str, str]:
    assert stored is not None
    names = {"mailbox": mailbox.address, "row": str(stored.row)}
    return names if original is None else {**names, "original": f"{original:%Y-%m-%dT%H:%M:%SZ}"}


def _fields(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:
        raise WrongRequestError(400, "The form has too many fields.") from None


def _text(body: bytes) -> str:
    if len(body) > BODY_BYTES_MAX:
        raise WrongRequestError(413, "The form is too large.")
    return body.decode("utf-8", "replace")


def _date(text: str | None, otherwise: date) -> date:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return otherwise
    return found if 1900 < found.year < 4500 else otherwise


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found
    except ValueError:
        pass
    raise WrongRequestError(404, "There is no such date.")


def _number(text: str | None) -> int:
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise WrongRequestError(404, "There is no such appointment.")
    return int(text)


def _page(template: str, status: int = 200, **values: Any) -> Answer:  # noqa: ANN401 - what a template shows
    return Answer(status=status, headers=HTML, body=rendered(template, values))


def _back(mailbox: Mailbox, start: datetime, said: str) -> Answer:
    day = to_wall(start, zone_ref(mailbox.zone)).date()
    return _go("/?" + urlencode({"mailbox": mailbox.address, "week": week.monday_of(day).isoformat(), "said": said}))


def _go(path: str) -> Answer:
    return Answer(status=303, headers=(("Location", path), *HTML))
