"""`syncline sync`: synchronize now, here or through the server that is running."""

from __future__ import annotations

from typing import Annotated

import typer

from syncline.commands.frame import FAILED, HELD, Data, Json, opened, print_json, print_table
from syncline.desk.objects import PlannedItem, SyncedMailbox, SyncReport
from syncline.desk.reading import OPERATOR

COLUMNS = ("Mailbox", "Saved", "Updated", "Deleted", "Waiting", "Skipped", "Failed", "Error")
PLAN_COLUMNS = ("To", "Action", "Appointment", "Start (UTC)", "What changes", "Mails", "Why")
MAIL_COLUMNS = ("Recipient", "Mail", "Appointment", "Start (UTC)", "Rule")
SIDES = {"exchange_to_crm": "CRM", "crm_to_exchange": "Outlook"}


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
        if dry_run and mailbox.error is None:
            _print_plan(mailbox)
        if mailbox.text:
            typer.echo(f"{mailbox.mailbox}: {mailbox.text}", err=True)


def _print_plan(mailbox: SyncedMailbox) -> None:
    print_table(
        mailbox.mailbox, PLAN_COLUMNS, [_row(item) for item in mailbox.plan], f"{mailbox.mailbox}: nothing to do."
    )
    mails = [(mail.to, mail.kind, mail.subject, mail.start, mail.rule) for mail in mailbox.mailed]
    if mails:
        print_table(f"{len(mails)} mails that Exchange would send", MAIL_COLUMNS, mails, "")
    else:
        typer.echo("Exchange would send no mail.")
    typer.echo("This is a plan: nothing is written and no mail leaves before a real sync.")


def _row(item: PlannedItem) -> tuple[object, ...]:
    changes = "; ".join(f"{each.name}: {each.before} → {each.after}" for each in item.fields)
    why = item.detail if item.code in item.detail else f"{item.detail} {item.code}".strip()
    return SIDES[item.direction], item.action, item.subject, item.start, changes, _mails(item), why


def _mails(item: PlannedItem) -> str:
    if item.mails:
        return f"{len(item.mails)} ({item.mail_rule})"
    return f"none ({item.mail_rule})" if item.mail_rule else ""
