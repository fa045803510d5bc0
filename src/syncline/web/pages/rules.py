"""Settings › Answer rules: the rules in their order, a new one, and what it would have answered before it is saved.

It must not know who may do what: the desk does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from syncline.core.answering import OTHER_ORGANIZER, OWN_ORGANIZER
from syncline.desk import foretelling, rules
from syncline.desk.foretelling import Foretold
from syncline.desk.rules import ELSEWHERE, NewRule, RuleObject
from syncline.errors import SyncError
from syncline.language import _, noted
from syncline.web.pages.rendering import Here, Visit, go
from syncline.web.problems import status_of

router = APIRouter()
SECTION = "Settings"
PATH = "/settings/rules"
NAMED = "named"
ORGANIZERS: Mapping[str, str] = {
    "": noted("Anybody"),
    OWN_ORGANIZER: noted("The user of the mailbox"),
    OTHER_ORGANIZER: noted("Somebody else"),
    NAMED: noted("This address or domain:"),
}
FLAGS: Mapping[str, tuple[str, str, str]] = {
    "all_day": (noted("All-day"), noted("Only all-day items"), noted("Only items with times")),
    "private": (noted("Private"), noted("Only private items"), noted("Only items that are not private")),
    "same_calendar": (
        noted("Where the other comes from"),
        noted("Only if both sides come from the same calendar"),
        noted("Only if the other side comes from elsewhere"),
    ),
}
"""Label, yes and no of each condition that may be left open."""
SAID: Mapping[str, tuple[str, str]] = {
    "all_day": (noted("all-day"), noted("not all-day")),
    "private": (noted("private"), noted("not private")),
    "same_calendar": (noted("both sides from the same calendar"), noted("the other side from elsewhere")),
}
OUTCOMES: Mapping[str, str] = {
    "yes": noted("People said Yes"),
    "no": noted("People said No"),
    "rule": noted("Another rule answered"),
    "open": noted("Waits for an answer"),
    "withdrawn": noted("Needed no answer"),
    "lapsed": noted("Ended unanswered"),
}
_CHOICES: Mapping[str, bool | None] = {"": None, "yes": True, "no": False}


class Given(BaseModel):
    """What the form holds, as it was typed."""

    model_config = ConfigDict(frozen=True)

    answer: str = "yes"
    name: str = ""
    mailboxes: str = ""
    category: str = ""
    organizer: str = ""
    organizer_named: str = ""
    all_day: str = ""
    private: str = ""
    same_calendar: str = ""

    def wanted(self) -> NewRule:
        """Return the rule that is asked for."""
        return NewRule(
            answer=self.answer,
            name=self.name,
            mailboxes=tuple(each.strip() for each in self.mailboxes.replace(";", ",").split(",") if each.strip()),
            category=self.category,
            organizer=self.organizer_named if self.organizer == NAMED else self.organizer,
            all_day=_CHOICES.get(self.all_day),
            private=_CHOICES.get(self.private),
            same_calendar=_CHOICES.get(self.same_calendar),
        )


@router.get(PATH)
def overview(visit: Here, made: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0) -> Response:
    """Show the rules; after one was made, also how many open questions it matches."""
    return _page(visit, made=made)


@router.post(PATH)
def save(visit: Here, given: Annotated[Given, Form()]) -> Response:
    """Make a rule."""
    try:
        rule = rules.add(visit.app, visit.viewer, given.wanted())
    except SyncError as error:
        return _page(visit, given=given, trouble=error)
    return go(f"{PATH}?made={rule.id}#made")


@router.post(f"{PATH}/preview")
def preview(visit: Here, given: Annotated[Given, Form()]) -> Response:
    """Show what a rule would have answered; nothing is stored."""
    try:
        told = foretelling.preview(visit.app, visit.viewer, given.wanted())
    except SyncError as error:
        return _page(visit, given=given, trouble=error)
    return _page(visit, given=given, told=told)


@router.post(f"{PATH}/answer")
def answer_matching(
    visit: Here,
    rule: Annotated[int, Form()],
    count: Annotated[int, Form(ge=0, le=2**31 - 1)],
    newest: Annotated[int | None, Form(ge=0, le=2**63 - 1)] = None,
) -> Response:
    """Answer the open questions that a rule matches, if no more came meanwhile."""
    try:
        foretelling.answer_matching(visit.app, visit.viewer, rule, count, newest)
    except SyncError as error:
        return _page(visit, made=rule, trouble=error)
    return go(f"{PATH}?said=answered")


@router.post(f"{PATH}/move")
def move(visit: Here, rule: Annotated[int, Form()], position: Annotated[int, Form(ge=0, le=2**31 - 1)]) -> Response:
    """Move a rule up or down."""
    return _done(visit, lambda: rules.change(visit.app, visit.viewer, rule, position=max(1, position)), rule)


@router.post(f"{PATH}/switch")
def switch(visit: Here, rule: Annotated[int, Form()], on: Annotated[str, Form()] = "") -> Response:
    """Switch a rule on or off."""
    return _done(visit, lambda: rules.change(visit.app, visit.viewer, rule, enabled=on == "yes"), rule)


@router.post(f"{PATH}/remove")
def remove(visit: Here, rule: Annotated[int, Form()]) -> Response:
    """Forget a rule."""
    return _done(visit, lambda: rules.remove(visit.app, visit.viewer, rule))


def conditions(rule: RuleObject) -> str:
    """Return when a rule answers, in words."""
    said = [_('category "%(category)s"', category=rule.category)] if rule.category else []
    said += [_organizer(rule.organizer)] if rule.organizer else []
    flags = {name: getattr(rule, name) for name in SAID}
    said += [_(SAID[name][0 if flag else 1]) for name, flag in flags.items() if flag is not None]
    return ", ".join(said) or _("always")


def whose(visit: Visit, rule: RuleObject) -> str:
    """Return for which mailboxes a rule answers, in words."""
    places = [_("another mailbox") if each == ELSEWHERE else each for each in rule.mailboxes]
    owner = [visit.called(rule.owner)] if rule.owner else []
    return ", ".join([*owner, *places]) or _("Everybody")


def _organizer(organizer: str) -> str:
    if organizer == OWN_ORGANIZER:
        return _("organised by the user of the mailbox")
    if organizer == OTHER_ORGANIZER:
        return _("organised by somebody else")
    if organizer.startswith("@"):
        return _("organised by somebody at %(domain)s", domain=organizer[1:])
    return _("organised by %(who)s", who=organizer)


def _done(visit: Visit, work: Callable[[], object], rule: int = 0) -> Response:
    try:
        work()
    except SyncError as error:
        return _page(visit, trouble=error)
    return go(f"{PATH}?said=changed{f'#rule-{rule}' if rule else ''}")


def _page(
    visit: Visit,
    *,
    given: Given | None = None,
    told: Foretold | None = None,
    trouble: SyncError | None = None,
    made: int = 0,
) -> Response:
    found = rules.listing(visit.app, visit.viewer)
    matching = _matching(visit, made, found)
    return visit.render(
        "rules.html",
        section=SECTION,
        status=status_of(trouble) if trouble is not None else 200,
        rules=[(rule, conditions(rule), whose(visit, rule), _steps(found, rule)) for rule in found],
        made=next((rule for rule in found if rule.id == made and rule.changeable), None),
        matching=len(matching),
        newest=max(matching, default=0),
        given=given or Given(),
        told=told,
        trouble=trouble,
        organizers=ORGANIZERS,
        flags=FLAGS,
        outcomes=OUTCOMES,
        days=rules.DAYS,
    )


def _matching(visit: Visit, made: int, found: Sequence[RuleObject]) -> Sequence[int]:
    mine = any(rule.id == made and rule.changeable for rule in found)
    return foretelling.matching(visit.app, visit.viewer, made) if mine else ()


def _steps(found: Sequence[RuleObject], rule: RuleObject) -> tuple[bool, bool]:
    """Return whether a rule can go up, and down, among those of its group."""
    group = [each for each in found if each.owner == rule.owner]
    return group[0].id != rule.id, group[-1].id != rule.id
