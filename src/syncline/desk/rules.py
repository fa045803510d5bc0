"""Answer rules: who may make which, how they are ordered, and what each says.

A System Administrator makes rules for all mailboxes, a User for his own alone; everybody's come first. Which rule
answers is `core.answering`'s; what one would have answered is `desk.foretelling`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syncline.core.answering import OTHER_ORGANIZER, OWN_ORGANIZER, AnswerRule, Conditions
from syncline.desk.finding import one, within
from syncline.desk.reading import Viewer
from syncline.errors import SyncError
from syncline.language import _
from syncline.ports import Answer, Mailbox

if TYPE_CHECKING:
    from syncline.wiring import App

DAYS = 30
"""So far back a preview looks, and so long answers of rules are counted."""
NAME_MAX_CHARACTERS = 80
CONDITION_MAX_CHARACTERS = 255
RULES_MAX = 500
ELSEWHERE = "another mailbox"
"""What stands for a mailbox that the viewer may not see, or that was removed."""
_ANSWERS: Mapping[str, Answer] = {"yes": "yes", "no": "no"}
_SAID = {"yes": "Save anyway", "no": "Keep out"}
_FLAGS = {
    "all_day": ("all-day", "not all-day"),
    "private": ("private", "not private"),
    "same_calendar": ("both from the same calendar", "from different calendars"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule:
    """What somebody gives to make a rule; without a name it gets one that says what it does.

    `mailboxes` are ids or addresses (none: all that the rule may be for); `organizer` is own, other, an address, or a
    domain such as @firm.example; a flag that is None asks nothing.
    """

    answer: str
    name: str = ""
    mailboxes: tuple[str, ...] = ()
    category: str = ""
    organizer: str = ""
    all_day: bool | None = None
    private: bool | None = None
    same_calendar: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleObject:
    """One answer rule. `owner` is the user for whose mailbox alone it is (null: a System Administrator's, for all).

    `position` counts inside everybody's rules, or inside one user's; `answered` are the questions that it answered in
    the last 30 days; `changeable` says whether the viewer may change it.
    """

    id: int
    name: str
    answer: str
    enabled: bool
    position: int
    mailboxes: tuple[str, ...]
    category: str
    organizer: str
    all_day: bool | None
    private: bool | None
    same_calendar: bool | None
    owner: str | None
    created_by: str
    created: datetime
    answered: int
    changeable: bool


def listing(app: App, viewer: Viewer) -> list[RuleObject]:
    """Return the rules that answer for the viewer's mailboxes, in the order in which they are asked."""
    return _objects(app, viewer, [rule for rule in app.store.rules() if _concerns(app, viewer, rule)])


def show(app: App, viewer: Viewer, rule_id: int) -> RuleObject:
    """Return one rule; SyncError("NotFoundHere") if there is none that concerns the viewer."""
    return _objects(app, viewer, [visible_rule(app, viewer, rule_id)])[0]


def add(app: App, viewer: Viewer, wanted: NewRule) -> RuleObject:
    """Make a rule, the last of its group. Open questions stay open until somebody answers them."""
    if len(app.store.rules()) >= RULES_MAX:
        raise SyncError(
            "InvalidRequest", detail=_("There are %(most)s rules already; remove some first.", most=RULES_MAX)
        )
    return show(app, viewer, app.store.add_rule(made(app, viewer, wanted)).id)


def change(
    app: App, viewer: Viewer, rule_id: int, *, enabled: bool | None = None, position: int | None = None
) -> RuleObject:
    """Switch a rule on or off, or move it to a position (1 is first) inside its group."""
    changeable_rule(app, viewer, rule_id)
    app.store.change_rule(rule_id, enabled=enabled, position=position)
    return show(app, viewer, rule_id)


def remove(app: App, viewer: Viewer, rule_id: int) -> None:
    """Forget a rule; what it answered stays answered."""
    changeable_rule(app, viewer, rule_id)
    app.store.remove_rule(rule_id)


def made(app: App, viewer: Viewer, wanted: NewRule) -> AnswerRule:
    """Return the rule that is wanted, checked and not stored; SyncError("InvalidRequest") says what is wrong."""
    if wanted.answer not in _ANSWERS:
        raise SyncError("InvalidRequest", detail=f"A rule answers yes or no, not {wanted.answer!r}.")
    mailboxes = [one(app, viewer, key) for key in wanted.mailboxes]
    conditions = Conditions(
        mailboxes=tuple(dict.fromkeys(mailbox.id for mailbox in mailboxes)),
        category=_short(wanted.category, "category"),
        organizer=_organizer(wanted.organizer),
        all_day=wanted.all_day,
        private=wanted.private,
        same_calendar=wanted.same_calendar,
    )
    name = _short(wanted.name, "name", NAME_MAX_CHARACTERS) or _name(app, wanted.answer, conditions, mailboxes)
    return AnswerRule(
        name=name,
        answer=_ANSWERS[wanted.answer],
        conditions=conditions,
        owner=_owner(app, viewer),
        position=RULES_MAX,
        created_by=viewer.called,
        created=app.clock.now(),
    )


def visible_rule(app: App, viewer: Viewer, rule_id: int) -> AnswerRule:
    """Return a rule; SyncError("NotFoundHere") if there is none that concerns the viewer."""
    found = next((rule for rule in app.store.rules() if rule.id == rule_id), None)
    if found is None or not _concerns(app, viewer, found):
        raise SyncError("NotFoundHere", detail=f"rule {rule_id}")
    return found


def changeable_rule(app: App, viewer: Viewer, rule_id: int) -> AnswerRule:
    """Return a rule that the viewer may change; SyncError("NotAllowed") if it is not his."""
    found = visible_rule(app, viewer, rule_id)
    if not _may_change(viewer, found):
        raise SyncError("NotAllowed", detail=_("Only a System Administrator may change a rule for everybody."))
    return found


def since(app: App) -> datetime:
    """Return how far back questions count."""
    return app.clock.now() - timedelta(days=DAYS)


def _may_change(viewer: Viewer, rule: AnswerRule) -> bool:
    return viewer.administrator or viewer.among((rule.owner,))


def _concerns(app: App, viewer: Viewer, rule: AnswerRule) -> bool:
    """Return whether a rule may answer in a mailbox of the viewer; everybody's are nobody's secret."""
    if _may_change(viewer, rule):
        return True
    mailboxes, mine = rule.conditions.mailboxes, within(app, viewer) or frozenset()
    return rule.owner is None and (not mailboxes or bool(mine.intersection(mailboxes)))


def _owner(app: App, viewer: Viewer) -> str | None:
    """Return for whom alone a new rule counts: the maker's mailbox, unless he looks after all of them."""
    if viewer.administrator:
        return None
    mine = app.store.mailboxes_by_id(within(app, viewer) or ())
    if not mine:
        raise SyncError("InvalidRequest", detail=_("You have no mailbox for which a rule could answer."))
    return next(iter(mine.values())).user


def _objects(app: App, viewer: Viewer, rules: list[AnswerRule]) -> list[RuleObject]:
    mine = within(app, viewer)
    ids = {number for rule in rules for number in rule.conditions.mailboxes}
    addresses = app.store.mailboxes_by_id(ids if mine is None else ids & mine)
    answered = app.store.answered_by_rules(since(app), mine)
    return [_object(viewer, rule, addresses, answered.get(rule.name, 0)) for rule in rules]


def _object(viewer: Viewer, rule: AnswerRule, mailboxes: Mapping[int, Mailbox], answered: int) -> RuleObject:
    wanted = rule.conditions
    return RuleObject(
        id=rule.id,
        name=rule.name,
        answer=rule.answer,
        enabled=rule.enabled,
        position=rule.position,
        mailboxes=tuple(mailboxes[number].address if number in mailboxes else ELSEWHERE for number in wanted.mailboxes),
        category=wanted.category,
        organizer=wanted.organizer,
        all_day=wanted.all_day,
        private=wanted.private,
        same_calendar=wanted.same_calendar,
        owner=rule.owner,
        created_by=rule.created_by,
        created=rule.created,
        answered=answered,
        changeable=_may_change(viewer, rule),
    )


def _organizer(text: str) -> str:
    wanted = _short(text, "organizer").lower()
    if wanted in ("", OWN_ORGANIZER, OTHER_ORGANIZER) or "@" in wanted:
        return wanted
    if "." in wanted:
        return f"@{wanted}"
    said = _(
        "organizer takes own, other, an address, or a domain such as firm.example; not %(text)s.",
        text=repr(text.strip()),
    )
    raise SyncError("InvalidRequest", detail=said)


def _short(text: str, name: str, most: int = CONDITION_MAX_CHARACTERS) -> str:
    short = text.strip()
    if len(short) > most or not short.isprintable():
        said = _("%(name)s takes at most %(most)s characters, all of them printable.", name=name, most=most)
        raise SyncError("InvalidRequest", detail=said)
    return short


def _name(app: App, answer: str, conditions: Conditions, mailboxes: list[Mailbox]) -> str:
    """Make up a name that says what the rule does, and that no rule has yet."""
    # Of several mailboxes the name tells the number only: who looks after one of them reads it as well.
    said = [mailboxes[0].address if len(mailboxes) == 1 else f"{len(mailboxes)} mailboxes"] if mailboxes else []
    said += [f"category {conditions.category}"] if conditions.category else []
    said += [f"organizer {conditions.organizer.removeprefix('@')}"] if conditions.organizer else []
    flags = {name: getattr(conditions, name) for name in _FLAGS}
    said += [_FLAGS[name][0 if flag else 1] for name, flag in flags.items() if flag is not None]
    whole = f"{_SAID[answer]}: {', '.join(said) or 'always'}"
    base = whole if len(whole) <= NAME_MAX_CHARACTERS - 6 else f"{whole[: NAME_MAX_CHARACTERS - 7]}…"
    taken = {rule.name for rule in app.store.rules()}
    numbered = (base if number == 1 else f"{base} ({number})" for number in range(1, RULES_MAX + 2))
    return next(name for name in numbered if name not in taken)
