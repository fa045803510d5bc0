"""A plan as a page shows it: both directions by what would happen, counts first, and mails by recipient.

Used by the set-up and by the preview of a mailbox. It must not know how a plan is made.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from syncline.core.appointment import Span
from syncline.desk import syncing
from syncline.desk.finding import one
from syncline.desk.objects import PlannedItem, PlannedMail
from syncline.desk.plans import TO_CRM, TO_EXCHANGE
from syncline.errors import CATALOGUE, SyncError
from syncline.language import _, noted
from syncline.web.pages.rendering import Visit
from syncline.web.pages.words import PLANNED, PLANNED_IN_OUTLOOK, UNMAILED

_RULE = re.compile(r"^[A-Z]{1,2}-\d+[a-z]? ")
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b")
_PHRASES = (
    (
        re.compile(r'gets the category "(?P<category>[^"]*)" in Outlook$'),
        noted('gets the category "%(category)s" in Outlook'),
    ),
    (re.compile(r" and (?P<number>\d+) more(?=:|;|$)"), noted(" and %(number)s more")),
    (re.compile(r"Private appointment(?= \d{4}-)"), noted("Private appointment")),
)
SHOWN_MAX = 15
MAILED_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Everything that the same would happen to: the word of the plan, how many, and the first of them."""

    action: str
    many: int
    items: Sequence[PlannedItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailed:
    """One recipient and the mails that he would get."""

    to: str
    mails: Sequence[PlannedMail]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan in groups. `two_way`: something is or could be carried over to Outlook; `mails`: how many would leave.

    `read_only`: nothing is ever written there, because the profile only reads.
    """

    to_crm: Sequence[Group]
    to_outlook: Sequence[Group]
    two_way: bool
    read_only: bool
    mails: int
    mailed: Sequence[Mailed]
    more_mailed: int

    @property
    def empty(self) -> bool:
        """Return whether there is nothing to do."""
        return not self.to_crm and not self.to_outlook


def plan_of(visit: Visit, key: str) -> Plan:
    """Compute the plan of a mailbox with times as the viewer reads them; nothing is written.

    Raises SyncError: what stopped the reading, NotAllowed, NotFoundHere.
    """

    def when(span: Span) -> str:
        return visit.times.span(span.start, span.end, all_day=span.all_day)

    report = syncing.preview(visit.app, visit.viewer, key, when)
    if report.error is not None:
        raise SyncError(report.error, mailbox=report.mailbox, detail=report.text or "")
    read_only = visit.app.store.profile(one(visit.app, visit.viewer, key).profile_id).read_only
    people: dict[str, list[PlannedMail]] = defaultdict(list)
    for mail in report.mailed:
        people[mail.to].append(mail)
    mailed = [Mailed(to=to, mails=mails) for to, mails in people.items()]
    return Plan(
        to_crm=_grouped(visit, [item for item in report.plan if item.direction == TO_CRM], PLANNED),
        to_outlook=_grouped(visit, [item for item in report.plan if item.direction == TO_EXCHANGE], PLANNED_IN_OUTLOOK),
        two_way=visit.app.parts.rules.outgoing and not read_only,
        read_only=read_only,
        mails=len(report.mailed),
        mailed=mailed[:MAILED_MAX],
        more_mailed=max(0, len(mailed) - MAILED_MAX),
    )


def asks_about(item: PlannedItem) -> str:
    """Return what somebody is or would be asked, or why an item is left out or fails; "" if nothing is to be said."""
    return _(CATALOGUE[item.code].title) if item.code in CATALOGUE else ""


def nobody_because(item: PlannedItem) -> str:
    """Return why nobody is mailed about an item that somebody could be mailed about; "" if there is nothing to say."""
    return _(UNMAILED[item.mail_rule]) if not item.mails and item.mail_rule in UNMAILED else ""


def _grouped(visit: Visit, planned: Sequence[PlannedItem], words: Mapping[str, str]) -> Sequence[Group]:
    """Return the plan by what would happen, in the order of the words: how many, and the first of them."""
    found: dict[str, list[PlannedItem]] = defaultdict(list)
    for item in planned:
        found[item.action].append(item)
    order = {action: at for at, action in enumerate(words)}
    return [
        Group(
            action=action,
            many=len(found[action]),
            items=[replace(item, detail=_told(visit, item)) for item in found[action][:SHOWN_MAX]],
        )
        for action in sorted(found, key=lambda action: order.get(action, len(order)))
    ]


def _told(visit: Visit, item: PlannedItem) -> str:
    """Return what is in the way with times as the viewer reads them, without the rule that people do not know."""

    def local(found: re.Match[str]) -> str:
        return visit.times.date_and_time(datetime.fromisoformat(found[0]).replace(tzinfo=UTC))

    said = _RULE.sub("", item.detail)
    if said in (item.code, item.rule):
        return ""
    for phrase, message in _PHRASES:
        said = phrase.sub(partial(_phrase, message), said)
    return _MOMENT.sub(local, said)


def _phrase(message: str, found: re.Match[str]) -> str:
    return _(message, **found.groupdict())
