"""`syncline rules`: standing answers to questions, and what one would have answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from syncline.commands.frame import Data, Json, opened, print_json, print_table
from syncline.desk.reading import OPERATOR

if TYPE_CHECKING:
    from syncline.desk.foretelling import Foretold
    from syncline.desk.rules import NewRule, RuleObject

RULE_COLUMNS = ("Id", "Order", "Answer", "Name", "When", "For", "On", "Answered", "Made by")
FORETOLD_COLUMNS = ("Alert", "Mailbox", "Appointment", "Start (UTC)", "What became of it")
OUTCOMES = {
    "yes": "answered Yes",
    "no": "answered No",
    "rule": "answered by a rule",
    "open": "waits for an answer",
    "withdrawn": "needed no answer",
    "lapsed": "ended unanswered",
}
FLAGS = {"all_day": "all-day", "private": "private", "same_calendar": "both from the same calendar"}

RuleId = Annotated[int, typer.Argument(metavar="ID", help="Number of the rule.")]
Decision = Annotated[Literal["yes", "no"], typer.Argument(metavar="yes|no", help="Save anyway, or keep out.")]
OfMailbox = Annotated[list[str] | None, typer.Option("--mailbox", help="Only this mailbox; repeat it for more.")]
OfCategory = Annotated[str, typer.Option("--category", help="The item carries this category in Outlook.")]
OfOrganizer = Annotated[
    str, typer.Option("--organizer", help="own, other, an address, or a domain such as firm.example.")
]
AllDay = Annotated[bool | None, typer.Option("--all-day/--not-all-day", help="Whether it lasts all day.")]
Private = Annotated[bool | None, typer.Option("--private/--not-private", help="Whether it is marked private.")]
SameCalendar = Annotated[
    bool | None,
    typer.Option("--same-calendar/--other-calendar", help="Whether all that is in the way is from the same mailbox."),
]

group = typer.Typer(no_args_is_help=True, help="Answer rules: save anyway, or keep out, without asking.")


@group.command("list")
def list_rules(data: Data = None, json: Json = False) -> None:
    """List the rules in the order in which they are asked; the first that fits answers."""
    from syncline.desk import rules

    with opened(data) as app:
        found = rules.listing(app, OPERATOR)
    if json:
        print_json(found)
        return
    print_table("Rules", RULE_COLUMNS, [_row(rule) for rule in found], "There is no rule: people are asked.")


@group.command("add")
def add(
    answer: Decision,
    name: Annotated[str, typer.Option("--name", help="Under which its answers are recorded.")] = "",
    mailbox: OfMailbox = None,
    category: OfCategory = "",
    organizer: OfOrganizer = "",
    all_day: AllDay = None,
    private: Private = None,
    same_calendar: SameCalendar = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a rule, the last in order. Questions that are open already stay open."""
    from syncline.desk import foretelling, rules

    wanted = _wanted(
        answer,
        mailbox,
        name=name,
        category=category,
        organizer=organizer,
        all_day=all_day,
        private=private,
        same_calendar=same_calendar,
    )
    with opened(data) as app:
        rule = rules.add(app, OPERATOR, wanted)
        open_now = len(foretelling.matching(app, OPERATOR, rule.id))
    if json:
        print_json(rule)
        return
    typer.echo(f"Rule {rule.id} made: {rule.name}.")
    if open_now:
        typer.echo(f"{_counted(open_now)}: syncline rules answer {rule.id} --count {open_now}")


