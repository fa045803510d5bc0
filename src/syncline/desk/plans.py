"""A plan as people read it: what would be done on which side, fields before and after, and whom Exchange would mail.

Private content is masked for who looks. It must not know how a plan is made, nor where it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from syncline.desk import versions
from syncline.desk.alerts import look_at
from syncline.desk.objects import FieldChange, PlannedItem, PlannedMail
from syncline.desk.reading import Sight, Viewer
from syncline.engine.run import PlanLine
from syncline.language import _, noted
from syncline.ports import Mailbox

TO_CRM, TO_EXCHANGE = "exchange_to_crm", "crm_to_exchange"
HIDDEN = noted("private")
MASKED = frozenset({"subject", "location", "description", "attendees", "categories", "exceptions", "exception_texts"})
"""Fields whose content only those read who may read the appointment."""


def planned(
    viewer: Viewer,
    mailbox: Mailbox,
    plan: Sequence[PlanLine],
    when: versions.When = versions.in_utc,
) -> tuple[PlannedItem, ...]:
    """Return a plan as objects; `when` words the times of fields."""
    return tuple(_item(viewer, mailbox, line, when) for line in plan)


def mailed(items: Sequence[PlannedItem]) -> tuple[PlannedMail, ...]:
    """Return every mail that the next sync sends, by recipient; none of what waits for an answer."""
    found = (mail for item in items if item.action not in ("ask", "hold") for mail in item.mails)
    return tuple(sorted(found, key=lambda mail: (mail.to, mail.kind, mail.subject)))


def _item(viewer: Viewer, mailbox: Mailbox, line: PlanLine, when: versions.When) -> PlannedItem:
    look = look_at(viewer, mailbox, private=line.private)
    subject = look.subject(line.subject)
    return PlannedItem(
        action=line.action,
        subject=subject,
        start=line.start,
        detail=" ".join(part for part in (line.rule, line.detail) if part),
        direction=TO_EXCHANGE if line.outward else TO_CRM,
        rule=line.rule,
        code=line.code,
        fields=tuple(_fields(line, look, when)),
        mails=tuple(
            PlannedMail(to=mail.to, kind=mail.kind.value, subject=subject, start=line.start, rule=line.mail_rule)
            for mail in line.mails
        ),
        mail_rule=line.mail_rule,
    )


def _fields(line: PlanLine, look: Sight, when: versions.When) -> Iterator[FieldChange]:
    before, after = line.before, line.after
    if before is None or after is None:
        return
    for name in line.fields:
        if look.masked and name in MASKED:
            yield FieldChange(field=name, name=versions.named(name), before=_(HIDDEN), after=_(HIDDEN))
            continue
        yield FieldChange(
            field=name,
            name=versions.named(name),
            before=versions.told(before, name, when),
            after=versions.told(after, name, when),
        )
