"""How a page is made: templates with autoescape, and what every page shows (who, where, badges, times).

It must not know what any one page is about.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse

from syncline import __version__
from syncline.desk.finding import within
from syncline.desk.reading import Viewer
from syncline.errors import SyncError
from syncline.language import LANGUAGES, _, current, ngettext, noted, numeral, plural
from syncline.ports import User
from syncline.web.asking import app_of
from syncline.web.assets import asset
from syncline.web.pages import words
from syncline.web.pages.times import Times
from syncline.web.scene import plain
from syncline.web.sessions import CSRF_FIELD, signed_in

if TYPE_CHECKING:
    from syncline.wiring import App

NAVIGATION = (
    (noted("Alerts"), "/alerts"),
    (noted("Mailboxes"), "/mailboxes"),
    (noted("Failures"), "/failures"),
    (noted("Calendar"), "/calendar"),
    (noted("Email Configuration"), "/email-configuration"),
    (noted("Settings"), "/settings"),
)
_SEAM = re.compile(r"(?<=[@._:/-])(?=\w)|(?<=[a-z])(?=[A-Z])")
CHOICE_MAX = 100
"""Up to so many people are a list to choose from; of more, one is typed."""


class People(Mapping[str, User]):
    """The users of the CRM by sign-in name, asked for when they are needed.

    While the CRM cannot be asked those who are asked for by name are as they were known last.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._known: dict[str, User | None] = {}
        self._all: Mapping[str, User] | None = None

    def __getitem__(self, name: str) -> User:
        """Return one user."""
        self.meet([name])
        user = self._known[name] if self._all is None else self._all.get(name)
        if user is None:
            raise KeyError(name)
        return user

    def __iter__(self) -> Iterator[str]:
        """Go through all of them by name."""
        return iter(self._everybody())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._everybody())

    def meet(self, names: Iterable[str]) -> None:
        """Ask for several at once, so that showing them asks no more."""
        unknown = set(names) - self._known.keys()
        if self._all is None and unknown:
            self._known |= dict.fromkeys(unknown)
            self._known |= {user.name: user for user in self._asked(names=unknown)}

    def few(self) -> list[User] | None:
        """Return everybody by full name for a list to choose from, or None if that would be too long a list."""
        try:
            if self._app.crm.user_count() > CHOICE_MAX:
                return None
        except SyncError:
            return []
        return sorted(self.values(), key=lambda each: each.full_name)

    def by_address(self, addresses: Iterable[str]) -> Mapping[str, User]:
        """Return the users who have one of these mail addresses (lower case), by address."""
        wanted = set(addresses)
        found = self._asked(emails=wanted) if wanted else ()
        return {email: user for user in found for email in user.emails if email in wanted}

    def _everybody(self) -> Mapping[str, User]:
        if self._all is None:
            self._all = {user.name: user for user in self._asked()}
        return self._all

    def _asked(self, **which: Collection[str]) -> tuple[User, ...]:
        known = self._app.known
        try:
            found = self._app.crm.users(**which)
        except SyncError:
            return tuple(known[name] for name in which.get("names", ()) if name in known)
        known.update((user.name, user) for user in found)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of somebody who is signed in: the parts, the viewer, his times and the request itself."""

    request: Request
    app: App
    viewer: Viewer
    csrf: str
    times: Times
    people: People

    @property
    def crm(self) -> str:
        """Return the name of the CRM."""
        return self.app.settings.crm.name

    def called(self, name: str) -> str:
        """Return the full name of a user by sign-in name."""
        user = self.people.get(name)
        return user.full_name if user is not None and user.full_name else name

    def render(self, template: str, *, section: str = "", status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401
        """Return a page; `section` is the entry of the navigation that it belongs to."""
        shared = {
            "visit": self,
            "viewer": self.viewer,
            "times": self.times,
            "crm": self.crm,
            "csrf": self.csrf,
            "section": section,
            "badges": badges(self),
            "here": here(self.request),
            "said": notice(self.request),
            "demo": self.request.app.state.demo,
        }
        return HTMLResponse(_template(template, {**shared, **values}), status_code=status)


def visit_of(request: Request) -> Visit:
    """Return the visit of a request; SyncError("SignInRequired") if nobody is signed in."""
    session = signed_in(request)
    if session is None:
        raise SyncError("SignInRequired")
    app = app_of(request)
    people = People(app)
    own = people.get(session.viewer.name)
    times = Times(own.time_zone if own is not None else "UTC", app.clock.now())
    return Visit(request=request, app=app, viewer=session.viewer, csrf=session.csrf, times=times, people=people)


Here = Annotated[Visit, Depends(visit_of)]


def render_outside(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401
    """Return a page for somebody who is not signed in (or may not be)."""
    shared = {
        "viewer": None,
        "csrf": "",
        "section": "",
        "crm": app_of(request).settings.crm.name,
        "here": here(request),
        "said": notice(request),
        "demo": None,
        "guests": request.app.state.demo.guests_of(request) if request.app.state.demo else (),
    }
    return HTMLResponse(_template(template, {**shared, **values}), status_code=status)


def here(request: Request) -> str:
    """Return the address that shows this page again; the first page for what was sent by a form."""
    if request.method != "GET":
        return "/"
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def notice(request: Request) -> str:
    """Return what the page says about the action that led to it, or nothing."""
    said = words.NOTICES.get(request.query_params.get("said", ""))
    return _(said) if said else ""


def help_url(code: str) -> str:
    """Return where an error is explained at length."""
    return f"/help/errors#{code.lower()}"


def initials(name: str) -> str:
    """Return the first letters of a name's first and last word."""
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[1:][-1:])).upper()


