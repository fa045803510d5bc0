"""`syncline trash`: what was deleted and is kept for a while, and how it comes back."""

from __future__ import annotations

from typing import Annotated

import typer

from syncline.commands.calendar import IgnoreConflicts, say_refused
from syncline.commands.frame import Data, Json, opened, print_json, print_table
from syncline.desk.reading import OPERATOR

COLUMNS = (
    "Id",
    "Mailbox",
    "Subject",
    "Start (UTC)",
    "What happened",
    "Deleted (UTC)",
    "Kept until (UTC)",
    "Restored by",
)

group = typer.Typer(no_args_is_help=True, help="Appointments that were deleted: list them, bring one back.")


@group.command("list")
def show_all(
    mailbox: Annotated[str | None, typer.Option("--mailbox", help="Only this mailbox (address or id).")] = None,
    search: Annotated[str, typer.Option("--search", help="Only those whose subject holds these words.")] = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """List deleted appointments that are kept, newest first, restored ones too."""
    from syncline.desk import trash as desk

    with opened(data) as app:
        found = desk.listing(app, OPERATOR, mailbox=mailbox, words=search)
    if json:
        print_json(found)
        return
    rows = [
        (t.id, t.mailbox, t.subject, t.start, t.text, t.deleted_on, t.kept_until, t.restored_by or "") for t in found
    ]
    print_table("Trash", COLUMNS, rows, "The trash is empty.")


@group.command("restore")
def restore(
    trash_id: Annotated[int, typer.Argument(metavar="ID", help="Number of the entry.")],
    ignore_conflicts: IgnoreConflicts = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Enter a deleted appointment in the CRM again; if somebody is unavailable nothing is written (exit 1)."""
    from syncline.desk import trash as desk

    with opened(data) as app:
        written = desk.restore(app, OPERATOR, trash_id, ignore_conflicts=ignore_conflicts)
    if written.appointment is None:
        say_refused(written, json)
    elif json:
        print_json(written.appointment)
    else:
        typer.echo(f"{trash_id}: {written.appointment.subject} restored as {written.appointment.id}.")
