"""The firm as it is before the first sync: people, CRM entries, calendars, profiles and mailboxes.

Everything is entered the way people enter it. It must not know what the syncs will make of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from syncline.demo import firm
from syncline.desk import appointments, mailboxes, profiles, users
from syncline.desk.drafts import Draft
from syncline.desk.reading import OPERATOR, AccessRole
from syncline.emulators.exchange import ExchangeEmulator
from syncline.emulators.exchange.calendar_files import CalendarReport
from syncline.wiring import App

SERVICE = "svc-syncline"
PROFILE = "Fjord Bikes Exchange"
OWN_PROFILE = "Fjord Bikes Exchange, own password"
HANDS = 4
Thing = TypeVar("Thing")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The passwords of the demo: the service account's, those of the mailboxes, and those that people sign in with."""

    service: str = field(repr=False)
    mailboxes: Mapping[str, str] = field(repr=False)
    people: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the firm stands on: the parts of Syncline, the calendar server, the passwords, today and the zone."""

    app: App
    exchange: ExchangeEmulator
    words: Words
    today: date
    zone: str


def at_once(work: Callable[[Thing], Result], things: Sequence[Thing]) -> list[Result]:
    """Do the same with several things at the same time; an error of one is raised when all are done."""
    with ThreadPoolExecutor(HANDS) as hands:
        return list(hands.map(work, things))


def found(ground: Ground) -> None:
    """Put the firm there, its mailboxes tested but not yet synchronized."""
    _hire(ground)
    for owner in firm.OWNERS:
        ground.exchange.load_calendar(owner.address, firm.calendar(owner, ground.today, ground.zone))
    _enter(ground)
    _add_profiles(ground)
    for owner in firm.OWNERS:
        _add_mailbox(ground, owner, track="category")
    at_once(lambda owner: _test(ground.app, owner), [owner for owner in firm.OWNERS if _tested(owner)])


def found_with(ground: Ground, calendars: Sequence[str]) -> list[CalendarReport]:
    """Put the firm there with other people's calendars, one mailbox each in order, and an empty CRM."""
    _hire(ground)
    places = [firm.ENABLED[number % len(firm.ENABLED)] for number in range(len(calendars))]
    reports = [
        ground.exchange.load_calendar(owner.address, text) for owner, text in zip(places, calendars, strict=True)
    ]
    _add_profiles(ground)
    for owner in firm.ENABLED:
        _add_mailbox(ground, owner, track="all")
    at_once(lambda owner: _test(ground.app, owner), firm.ENABLED)
    return reports


def _hire(ground: Ground) -> None:
    """Add the people; hashing a password is meant to be slow, so those who have one are added at the same time."""
    at_once(lambda person: _add_person(ground, person), [person for person in firm.PEOPLE if person.signs_in])
    for person in firm.PEOPLE:
        if not person.signs_in:
            _add_person(ground, person)


def _add_person(ground: Ground, person: firm.Person) -> None:
    role = AccessRole.ADMINISTRATOR if person.administrator else AccessRole.USER
    wanted = users.NewUser(
        name=person.name,
        emails=(person.address,),
        full_name=person.full_name,
        role=role.value,
        time_zone=ground.zone,
        password=ground.words.people.get(person.name),
    )
    users.add(ground.app, OPERATOR, wanted)


def _enter(ground: Ground) -> None:
    """Enter the firm's own appointments in the CRM, as people do."""
    days = firm.days(ground.today)
    for entry in firm.ENTRIES:
        day = days[entry.day].isoformat()
        draft = Draft(
            subject=entry.subject,
            start=f"{day}T{entry.start}",
            end=f"{day}T{entry.end}",
            time_zone=ground.zone,
            organizer=entry.organizer,
            required=entry.required,
            show_as=entry.show_as,
            location=entry.location,
        )
        appointments.add(ground.app, OPERATOR, draft)


def _add_profiles(ground: Ground) -> None:
    """Add the profile of the service account, and the one of the mailbox that signs in as itself."""
    own = next(owner for owner in firm.OWNERS if owner.mailbox is firm.Mailbox.REFUSED)
    for name, username, password in (
        (PROFILE, SERVICE, ground.words.service),
        (OWN_PROFILE, own.address, ground.words.mailboxes[own.address]),
    ):
        profile = profiles.NewProfile(
            name=name, url=ground.exchange.ews_url, username=username, password=password, auth="basic", allow_http=True
        )
        profiles.add(ground.app, OPERATOR, profile)


def _add_mailbox(ground: Ground, owner: firm.Person, *, track: str) -> None:
    refused = owner.mailbox is firm.Mailbox.REFUSED
    wanted = mailboxes.NewMailbox(
        address=owner.address,
        profile=OWN_PROFILE if refused else PROFILE,
        user=owner.name,
        track=track,
        password=ground.words.mailboxes[owner.address] if refused else None,
    )
    mailboxes.add(ground.app, OPERATOR, wanted)
    if _tested(owner):
        mailboxes.approve(ground.app, OPERATOR, owner.address)


def _tested(owner: firm.Person) -> bool:
    return owner.mailbox is not firm.Mailbox.NEW


def _test(app: App, owner: firm.Person) -> None:
    tested = mailboxes.test(app, OPERATOR, owner.address)
    if tested.error is not None:
        raise tested.error
