"""`syncline sync`: synchronize now, here or through the server that is running."""

from __future__ import annotations

from typing import Annotated

import typer

from syncline.commands.frame import FAILED, HELD, Data, Json, opened, print_json, print_table
from syncline.desk.objects import SyncReport
from syncline.desk.reading import OPERATOR

COLUMNS = ("Mailbox", "Saved", "Updated", "Deleted", "Waiting", "Skipped", "Failed", "Error")
PLAN_COLUMNS = ("Action", "Appointment", "Start (UTC)", "Why")


def register(app: typer.Typer) -> None:
    """Put `sync` among the commands."""
    app.command("sync")(sync)


def sync(
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="[ADDRESS ...]", help="Mailboxes; none means all that are enabled.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done and write nothing.")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for a mailbox in use.")] = 60.0,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for a mailbox in use.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Synchronize mailboxes to the end of every cursor; exit 1 if something failed, 0 also with open questions."""
    from syncline.desk import syncing as desk

    with opened(data) as app:
        report = desk.sync(app, OPERATOR, addresses or [], dry_run=dry_run, wait_s=0.0 if no_wait else wait)
    if json:
        print_json(report)
    else:
        _print_report(report, dry_run=dry_run)
    if any(mailbox.error == "MailboxHeld" for mailbox in report.mailboxes):
        raise typer.Exit(HELD)
    if report.failed or any(mailbox.error for mailbox in report.mailboxes):
        raise typer.Exit(FAILED)


def _print_report(report: SyncReport, *, dry_run: bool) -> None:
    rows = [
        (m.mailbox, m.saved, m.updated, m.deleted, m.waiting, m.skipped, m.failed, m.error) for m in report.mailboxes
    ]
    title = "What would be done" if dry_run else "Synchronized"
    print_table(title, COLUMNS, rows, "No mailbox is enabled: syncline mailboxes test ADDRESS")
    for mailbox in report.mailboxes:
        if mailbox.plan:
            plan = [(line.action, line.subject, line.start, line.detail) for line in mailbox.plan]
            print_table(mailbox.mailbox, PLAN_COLUMNS, plan, "")
        if mailbox.text:
            typer.echo(f"{mailbox.mailbox}: {mailbox.text}", err=True)
