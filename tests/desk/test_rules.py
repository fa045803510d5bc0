"""Answer rules at the desk: who makes and sees which, what is refused, what a preview tells and hides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from syncline.desk import alerts, explaining, failures, foretelling, rules
from syncline.desk.reading import OPERATOR, PRIVATE_SUBJECT
from syncline.desk.rules import NewRule, RuleObject
from syncline.errors import SyncError
from tests.desk.office import DOMAIN, Office, at


def add(office: Office, who: str = "ines", answer: str = "yes", **conditions: Any) -> RuleObject:
    """Make a rule as somebody."""
    return rules.add(office.app, office.viewer(who), NewRule(answer=answer, **conditions))


def names(office: Office, who: str) -> list[str]:
    """Return the rules that somebody sees, in order."""
    return [rule.name for rule in rules.listing(office.app, office.viewer(who))]


def ask(office: Office, subject: str, days: int = 1, **fields: Any) -> str:
    """Let an appointment of Maya's wait: something of hers stands in the CRM at its time."""
    office.in_crm(f"Call before {subject}", at(10, days=days))
    ref = office.in_outlook(subject, at(10.5, days=days), **fields)
    office.sync()
    return ref


@pytest.mark.rule("Q-10")
def test_a_user_makes_rules_for_his_own_mailbox(office: Office) -> None:
    """Maya's rule is hers, comes after everybody's, and answers nothing of Jonas'; he does not even see it."""
    mine = add(office, "maya", all_day=False)
    everybody = add(office, "ines", name="Trips", category="Travel")

    assert (mine.owner, everybody.owner) == ("maya", None)
    assert (mine.name, mine.created_by) == ("Save anyway: not all-day", "Maya Lind")
    assert names(office, "ines") == names(office, "maya") == ["Trips", "Save anyway: not all-day"]
    assert names(office, "jonas") == ["Trips"]
    with pytest.raises(SyncError, match=f"rule {mine.id}"):
        rules.remove(office.app, office.viewer("jonas"), mine.id)
    with pytest.raises(SyncError, match="Only a System Administrator"):
        rules.change(office.app, office.viewer("maya"), everybody.id, enabled=False)
    with pytest.raises(SyncError, match="no mailbox"):
        office.app.store.set_role("maya", "System Administrator")  # type: ignore[arg-type]
        office.app.store.set_role("ines", "User")  # type: ignore[arg-type]
        add(office, "ines")


def test_rules_for_other_mailboxes_are_nobodys_business(office: Office) -> None:
    """A rule for Jonas' mailbox is not shown to Maya; one for both does not tell her of his."""
    maya, jonas = f"maya@{DOMAIN}", f"jonas@{DOMAIN}"
    add(office, name="his", mailboxes=(jonas,))
    add(office, name="both", mailboxes=(maya, jonas))

    (shown,) = rules.listing(office.app, office.viewer("maya"))
    assert (shown.name, shown.mailboxes, shown.changeable) == ("both", (maya, "another mailbox"), False)
    with pytest.raises(SyncError, match=f"mailbox {jonas}"):
        add(office, "maya", mailboxes=(jonas,))
    assert add(office, mailboxes=(maya, jonas), private=True).name == "Save anyway: 2 mailboxes, private"
    assert add(office, mailboxes=(jonas,), private=True).name == f"Save anyway: {jonas}, private"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"answer": "maybe"}, "yes or no"),
        ({"organizer": "somebody"}, "organizer takes own, other"),
        ({"name": "n" * 81}, "at most 80"),
        ({"category": "a\x1b[0m"}, "printable"),
        ({"mailboxes": ("nobody@firm.example",)}, "nobody@firm.example"),
    ],
)
def test_what_is_typed_is_checked(office: Office, wanted: dict[str, Any], said: str) -> None:
    """A rule that nobody could mean is refused with what would be taken."""
    with pytest.raises(SyncError, match=said):
        add(office, **wanted)


def test_a_rule_without_a_name_says_what_it_does(office: Office) -> None:
    """Made-up names tell the conditions, are never too long, and are never taken twice."""
    first = add(office, answer="no", category="Travel", organizer="Alpen.example", private=True)
    again = add(office, answer="no", category="Travel", organizer="@alpen.example", private=True)

    assert first.name == "Keep out: category Travel, organizer alpen.example, private"
    assert again.name == f"{first.name} (2)"
    assert first.organizer == "@alpen.example"
    assert add(office).name == "Save anyway: always"
    assert len(add(office, category="x" * 255).name) <= rules.NAME_MAX_CHARACTERS


def test_order_and_switch(office: Office) -> None:
    """A rule moves up, is switched off, and is forgotten."""
    a, b = add(office, name="a"), add(office, name="b")
    assert rules.change(office.app, OPERATOR, b.id, position=1).position == 1
    assert names(office, "ines") == ["b", "a"]
    assert rules.change(office.app, OPERATOR, a.id, enabled=False).enabled is False
    rules.remove(office.app, OPERATOR, b.id)
    assert names(office, "ines") == ["a"]


