"""`syncline filters`: which entries of the CRM a user's calendar in Exchange shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from syncline.commands.frame import Data, Json, opened, print_json, print_table
from syncline.desk.reading import OPERATOR

if TYPE_CHECKING:
    from syncline.core.filters import Condition
    from syncline.desk.filters import FilterObject, Selected

FILTER_COLUMNS = ("Id", "For", "Name", "Selects", "On")
KINDS = {"template": "new users", "system": "everybody"}

FilterId = Annotated[int, typer.Argument(metavar="ID", help="Number of the filter.")]
OfUser = Annotated[str | None, typer.Option("--user", help="CRM user whose filter it is.")]
System = Annotated[bool, typer.Option("--system", help="It counts for everybody.")]
Name = Annotated[str | None, typer.Option("--name", help="Its name; without one it says what it selects.")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="FIELD=WORD,...",
        help="All that are given must hold, each with one of its words; != for none of them. part: organizer, required,"
        " optional, resource, owner. status: open, scheduled, completed, canceled. show_as: free, tentative, busy,"
        " out_of_office. subject, location: words in the text. private, all_day, series: yes or no.",
    ),
]
Organizer = Annotated[bool, typer.Option("--organizer", help="The user may be the organizer.")]
Required = Annotated[bool, typer.Option("--required", help="The user may be a required attendee.")]
Optional = Annotated[bool, typer.Option("--optional", help="The user may be an optional attendee.")]

group = typer.Typer(no_args_is_help=True, help="Sync filters: which entries of the CRM go to a user's calendar.")


@group.command("list")
def list_filters(user: OfUser = None, data: Data = None, json: Json = False) -> None:
    """List the filters: the template for new users, everybody's, then each user's own."""
    from syncline.desk import filters

    with opened(data) as app:
        found = filters.listing(app, OPERATOR, user)
    if json:
        print_json(found)
        return
    rows = [_row(each) for each in found]
    print_table("Sync filters", FILTER_COLUMNS, rows, "There is no filter: nothing of the CRM goes to Exchange.")


@group.command("add")
def add(
    user: OfUser = None,
    system: System = False,
    name: Name = None,
    where: Where = None,
    organizer: Organizer = False,
    required: Required = False,
    optional: Optional = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a filter for one user, or for everybody. One more filter never takes anything away."""
    from syncline.desk import filters

    wanted = filters.NewFilter(
        conditions=_conditions(where, organizer=organizer, required=required, optional=optional),
        name=name or "",
        user=user,
        everybody=system,
    )
    with opened(data) as app:
        told = filters.preview(app, OPERATOR, wanted)
        made = filters.add(app, OPERATOR, wanted)
    if json:
        print_json(made)
        return
    typer.echo(f"Filter {made.id} made: {made.name}.")
    typer.echo(_summary(told))


@group.command("preview")
def preview(
    user: OfUser = None,
    system: System = False,
    where: Where = None,
    organizer: Organizer = False,
    required: Required = False,
    optional: Optional = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Count how many entries of the CRM a filter would select now; nothing is stored."""
    from syncline.desk import filters

    conditions = _conditions(where, organizer=organizer, required=required, optional=optional)
    with opened(data) as app:
        told = filters.preview(app, OPERATOR, filters.NewFilter(conditions=conditions, user=user, everybody=system))
    if json:
        print_json(told)
        return
    typer.echo(_summary(told))


@group.command("edit")
def edit(
    filter_id: FilterId,
    name: Name = None,
    where: Where = None,
    organizer: Organizer = False,
    required: Required = False,
    optional: Optional = False,
    all_entries: Annotated[
        bool, typer.Option("--all", help="Without conditions: all in which the user takes part.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Change a filter's name, or put other conditions in place of all its conditions."""
    from syncline.desk import filters
    from syncline.errors import SyncError

    conditions = _conditions(where, organizer=organizer, required=required, optional=optional)
    if conditions and all_entries:
        raise SyncError("InvalidRequest", detail="Give conditions or --all, not both.")
    wanted = filters.FilterChange(name=name, conditions=conditions if conditions or all_entries else None)
    with opened(data) as app:
        changed = filters.change(app, OPERATOR, filter_id, wanted)
    if json:
        print_json(changed)
        return
    typer.echo(f"Filter {changed.id} selects now: {_says(changed)}.")


@group.command("enable")
def enable(filter_id: FilterId, data: Data = None) -> None:
    """Switch a filter on."""
    _switch(filter_id, data, on=True)


@group.command("disable")
def disable(filter_id: FilterId, data: Data = None) -> None:
    """Switch a filter off."""
    _switch(filter_id, data, on=False)


@group.command("remove")
def remove(filter_id: FilterId, data: Data = None) -> None:
    """Forget a filter."""
    from syncline.desk import filters

    with opened(data) as app:
        filters.remove(app, OPERATOR, filter_id)
    typer.echo(f"Filter {filter_id} removed.")


@group.command("reset")
def reset(
    user: Annotated[str, typer.Option("--user", help="CRM user whose own filters go.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Put a copy of the template in place of all filters of a user's own; everybody's stay."""
    from syncline.desk import filters

    with opened(data) as app:
        fresh = filters.reset(app, OPERATOR, user)
    if json:
        print_json(fresh)
        return
    typer.echo(f"{user} has the default now: {', '.join(each.name for each in fresh)}.")


def _switch(filter_id: int, data: Data, *, on: bool) -> None:
    from syncline.desk import filters

    with opened(data) as app:
        filters.change(app, OPERATOR, filter_id, filters.FilterChange(enabled=on))
    typer.echo(f"Filter {filter_id} is {'on' if on else 'off'}.")


def _conditions(where: list[str] | None, **parts: bool) -> tuple[Condition, ...]:
    from syncline.desk.filter_words import checked, typed

    named = [part for part, wanted in parts.items() if wanted]
    return (*([checked("part", named)] if named else []), *(typed(text) for text in where or ()))


def _row(one: FilterObject) -> tuple[object, ...]:
    return one.id, one.user or KINDS[one.kind], one.name, _says(one), one.enabled


def _says(one: FilterObject) -> str:
    from syncline.desk.filter_words import all_said

    return all_said(one.conditions)


def _summary(told: Selected) -> str:
    bound = "" if told.complete else " There is more than a preview looks at."
    return f"It selects {told.selected} of the {told.looked_at} entries looked at, {told.new} of them new.{bound}"
