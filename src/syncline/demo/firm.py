"""The people and appointments of Fjord Bikes, as data; dates are relative to the next working day.

D1 is the next working day, D2 the one after, up to D20; W1 to W11 are so many weeks after D2. Nothing that waits lies
in the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from importlib import resources
from string import Template

DOMAIN = "fjordbikes.example"
ADMINISTRATOR = "ines"
SALES = "maya"
SCENE = "Product demo for Alpen Sport"
_WORKING_DAYS = 5
_DAYS_AHEAD = 20
_WEEKS_AHEAD = 11


class Mailbox(Enum):
    """How far somebody's mailbox is when the demo begins."""

    NONE = "has no calendar here"
    ENABLED = "is synchronized"
    NEW = "needs approval"
    REFUSED = "was switched off, because its password no longer counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody at Fjord Bikes; `signs_in`: gets a password that is told at the start."""

    name: str
    full_name: str
    mailbox: Mailbox = Mailbox.ENABLED
    administrator: bool = False
    signs_in: bool = False

    @property
    def address(self) -> str:
        """Return the e-mail address."""
        return f"{self.full_name.lower().replace(' ', '.')}@{DOMAIN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One appointment that somebody entered in the CRM; `day` is one of `days`, `start` and `end` are wall times."""

    subject: str
    organizer: str
    day: str
    start: str
    end: str
    required: tuple[str, ...] = ()
    show_as: str = "busy"
    location: str = ""


PEOPLE = (
    Person(name="ines", full_name="Ines Brandt", mailbox=Mailbox.NONE, administrator=True, signs_in=True),
    Person(name="maya", full_name="Maya Lind", signs_in=True),
    Person(name="jonas", full_name="Jonas Weber"),
    Person(name="priya", full_name="Priya Nair"),
    Person(name="tomas", full_name="Tomas Ruiz", mailbox=Mailbox.NEW),
    Person(name="sara", full_name="Sara Costa", mailbox=Mailbox.REFUSED),
)
OWNERS = tuple(person for person in PEOPLE if person.mailbox is not Mailbox.NONE)
ENABLED = tuple(person for person in PEOPLE if person.mailbox is Mailbox.ENABLED)

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
    Entry(subject="Photo shoot, spring models", organizer="maya", day="D2", start="12:30", end="13:30"),
    Entry(subject="Stock check, spring models", organizer="maya", day="D2", start="14:00", end="14:45"),
    Entry(subject="Floor plan for the bike fair", organizer="maya", day="D2", start="16:30", end="17:30"),
    Entry(subject="Insurance talk", organizer="maya", day="D3", start="11:30", end="12:30"),
    Entry(subject="Warranty cases, monthly look", organizer="jonas", day="D1", start="15:30", end="16:30"),
    Entry(subject="Dealer visit Nordbakken", organizer="jonas", day="D2", start="14:30", end="15:30"),
    Entry(subject="Bike fair, day 1", organizer="jonas", day="W2", start="09:00", end="17:00", location="Hall 4"),
    Entry(subject="Budget talk", organizer="priya", day="D1", start="13:00", end="14:00", required=("jonas",)),
    Entry(
        subject="First weeks with Tomas", organizer="priya", day="D3", start="11:00", end="12:00", required=("tomas",)
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One question that was answered before anybody looked: whose, about what, and how."""

    person: str
    subject: str
    answer: str


ANSWERS = (
    Answered(person="maya", subject="Site visit Lindqvist", answer="yes"),
    Answered(person="jonas", subject="Webinar: batteries", answer="no"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One item that its owner changes in Outlook after the first sync: moved by hours, or given another place."""

    person: str
    subject: str
    hours: int = 0
    location: str | None = None


MOVED = Changed(person="priya", subject="Old showroom tour", hours=-2)
BROKEN = Changed(person="jonas", subject="Frame supplier scorecards", location="Workshop office")
"""The item that the calendar server cannot hand out since it was changed; another subject repairs it."""


def days(today: date) -> Mapping[str, date]:
    """Return the dates behind D1 to D20, and W1 to W11: D2 so many weeks later."""
    ahead: list[date] = []
    day = today
    while len(ahead) < _DAYS_AHEAD:
        day += timedelta(days=1)
        if day.weekday() < _WORKING_DAYS:
            ahead.append(day)
    names = {f"D{number}": day for number, day in enumerate(ahead, 1)}
    weeks = {f"W{number}": names["D2"] + timedelta(weeks=number) for number in range(1, _WEEKS_AHEAD + 1)}
    return names | weeks


def calendar(person: Person, today: date, zone: str) -> str:
    """Return the hand-written calendar of one person as the text of an .ics file for this week."""
    text = resources.files(__package__).joinpath("calendars", f"{person.name}.ics").read_text(encoding="utf-8")
    stamps = {name: f"{day:%Y%m%d}" for name, day in days(today).items()}
    return Template(text).substitute(stamps, ZONE=zone)