@pytest.mark.rule("Q-04")
def test_what_a_rule_kept_out_stands_among_the_failures_and_takes_a_yes(office: Office) -> None:
    """It is listed as kept out, its story names the rule, and Maya changes it to Yes."""
    add(office, answer="no", name="Never")
    ask(office, "Product demo")

    (shown,) = failures.listing(office.app, office.viewer("maya"), every=True)
    assert (shown.state, shown.subject) == ("kept_out", "Product demo")
    (story,) = explaining.explain(office.app, office.viewer("maya"), "Product demo")
    assert "no by Rule: Never" in [line.detail for line in story.lines]
    (alert,) = alerts.listing(office.app, office.viewer("maya"))
    assert (alert.outcome, alert.decided_by) == ("kept_out", "Rule: Never")
    assert rules.listing(office.app, OPERATOR)[0].answered == 1

    given = alerts.answer(office.app, office.viewer("maya"), alert.id, "yes")
    assert given.refused is None
    office.sync()
    assert alerts.show(office.app, OPERATOR, alert.id).outcome == "saved"


def test_a_preview_counts_what_became_of_the_questions(office: Office) -> None:
    """Of what the rule would have answered it tells what people answered, what solved itself, and what waits."""
    refs = {name: ask(office, name, days) for days, name in enumerate(("one", "two", "three", "four", "five"), start=1)}
    ids = {each.subject: each.id for each in alerts.listing(office.app, OPERATOR)}
    alerts.answer(office.app, office.viewer("maya"), ids["one"], "yes")
    alerts.answer(office.app, office.viewer("maya"), ids["two"], "no")
    office.change(refs["three"], span=at(16, days=3))
    office.sync()
    add(office, "jonas", name="His")
    told = foretelling.preview(office.app, OPERATOR, NewRule(answer="yes", organizer="own"))

    assert (told.asked, told.matched, told.unknown) == (5, 5, 0)
    assert (told.yes, told.no, told.withdrawn, told.open, told.lapsed, told.by_rules) == (1, 1, 1, 2, 0, 0)
    assert [(each.subject, each.outcome) for each in told.items] == [
        ("five", "open"),
        ("four", "open"),
        ("three", "withdrawn"),
        ("two", "no"),
        ("one", "yes"),
    ]

    other = foretelling.preview(office.app, OPERATOR, NewRule(answer="no", organizer="other"))
    assert (other.asked, other.matched, other.items) == (5, 0, ())
    jonas = foretelling.preview(office.app, office.viewer("jonas"), NewRule(answer="yes"))
    assert (jonas.asked, jonas.matched) == (0, 0)

    office.clock.at += timedelta(days=31)
    assert foretelling.preview(office.app, OPERATOR, NewRule(answer="yes")).asked == 0


def test_a_preview_minds_the_rules_before(office: Office) -> None:
    """What an earlier rule answers never gets to a new one; what other rules answered is counted apart."""
    add(office, name="Trips", organizer="own")
    ask(office, "one")
    assert foretelling.preview(office.app, OPERATOR, NewRule(answer="no")).matched == 0

    rules.change(office.app, OPERATOR, rules.listing(office.app, OPERATOR)[0].id, enabled=False)
    told = foretelling.preview(office.app, OPERATOR, NewRule(answer="no"))
    assert (told.matched, told.by_rules) == (1, 1)


def test_a_preview_masks_what_is_private(office: Office) -> None:
    """Ines may ask for private items and sees that there is one; Maya reads which."""
    ask(office, "Doctor", private=True)
    wanted = NewRule(answer="yes", private=True)

    (hidden,) = foretelling.preview(office.app, office.viewer("ines"), wanted).items
    (plain,) = foretelling.preview(office.app, office.viewer("maya"), wanted).items
    assert (hidden.subject, plain.subject) == (PRIVATE_SUBJECT, "Doctor")


def test_open_questions_are_answered_by_a_click_and_not_by_the_rule(office: Office) -> None:
    """A new rule leaves them alone; a person answers those that match, in his own name, if no more came meanwhile."""
    ask(office, "one")
    ask(office, "two", 2)
    rule = add(office, "maya", name="Mine")
    office.sync()
    maya = office.viewer("maya")
    assert len(foretelling.matching(office.app, maya, rule.id)) == 2

    with pytest.raises(SyncError, match="2 open questions match now, not 1"):
        foretelling.answer_matching(office.app, maya, rule.id, 1)
    with pytest.raises(SyncError, match=f"rule {rule.id}"):
        foretelling.answer_matching(office.app, office.viewer("jonas"), rule.id, 2)
    with pytest.raises(SyncError, match="Look again"):  # one was answered and another came: as many, but not the same
        foretelling.answer_matching(office.app, maya, rule.id, 2, newest=1)
    assert foretelling.answer_matching(office.app, maya, rule.id, 2).answered == 2
    office.sync()

    assert {(each.outcome, each.decided_by) for each in alerts.listing(office.app, OPERATOR)} == {
        ("saved", "Maya Lind")
    }
    assert foretelling.matching(office.app, maya, rule.id) == ()
