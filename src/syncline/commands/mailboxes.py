"""`syncline mailboxes`: which mailboxes are synchronized, and their life from approval to removal."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from syncline.commands.frame import (
    FAILED,
    Data,
    Json,
    PasswordFile,
    opened,
    password_from,
    print_json,
    print_table,
    say_error,
)
from syncline.desk.objects import MailboxObject
from syncline.desk.reading import OPERATOR

PASSWORD_VARIABLE = "SYNCLINE_MAILBOX_PASSWORD"  # noqa: S105 - the name of a variable
COLUMNS = ("Address", "User", "Profile", "State", "Last sync (UTC)", "Next sync (UTC)", "Questions", "Failures")

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="Address (or id) of the mailbox.")]

group = typer.Typer(no_args_is_help=True, help="Mailboxes: approve, test, enable, disable.")


@group.command("add")
def add(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="E-mail address of the mailbox.")],
    profile: Annotated[str, typer.Option("--profile", help="Name of the email server profile.")],
    user: Annotated[str, typer.Option("--user", help="Sign-in name of the CRM user whose mailbox it is.")],
    track: Annotated[Literal["category", "all"], typer.Option("--track", help="Which items are tracked.")] = "category",
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="IANA zone (else the user's).")] = None,
    password_file: PasswordFile = None,
    on_scheduling_conflict: Annotated[
        Literal["ask", "save_anyway", "keep_out"] | None,
        typer.Option("--on-scheduling-conflict", help="What to do with scheduling conflicts (else the setting)."),
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Add a mailbox; it is synchronized once it is approved, tested and enabled."""
    from syncline.desk import mailboxes as desk

    request = desk.NewMailbox(
        address=address,
        profile=profile,
        user=user,
        track=track,
        time_zone=time_zone,
        password=password_from(password_file, PASSWORD_VARIABLE),
        on_scheduling_conflict=on_scheduling_conflict,
    )
    with opened(data) as app:
        _done(desk.add(app, OPERATOR, request), json, "added; approve it next")


@group.command("list")
def show_all(data: Data = None, json: Json = False) -> None:
    """List the mailboxes."""
    from syncline.desk import mailboxes as desk

    with opened(data) as app:
        mailboxes = desk.listing(app, OPERATOR)
    if json:
        print_json(mailboxes)
        return
    rows = [
        (m.address, m.user, m.profile, m.state, m.last_sync, m.next_due, m.open_alerts, m.failures) for m in mailboxes
    ]
    print_table("Mailboxes", COLUMNS, rows, "There is no mailbox yet: syncline mailboxes add")


@group.command("show")
def show(address: Address, data: Data = None, json: Json = False) -> None:
    """Show one mailbox."""
    from syncline.desk import mailboxes as desk

    with opened(data) as app:
        mailbox = desk.show(app, OPERATOR, address)
        trouble = desk.trouble(app, OPERATOR, address)
    if json:
        print_json(mailbox)
        return
    for name in MailboxObject.__dataclass_fields__:
        value = getattr(mailbox, name)
        typer.echo(f"{name.replace('_', ' '):12} {'' if value is None else value}")
    if trouble is not None:
        say_error(trouble)


@group.command("approve")
def approve(address: Address, data: Data = None, json: Json = False) -> None:
    """Approve the address of a mailbox."""
    from syncline.desk import mailboxes as desk

    with opened(data) as app:
        _done(desk.approve(app, OPERATOR, address), json, "approved; test it next")


@group.command("test")
def test(
    address: Address,
    take_over: Annotated[
        bool,
        typer.Option("--take-over", help="Sync its items from this installation only; another one then stops."),
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Test a mailbox and enable it on success: exit 0, or 1 with what went wrong."""
    from syncline.desk import mailboxes as desk

    with opened(data) as app:
        tested = desk.test(app, OPERATOR, address, take_over=take_over)
    if json:
        print_json(tested.mailbox)
    elif tested.error is None:
        typer.echo(f"{tested.mailbox.address}: {', '.join(step.replace('_', ' ') for step in tested.steps)}. Enabled.")
    if tested.error is not None:
        say_error(tested.error)
        raise typer.Exit(FAILED)


@group.command("enable")
def enable(address: Address, data: Data = None, json: Json = False) -> None:
    """Enable a mailbox that was tested before."""
    from syncline.desk import mailboxes as desk

    with opened(data) as app:
        _done(desk.enable(app, OPERATOR, address), json, "enabled")


@group.command("disable")
def disable(address: Address, data: Data = None, json: Json = False) -> None:
    """Stop synchronizing a mailbox; nothing is deleted."""
    from syncline.desk import mailboxes as desk

    with opened(data) as app:
        _done(desk.disable(app, OPERATOR, address), json, "disabled")


@group.command("set-password")
def set_password(address: Address, password_file: PasswordFile = None, data: Data = None) -> None:
    """Store the mailbox's own password; test it afterwards."""
    from syncline.desk import mailboxes as desk

    password = password_from(password_file, PASSWORD_VARIABLE)
    with opened(data) as app:
        desk.set_password(app, OPERATOR, address, password or "")
    typer.echo(f"The password of {address} is set. Test the mailbox next.")


@group.command("remove")
def remove(address: Address, data: Data = None) -> None:
    """Remove a mailbox from Syncline; its appointments stay in Exchange and in the CRM."""
    from syncline.desk import mailboxes as desk

    with opened(data) as app:
        desk.remove(app, OPERATOR, address)
    typer.echo(f"{address} removed. Its appointments stay where they are.")


def _done(mailbox: MailboxObject, json: bool, what: str) -> None:
    if json:
        print_json(mailbox)
    else:
        typer.echo(f"{mailbox.address}: {what}.")
