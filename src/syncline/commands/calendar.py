"""`syncline appointments`: the calendar of the embedded CRM, read and edited from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from syncline.commands.frame import FAILED, Data, Json, opened, print_json, print_table
from syncline.desk.drafts import given
from syncline.desk.reading import OPERATOR

if TYPE_CHECKING:
    from syncline.desk import appointments as desk

COLUMNS = ("Id", "Subject", "Start (UTC)", "End (UTC)", "Show as", "Status", "Organizer", "Repeats", "Mailbox")

Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the appointment.")]
ShowAsName = Literal["free", "tentative", "busy", "out_of_office", "working_elsewhere"]
Subject = Annotated[str | None, typer.Option("--subject", help="Subject.")]
Start = Annotated[str | None, typer.Option("--start", help="Start: 2026-11-24T10:00 in --time-zone, or with offset.")]
End = Annotated[str | None, typer.Option("--end", help="End, as --start; of all-day items the day after the last.")]
Zone = Annotated[str | None, typer.Option("--time-zone", help="IANA time zone of the appointment.")]
AllDay = Annotated[bool | None, typer.Option("--all-day/--timed", help="Whole days: start and end are dates.")]
Shown = Annotated[ShowAsName | None, typer.Option("--show-as", help="What the time looks like to others.")]
Location = Annotated[str | None, typer.Option("--location", help="Where it takes place.")]
Description = Annotated[str | None, typer.Option("--description", help="Text.")]
Organizer = Annotated[str | None, typer.Option("--organizer", help="CRM user or address of who organizes; '': nobody.")]
Required = Annotated[list[str] | None, typer.Option("--required", help="Required attendee; repeat for more.")]
Optional = Annotated[list[str] | None, typer.Option("--optional", help="Optional attendee; repeat for more.")]
Repeats = Annotated[str | None, typer.Option("--recurrence", help="RRULE, such as FREQ=WEEKLY;COUNT=12; '' for none.")]
Status = Annotated[
    Literal["completed", "canceled"] | None, typer.Option("--status", help="Close the appointment with this status.")
]
Private = Annotated[bool | None, typer.Option("--private/--not-private", help="Only its owner may read it.")]
Drafted = Annotated[
    bool | None,
    typer.Option("--draft/--no-draft", help="Stays in the CRM for now: not put into Outlook, nobody invited."),
]
IgnoreConflicts = Annotated[bool, typer.Option("--ignore-conflicts", help="Save even if somebody is unavailable.")]

group = typer.Typer(no_args_is_help=True, help="The calendar that the CRM holds.")


@group.command("list")
def show_all(
    start: Annotated[str | None, typer.Option("--from", help="First day (UTC), with --to: all occurrences.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Day after the last (UTC).")] = None,
    user: Annotated[str | None, typer.Option("--user", help="Only those in which this CRM user takes part.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """List appointments: each series once, or with a window every occurrence in it."""
    from syncline.desk import appointments as desk

    with opened(data) as app:
        found = desk.listing(app, OPERATOR, window=desk.window(start, end), user=user)
    if json:
        print_json(found)
        return
    rows = [
        (a.id, a.subject, a.start, a.end, a.show_as, a.status, a.organizer, a.recurrence, a.link and a.link.mailbox)
        for a in found
    ]
    print_table("Appointments", COLUMNS, rows, "The calendar is empty.")


@group.command("add")
def add(
    subject: Subject = None,
    start: Start = None,
    end: End = None,
    time_zone: Zone = None,
    all_day: AllDay = None,
    show_as: Shown = None,
    location: Location = None,
    description: Description = None,
    organizer: Organizer = None,
    required: Required = None,
    optional: Optional = None,
    recurrence: Repeats = None,
    status: Status = None,
    private: Private = None,
    draft: Drafted = None,
    ignore_conflicts: IgnoreConflicts = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Add an appointment; if somebody is unavailable nothing is written (exit 1)."""
    from syncline.desk import appointments as desk

    wanted = given(locals())
    with opened(data) as app:
        _written(desk.add(app, OPERATOR, wanted, ignore_conflicts=ignore_conflicts), json)


@group.command("edit")
def edit(
    appointment_id: Id,
    subject: Subject = None,
    start: Start = None,
    end: End = None,
    time_zone: Zone = None,
    all_day: AllDay = None,
    show_as: Shown = None,
    location: Location = None,
    description: Description = None,
    organizer: Organizer = None,
    required: Required = None,
    optional: Optional = None,
    recurrence: Repeats = None,
    status: Status = None,
    private: Private = None,
    draft: Drafted = None,
    ignore_conflicts: IgnoreConflicts = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Change an appointment; options that are not given stay as they are."""
    from syncline.desk import appointments as desk

    wanted = given(locals())
    with opened(data) as app:
        _written(desk.edit(app, OPERATOR, appointment_id, wanted, ignore_conflicts=ignore_conflicts), json)


@group.command("delete")
def delete(appointment_id: Id, data: Data = None) -> None:
    """Delete an appointment from the CRM."""
    from syncline.desk import appointments as desk

    with opened(data) as app:
        desk.delete(app, OPERATOR, appointment_id)
    typer.echo(f"{appointment_id} deleted.")


@group.command("end")
def end(appointment_id: Id, data: Data = None, json: Json = False) -> None:
    """End a series early: dates that have not begun are deleted, the others stay, and it becomes canceled."""
    from syncline.desk import appointments as desk

    with opened(data) as app:
        _written(desk.end(app, OPERATOR, appointment_id), json)


def _written(written: desk.Written, json: bool) -> None:
    if written.appointment is not None:
        if json:
            print_json(written.appointment)
        else:
            typer.echo(f"{written.appointment.id}: {written.appointment.subject} saved.")
        return
    say_refused(written, json)


def say_refused(written: desk.Written, json: bool) -> None:
    """Say what is in the way of something that was not written, and end with its exit code."""
    if json:
        print_json({"code": written.code, "clashes": written.clashes, "unavailable": written.unavailable})
    typer.echo(f"{written.code}: {' and '.join(written.unavailable)} unavailable; nothing was written.", err=True)
    for clash in written.clashes:
        typer.echo(f"  {clash.user}: {clash.subject}, {clash.start:%Y-%m-%d %H:%M} to {clash.end:%H:%M} UTC", err=True)
    raise typer.Exit(FAILED)
