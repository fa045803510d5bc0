"""The people and appointments of Fjord Bikes, as data; dates are relative to the next working day.

D1 is the next working day, D2 the one after, D3 the third; nothing that waits lies in the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from string import Template

DOMAIN = "fjordbikes.example"
ADMINISTRATOR = "ines"
SALES = "maya"
_WORKING_DAYS = 5
_DAYS_AHEAD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody at Fjord Bikes; `mailbox` False: signs in, but has no calendar here."""

    name: str
    full_name: str
    administrator: bool = False
    mailbox: bool = True

    @property
    def address(self) -> str:
        """Return the e-mail address."""
        return f"{self.full_name.lower().replace(' ', '.')}@{DOMAIN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One appointment that somebody entered in the CRM; `day` is D1, D2 or D3, `start` and `end` are wall times."""

    subject: str
    organizer: str
    day: str
    start: str
    end: str
    required: tuple[str, ...] = ()
    show_as: str = "busy"
    location: str = ""


PEOPLE = (
    Person(name="ines", full_name="Ines Brandt", administrator=True, mailbox=False),
    Person(name="maya", full_name="Maya Lind"),
    Person(name="jonas", full_name="Jonas Weber"),
    Person(name="priya", full_name="Priya Nair"),
)
OWNERS = tuple(person for person in PEOPLE if person.mailbox)

ENTRIES = (
    Entry(
        subject="Quarterly review with Harbour Cycles",
        organizer="maya",
        day="D1",
        start="10:00",
        end="11:00",
        location="Harbour Cycles, first floor",
    ),
    Entry(subject="Call with Lindqvist Sport", organizer="maya", day="D2", start="09:00", end="09:30"),
    Entry(subject="Stock check, spring models", organizer="maya", day="D2", start="14:00", end="14:45"),
    Entry(subject="Bike fair, day 1", organizer="jonas", day="W3", start="09:00", end="17:00", location="Hall 4"),
    Entry(subject="Dealer visit Nordbakken", organizer="jonas", day="D2", start="14:30", end="15:30"),
    Entry(subject="Budget talk", organizer="priya", day="D1", start="13:00", end="14:00", required=("jonas",)),
)


def days(today: date) -> Mapping[str, date]:
    """Return the dates behind D1, D2, D3, and W1 to W11: D2 so many weeks later."""
    ahead: list[date] = []
    day = today
    while len(ahead) < _DAYS_AHEAD:
        day += timedelta(days=1)
        if day.weekday() < _WORKING_DAYS:
            ahead.append(day)
    names = {f"D{number}": day for number, day in enumerate(ahead, 1)}
    return names | {f"W{number}": names["D2"] + timedelta(weeks=number) for number in range(1, 12)}


def calendar(person: Person, today: date, zone: str) -> str:
    """Return the hand-written calendar of one person as the text of an .ics file for this week."""
    text = resources.files(__package__).joinpath("calendars", f"{person.name}.ics").read_text(encoding="utf-8")
    stamps = {name: f"{day:%Y%m%d}" for name, day in days(today).items()}
    return Template(text).substitute(stamps, ZONE=zone)
