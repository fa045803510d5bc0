"""All zones there are, and the dates on which their clocks change: what tests of time go through one by one."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import available_timezones

from syncline.core.times import rules_in

YEAR = 2027
NO_PLACE = {"localtime", "Factory", "posixrules"}
ZONES = tuple(sorted(available_timezones() - NO_PLACE))


@lru_cache(maxsize=1024)
def edges(zone: str) -> tuple[date, ...]:
    """Return the dates of a year on which the clock of a zone changes; a day in summer if it never does."""
    dates = (change.date_in(YEAR) for change in rules_in(zone, YEAR).transitions)
    return tuple(day for day in dates if day is not None) or (date(YEAR, 6, 15),)


def around(zone: str) -> tuple[date, ...]:
    """Return the days before each edge, so that what begins there goes over it."""
    return tuple(day - timedelta(days=2) for day in edges(zone))
