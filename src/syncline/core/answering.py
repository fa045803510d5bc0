"""Answer rules: which standing instruction answers a question about a scheduling conflict, if any.

An ordered list, the first rule whose conditions all hold answers. Pure: it must not know alerts, links, the clock, or
what becomes of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

from msgspec import Struct

OWN_ORGANIZER = "own"
OTHER_ORGANIZER = "other"
NAMED = "Rule: "


class Facts(Struct, frozen=True, gc=False, kw_only=True):
    """What rules may ask about a waiting item, as it stood when the question was opened or last brought up to date.

    `organizer` is an address in lower case ("" if there is none), `own` whether the mailbox's user organizes it;
    `same_calendar` whether all that is in the way came from the same mailbox.
    """

    categories: tuple[str, ...] = ()
    organizer: str = ""
    own: bool = False
    all_day: bool = False
    private: bool = False
    same_calendar: bool = False


class Conditions(Struct, frozen=True, gc=False, kw_only=True):
    """All that are given must hold; an empty one asks nothing.

    `organizer` is "own", "other", an address, or a domain written "@firm.example".
    """

    mailboxes: tuple[int, ...] = ()
    category: str = ""
    organizer: str = ""
    all_day: bool | None = None
    private: bool | None = None
    same_calendar: bool | None = None


class AnswerRule(Struct, frozen=True, gc=False, kw_only=True):
    """One standing answer. `owner` is the user for whose mailboxes alone it counts (None: for everybody's)."""

    id: int = 0
    name: str
    answer: Literal["yes", "no"]
    conditions: Conditions = Conditions()
    enabled: bool = True
    owner: str | None = None
    position: int = 0
    created_by: str = ""
    created: datetime

    @property
    def signature(self) -> str:
        """Return the name under which its answers are recorded."""
        return NAMED + self.name


Given = Callable[[Conditions], bool]
Holding = Callable[[Conditions, Facts], bool]


def _category(wanted: Conditions, facts: Facts) -> bool:
    return wanted.category.casefold() in {category.casefold() for category in facts.categories}


def _organizer(wanted: Conditions, facts: Facts) -> bool:
    if wanted.organizer in (OWN_ORGANIZER, OTHER_ORGANIZER):
        return facts.own is (wanted.organizer == OWN_ORGANIZER)
    if wanted.organizer.startswith("@"):
        return facts.organizer.endswith(wanted.organizer)
    return facts.organizer == wanted.organizer


_TESTS: tuple[tuple[Given, Holding], ...] = (
    (lambda c: bool(c.category), _category),
    (lambda c: bool(c.organizer), _organizer),
    (lambda c: c.all_day is not None, lambda c, facts: c.all_day is facts.all_day),
    (lambda c: c.private is not None, lambda c, facts: c.private is facts.private),
    (lambda c: c.same_calendar is not None, lambda c, facts: c.same_calendar is facts.same_calendar),
)
"""Whether a condition is given, and whether it holds."""


def holds(rule: AnswerRule, mailbox_id: int, user: str, facts: Facts) -> bool:
    """Return whether a rule answers a question of this mailbox, which belongs to `user`."""
    wanted = rule.conditions
    if not rule.enabled or rule.owner not in (None, user):
        return False
    if wanted.mailboxes and mailbox_id not in wanted.mailboxes:
        return False
    return all(holding(wanted, facts) for given, holding in _TESTS if given(wanted))


def first(rules: Iterable[AnswerRule], mailbox_id: int, user: str, facts: Facts) -> AnswerRule | None:
    """Return the first rule that answers, or None: then a person is asked."""
    return next((rule for rule in in_order(rules) if holds(rule, mailbox_id, user, facts)), None)


def in_order(rules: Iterable[AnswerRule]) -> list[AnswerRule]:
    """Return rules in the order in which they are asked: everybody's first, then each user's own."""
    return sorted(rules, key=lambda rule: (rule.owner is not None, rule.owner or "", rule.position, rule.id))