def short(number: int) -> str:
    """Return a number for a badge: at most four characters."""
    if number < 1_000:
        return str(number)
    return f"{number // 1_000}k" if number < 100_000 else "99k+"


def breakable(name: str) -> Markup:
    """Return a long name without spaces that breaks where people would: after a sign, before a capital letter."""
    return Markup("<wbr>").join(_SEAM.split(name))


def merged(first: Mapping[str, str], second: Mapping[str, str]) -> Mapping[str, str]:
    """Return words for a choice: the first as they are, the second (a table) in the reader's language."""
    return {**first, **{key: _(word) for key, word in second.items()}}


def go(path: str) -> RedirectResponse:
    """Lead on after a form was carried out (303), so that loading the page again repeats nothing."""
    return RedirectResponse(path, status_code=303)


def saying(path: str, said: str) -> str:
    """Return an address that says something; what it said before is over."""
    before, _, query = path.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("said=")]
    return f"{before}?{'&'.join([*kept, f'said={said}'])}"


def inside(path: str | None, otherwise: str = "/") -> str:
    """Return a path of our own site, or `otherwise` for anything that could lead away from it."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return otherwise
    return path


def badges(visit: Visit) -> Mapping[str, tuple[int, str]]:
    """Return for the sections that count something how much, and what in words."""
    counts = visit.app.store.counts(within(visit.app, visit.viewer))
    asks, fails = counts.questions, counts.failed
    return {
        "Alerts": (asks, ngettext("%(num)d question waits", "%(num)d questions wait", asks)),
        "Failures": (fails, ngettext("%(num)d item failed", "%(num)d items failed", fails)),
    }


@cache
def environment() -> Environment:
    """Return the templates; every value is escaped, and a name that is not there is an error."""
    made = Environment(
        loader=FileSystemLoader(str(files("syncline.web") / "templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.filters |= {"initials": initials, "merged": merged, "plain": plain, "short": short, "breakable": breakable}
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(_, plural, newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {
        "language": current,
        "languages": LANGUAGES,
        "asset": asset,
        "help_url": help_url,
        "words": words,
        "navigation": NAVIGATION,
        "numeral": numeral,
        "version": __version__,
        "csrf_field": CSRF_FIELD,
    }
    return made


def _template(name: str, values: Mapping[str, Any]) -> str:
    return environment().get_template(name).render(values)
