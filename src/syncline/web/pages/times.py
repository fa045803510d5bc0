"""Times as people read them: in the viewer's zone and language, always 24 hours and day before month.

It must not know whose time it is or where it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from babel.dates import get_day_names, get_month_names

from syncline.core.times import wall
from syncline.language import _, current

_AFTER_DAY = {"de": "."}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Times:
    """A zone and the present instant: everything that a time on a page depends on."""

    zone: str
    now: datetime

    def wall(self, at: datetime) -> datetime:
        """Return the naive wall time of an instant."""
        return wall(at, self.zone)

    @property
    def today(self) -> date:
        """Return today's date."""
        return self.wall(self.now).date()

    def clock(self, at: datetime) -> str:
        """Return the time of day, such as 10:30."""
        return f"{self.wall(at):%H:%M}"

    def moment(self, at: datetime | None) -> str:
        """Return a moment, shorter the nearer it is: "10:30 today", "Mon 23 Nov 2026, 10:30"."""
        if at is None:
            return _("never")
        local = self.wall(at)
        if local.date() == self.today:
            return _("%(time)s today", time=f"{local:%H:%M}")
        return self.date_and_time(at)

    def machine(self, at: datetime) -> str:
        """Return the value of a `datetime` attribute."""
        return f"{at:%Y-%m-%dT%H:%M:%SZ}"

    def span(self, start: datetime, end: datetime, *, all_day: bool = False) -> str:
        """Return from when to when, such as "Tue 24 Nov 2026, 10:30 – 11:30"; whole days are dates in every zone."""
        if all_day:
            first, last = start.date(), max(start.date(), (end - _DAY).date())
            days = day_text(first) if first == last else f"{day_text(first)} – {day_text(last)}"
            return _("%(days)s, all day", days=days)
        first_wall, last_wall = self.wall(start), self.wall(end)
        if first_wall.date() == last_wall.date():
            return f"{day_text(first_wall.date())}, {first_wall:%H:%M} – {last_wall:%H:%M}"
        return f"{day_text(first_wall.date())}, {first_wall:%H:%M} – {day_text(last_wall.date())}, {last_wall:%H:%M}"

    def hours(self, start: datetime, end: datetime, *, all_day: bool = False, day: date | None = None) -> str:
        """Return from when to when without the day, if it all lies on `day` (None: on the day it starts)."""
        if all_day:
            return self.span(start, end, all_day=True)
        first, last = self.wall(start), self.wall(end)
        if first.date() == last.date() == (day or first.date()):
            return f"{first:%H:%M} – {last:%H:%M}"
        return self.span(start, end)

    def date(self, at: datetime) -> date:
        """Return the date of an instant."""
        return self.wall(at).date()

    def date_and_time(self, at: datetime) -> str:
        """Return a date of a series, such as "Tue 24 Nov 2026, 10:30"."""
        local = self.wall(at)
        return f"{day_text(local.date())}, {local:%H:%M}"


def day_text(day: date) -> str:
    """Return a date such as "Tue 24 Nov 2026" or "Di 24. Nov 2026"."""
    language = current()
    weekday = get_day_names("abbreviated", locale=language)[day.weekday()].rstrip(".")
    month = get_month_names("abbreviated", locale=language)[day.month].rstrip(".")
    return f"{weekday} {day.day}{_AFTER_DAY.get(language, '')} {month} {day.year}"