@group.command("preview")
def preview(
    answer: Decision,
    mailbox: OfMailbox = None,
    category: OfCategory = "",
    organizer: OfOrganizer = "",
    all_day: AllDay = None,
    private: Private = None,
    same_calendar: SameCalendar = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Tell what a rule would have answered in the last 30 days; nothing is stored."""
    from syncline.desk import foretelling

    wanted = _wanted(
        answer,
        mailbox,
        category=category,
        organizer=organizer,
        all_day=all_day,
        private=private,
        same_calendar=same_calendar,
    )
    with opened(data) as app:
        told = foretelling.preview(app, OPERATOR, wanted)
    if json:
        print_json(told)
        return
    typer.echo(_summary(told))
    if told.items:
        rows = [(each.alert_id, each.mailbox, each.subject, each.start, OUTCOMES[each.outcome]) for each in told.items]
        print_table("The newest of them", FORETOLD_COLUMNS, rows, "")


@group.command("answer")
def answer_matching(
    rule_id: RuleId,
    count: Annotated[
        int | None, typer.Option("--count", help="How many you expect; without it they are counted.")
    ] = None,
    data: Data = None,
) -> None:
    """Give the open questions that a rule matches its answer; refused if there are more than expected."""
    from syncline.desk import foretelling
    from syncline.desk.running import jobs_run

    with opened(data) as app:
        if count is None:
            number = len(foretelling.matching(app, OPERATOR, rule_id))
            typer.echo(f"{_counted(number)}; --count {number} answers them.")
            return
        reached = foretelling.answer_matching(app, OPERATOR, rule_id, count)
        if not jobs_run(app.data):
            app.worker.run_now(reached.mailboxes)
    typer.echo(f"Answered: {reached.answered}.")


@group.command("move")
def move(
    rule_id: RuleId,
    position: Annotated[int, typer.Argument(metavar="POSITION", min=1, help="Its place; 1 is asked first.")],
    data: Data = None,
) -> None:
    """Move a rule to another place in the order."""
    from syncline.desk import rules

    with opened(data) as app:
        rule = rules.change(app, OPERATOR, rule_id, position=position)
    typer.echo(f"Rule {rule.id} is number {rule.position} now.")


@group.command("enable")
def enable(rule_id: RuleId, data: Data = None) -> None:
    """Switch a rule on."""
    _switch(rule_id, data, on=True)


@group.command("disable")
def disable(rule_id: RuleId, data: Data = None) -> None:
    """Switch a rule off; people are asked again."""
    _switch(rule_id, data, on=False)


@group.command("remove")
def remove(rule_id: RuleId, data: Data = None) -> None:
    """Forget a rule; what it answered stays answered."""
    from syncline.desk import rules

    with opened(data) as app:
        rules.remove(app, OPERATOR, rule_id)
    typer.echo(f"Rule {rule_id} removed.")


def _switch(rule_id: int, data: Data, *, on: bool) -> None:
    from syncline.desk import rules

    with opened(data) as app:
        rules.change(app, OPERATOR, rule_id, enabled=on)
    typer.echo(f"Rule {rule_id} is {'on' if on else 'off'}.")


def _wanted(answer: str, mailboxes: list[str] | None, **conditions: Any) -> NewRule:  # noqa: ANN401 - as the options give them
    from syncline.desk.rules import NewRule

    return NewRule(answer=answer, mailboxes=tuple(mailboxes or ()), **conditions)


def _row(rule: RuleObject) -> tuple[object, ...]:
    whose = f"{rule.owner} only" if rule.owner else ", ".join(rule.mailboxes) or "everybody"
    answer = "Yes, save anyway" if rule.answer == "yes" else "No, keep out"
    when = ", ".join(_conditions(rule)) or "always"
    return rule.id, rule.position, answer, rule.name, when, whose, rule.enabled, rule.answered, rule.created_by


def _conditions(rule: RuleObject) -> list[str]:
    said = [f"category {rule.category}"] if rule.category else []
    said += [f"organizer {rule.organizer}"] if rule.organizer else []
    flags = {name: getattr(rule, name) for name in FLAGS}
    return said + [FLAGS[name] if flag else f"not {FLAGS[name]}" for name, flag in flags.items() if flag is not None]


def _summary(told: Foretold) -> str:
    would = "saved" if told.answer == "yes" else "kept out"
    parts = {
        "answered Yes by people": told.yes,
        "answered No by people": told.no,
        "answered by other rules": told.by_rules,
        "still open": told.open,
        "needed no answer": told.withdrawn,
        "ended unanswered": told.lapsed,
    }
    became = ", ".join(f"{many} {what}" for what, many in parts.items() if many)
    head = f"It would have {would} {told.matched} of {told.asked} asked about in the last {told.days} days"
    return f"{head}{f': {became}' if became else ''}."


def _counted(number: int) -> str:
    return "1 open question matches now" if number == 1 else f"{number} open questions match now"
