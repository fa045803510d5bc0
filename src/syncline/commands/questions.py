"""`syncline alerts`, `failures` and `explain`: what waits for an answer, what failed, and why."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated, Literal

import typer

from syncline.commands.frame import FAILED, Data, Json, opened, print_json, print_table, say_error
from syncline.desk.objects import AlertObject
from syncline.desk.reading import OPERATOR

QUESTIONS_IN_TABLE_MAX = 5
ALERT_COLUMNS = ("Id", "Mailbox", "State", "Appointment", "Start (UTC)", "Unavailable", "In the way")
FAILURE_COLUMNS = ("Id", "Mailbox", "Item Subject", "Sync Error", "Last Sync Error Time", "Retries", "State")

AlertId = Annotated[int, typer.Argument(metavar="ID", help="Number of the alert.")]
FailureId = Annotated[int, typer.Argument(metavar="ID", help="Number of the failure.")]

alerts = typer.Typer(no_args_is_help=True, help="Alerts and questions: list them, answer Yes or No.")
failures = typer.Typer(no_args_is_help=True, help="Items that are not synchronized.")


def register(app: typer.Typer) -> None:
    """Put `explain` among the commands."""
    app.command("explain")(explain)


@alerts.command("list")
def list_alerts(
    mailbox: Annotated[str | None, typer.Option("--mailbox", help="Only this mailbox (address or id).")] = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only questions that wait for an answer.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """List alerts; for people, many open questions of one mailbox are folded into one line."""
    from syncline.desk import alerts as alert_desk

    with opened(data) as app:
        found = alert_desk.listing(app, OPERATOR, mailbox=mailbox, only_open=True if only_open else None)
    if json:
        print_json(found)
        return
    print_table("Alerts", ALERT_COLUMNS, _rows(found), "No question waits.")


def _rows(found: Sequence[AlertObject]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for (mailbox, code, state), members in groupby(found, key=lambda alert: (alert.mailbox, alert.code, alert.state)):
        group = list(members)
        shown = group if len(group) <= QUESTIONS_IN_TABLE_MAX or state != "open" else group[:QUESTIONS_IN_TABLE_MAX]
        rows.extend(_row(alert) for alert in shown)
        if len(shown) < len(group):
            hint = f"syncline alerts answer {group[0].id} yes|no --all-like-this"
            rows.append(("", mailbox, state, f"and {len(group) - len(shown)} more like this ({code})", None, "", hint))
    return rows


def _row(alert: AlertObject) -> tuple[object, ...]:
    what = alert.outcome or alert.state
    way = ", ".join(dict.fromkeys(f"{clash.subject} ({clash.start:%d %b %H:%M})" for clash in alert.clashes[:3]))
    more = f" and {len(alert.clashes) - 3} more" if len(alert.clashes) > 3 else ""
    people = ", ".join(alert.unavailable)
    return alert.id, alert.mailbox, what, alert.subject or alert.text, alert.start, people, way + more


@alerts.command("answer")
def answer(
    alert_id: AlertId,
    decision: Annotated[
        Literal["yes", "no", "without_overlaps"],
        typer.Argument(metavar="yes|no|without_overlaps", help="The answer; the last one is for series."),
    ],
    all_like_this: Annotated[
        bool, typer.Option("--all-like-this", help="Answer every open question of the same mailbox and code.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Answer a question: yes saves the appointment anyway, no keeps it out.

    without_overlaps saves a series without the dates that overlap.
    """
    from syncline.desk import alerts as alert_desk

    with opened(data) as app:
        given = (
            alert_desk.answer_like(app, OPERATOR, alert_id, decision)
            if all_like_this
            else [alert_desk.answer(app, OPERATOR, alert_id, decision)]
        )
        alert_desk.carry_out(app, given)
        settled = [alert_desk.show(app, OPERATOR, answered.alert.id) for answered in given]
    refusals = [answered.refused for answered in given if answered.refused is not None]
    if json:
        print_json(settled if all_like_this else settled[0])
    else:
        for alert in settled:
            typer.echo(f"{alert.id}: {alert.subject or alert.text}: {(alert.outcome or alert.state).replace('_', ' ')}")
    for refused in refusals:
        say_error(refused)
    if refusals or any(alert.outcome == "not_saved_yet" for alert in settled):
        raise typer.Exit(FAILED)


@alerts.command("undo")
def undo(alert_id: AlertId, data: Data = None, json: Json = False) -> None:
    """Take back an answer that has not begun to be carried out."""
    from syncline.desk import alerts as alert_desk

    with opened(data) as app:
        (taken,) = alert_desk.undo(app, OPERATOR, [alert_id])
    if json:
        print_json(taken.alert)
    else:
        typer.echo(f"{alert_id}: {taken.alert.subject or taken.alert.text}: {taken.alert.outcome or taken.alert.state}")
    if taken.refused is not None:
        say_error(taken.refused)
        raise typer.Exit(FAILED)


@failures.command("list")
def list_failures(
    every: Annotated[bool, typer.Option("--all", help="Also what was kept out and what a rule skipped.")] = False,
    mailbox: Annotated[str | None, typer.Option("--mailbox", help="Only this mailbox (address or id).")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """List the items that are not synchronized, questions included."""
    from syncline.desk import failures as failure_desk

    with opened(data) as app:
        found = failure_desk.listing(app, OPERATOR, mailbox=mailbox, every=every)
    if json:
        print_json(found)
        return
    rows = [
        (f.id, f.mailbox, f.subject, f.sync_error, f.last_sync_error_time, f.retries, f.state.replace("_", " "))
        for f in found
    ]
    print_table("Server-Side Synchronization Failures", FAILURE_COLUMNS, rows, "Every item is synchronized.")


@failures.command("retry")
def retry(failure_id: FailureId, data: Data = None, json: Json = False) -> None:
    """Try an item again now."""
    from syncline.desk import failures as failure_desk

    with opened(data) as app:
        found = failure_desk.retry(app, OPERATOR, failure_id)
    if json:
        print_json(found)
    else:
        typer.echo(f"{failure_id}: synchronized." if found is None else f"{failure_id}: {found.sync_error}")
    if found is not None and found.state == "failed":
        raise typer.Exit(FAILED)


@failures.command("ignore")
def ignore(failure_id: FailureId, data: Data = None) -> None:
    """Leave an item out until it changes in Exchange."""
    from syncline.desk import failures as failure_desk

    with opened(data) as app:
        failure_desk.ignore(app, OPERATOR, failure_id)
    typer.echo(f"{failure_id}: left out until it changes in Exchange.")


def explain(
    what: Annotated[str, typer.Argument(metavar="SUBJECT-OR-ID", help="Subject, appointment id or item id.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Tell why an item did or did not sync: the rules, its state, and when it is tried next."""
    from syncline.desk import explaining

    with opened(data) as app:
        stories = explaining.explain(app, OPERATOR, what)
        unknown = explaining.unknown(app, OPERATOR, what)
    if json:
        print_json(stories)
        return
    if not stories:
        typer.echo(unknown)
    for story in stories:
        typer.echo(story.text)
        for revision in story.revisions:
            typer.echo(f"  {revision}")
        for line in story.lines:
            typer.echo(f"  {line.time:%Y-%m-%d %H:%M:%S}  {line.action:16}  {line.rule:8}  {line.detail}")
    if not stories:
        raise typer.Exit(FAILED)
