"""What an appointment says in one field, in words: for plans and questions that show two versions side by side.

What a viewer may not read has to be masked before. It must not know where a version comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from syncline.core.appointment import Appointment, Span
from syncline.core.rrule import to_rrule
from syncline.language import _, ngettext, noted

FIELDS: Mapping[str, str] = {
    "subject": noted("Subject"),
    "span": noted("Time"),
    "zone": noted("Time zone"),
    "show_as": noted("Show as"),
    "location": noted("Location"),
    "description": noted("Description"),
    "organizer": noted("Organiser"),
    "attendees": noted("People"),
    "recurrence": noted("Repeats"),
    "exceptions": noted("Changed dates"),
    "exception_texts": noted("Texts of changed dates"),
    "deleted": noted("Deleted dates"),
    "sensitivity": noted("Privacy"),
    "importance": noted("Importance"),
    "categories": noted("Categories"),
    "reminder_minutes": noted("Reminder"),
    "canceled": noted("Canceled"),
}
"""The fields of an appointment as people call them."""
TEXT_MAX = 200
NAMED_MAX = 10
NOTHING = noted("nothing")
WORDS: Mapping[str, str] = {
    "free": noted("Free"),
    "tentative": noted("Tentative"),
    "busy": noted("Busy"),
    "out_of_office": noted("Out of office"),
    "working_elsewhere": noted("Working elsewhere"),
    "low": noted("Low"),
    "normal": noted("Normal"),
    "high": noted("High"),
    "personal": noted("Personal"),
    "private": noted("Private"),
    "confidential": noted("Confidential"),
}
ENUMERATED = ("show_as", "sensitivity", "importance")
"""The fields whose values are words of a list, and not texts of people."""
When = Callable[[Span], str]


def in_utc(span: Span) -> str:
    """Return a span in UTC, such as "2026-11-24 10:00 to 2026-11-24 11:00"; of whole days their dates."""
    if span.all_day:
        return f"{span.start:%Y-%m-%d}"
    return _("%(start)s to %(end)s", start=f"{span.start:%Y-%m-%d %H:%M}", end=f"{span.end:%Y-%m-%d %H:%M}")


def labelled_utc(span: Span) -> str:
    """Return a span as `in_utc` does and say that it is in UTC, for a sentence that says nothing else about zones."""
    return in_utc(span) if span.all_day else f"{in_utc(span)} UTC"


def named(name: str) -> str:
    """Return a field as people call it."""
    return _(FIELDS[name]) if name in FIELDS else name


def told(version: Appointment, name: str, when: When = in_utc) -> str:
    """Return what a version says in one field, shortened to `TEXT_MAX` characters; `when` words a span."""
    said = _TOLD[name](version, when) if name in _TOLD else str(getattr(version, name, "") or "")
    shown = said or _(NOTHING)
    return shown if len(shown) <= TEXT_MAX else shown[: TEXT_MAX - 1].rstrip() + "…"


def read(name: str, value: str, when: When) -> str:
    """Return in words what a question noted of one field (`engine.diverging`); `when` words a span."""
    if name == "span":
        start, end, all_day = value.split("/")
        return when(Span(datetime.fromisoformat(start), datetime.fromisoformat(end), all_day == "1"))
    if name in ("exceptions", "exception_texts", "deleted"):
        changed, deleted = value.split("/")
        return _("dates changed: %(changed)s, deleted: %(deleted)s", changed=changed, deleted=deleted)
    return _(WORDS[value]) if value in WORDS and name in ENUMERATED else value or _(NOTHING)


def _word(name: str) -> Callable[[Appointment, When], str]:
    def said(version: Appointment, _when: When) -> str:
        value = str(getattr(version, name))
        return _(WORDS[value]) if value in WORDS else value

    return said


def _organizer(version: Appointment, _when: When) -> str:
    person = version.organizer
    return (person.name or person.address) if person is not None else ""


def _attendees(version: Appointment, _when: When) -> str:
    return _joined([person.address for person in version.attendees])


def _repeats(version: Appointment, _when: When) -> str:
    return to_rrule(version.recurrence) if version.recurrence is not None else ""


def _changed(version: Appointment, when: When) -> str:
    return _joined([f"{part.subject}, {when(part.span)}" for part in version.exceptions])


def _deleted(version: Appointment, when: When) -> str:
    length = version.span.end - version.span.start
    return _joined([when(Span(start, start + length, version.span.all_day)) for start in version.deleted])


def _reminder(version: Appointment, _when: When) -> str:
    minutes = version.reminder_minutes
    return "" if minutes is None else ngettext("%(num)d minute before", "%(num)d minutes before", minutes)


def _canceled(version: Appointment, _when: When) -> str:
    return _("Yes") if version.canceled else _("No")


def _joined(said: list[str]) -> str:
    more = len(said) - NAMED_MAX
    shown = ", ".join(said[:NAMED_MAX])
    return shown if more <= 0 else _("%(shown)s and %(number)s more", shown=shown, number=more)


_TOLD: Mapping[str, Callable[[Appointment, When], str]] = {
    "span": lambda version, when: when(version.span),
    "show_as": _word("show_as"),
    "sensitivity": _word("sensitivity"),
    "importance": _word("importance"),
    "organizer": _organizer,
    "attendees": _attendees,
    "recurrence": _repeats,
    "exceptions": _changed,
    "exception_texts": _changed,
    "deleted": _deleted,
    "categories": lambda version, _when: _joined(list(version.categories)),
    "reminder_minutes": _reminder,
    "canceled": _canceled,
}
