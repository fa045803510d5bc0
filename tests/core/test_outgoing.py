"""The steps of a write: which requests it takes, and what a date of a series has from the series."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from syncline.conformance import samples
from syncline.conformance.writer import BOB_ALONE, moved, series
from syncline.core.outgoing import ItemUpdate, Mailing, MailKind, StepKind, mails, steps

BEFORE = series(attendees=BOB_ALONE, exceptions=(moved(series(attendees=BOB_ALONE), 1, samples.at(13, day=1)),))


def update(**fields: object) -> ItemUpdate:
    """Return a change of the series for those who change."""
    after = replace(BEFORE, **fields)  # type: ignore[arg-type]
    return ItemUpdate(ref="r", folder="f", revision="1", before=BEFORE, after=after, mailing=Mailing.CHANGED)


@pytest.mark.rule("R-10")
def test_a_date_follows_its_series_in_what_it_has_from_it() -> None:
    """A date that shall read as the series takes no request; one that keeps the old text takes one."""
    (part,) = BEFORE.exceptions
    follows = update(subject="New", exceptions=(replace(part, subject="New"),))
    keeps = update(subject="New")
    assert [step.kind for step in steps(follows)] == [StepKind.ITEM]
    assert [(step.kind, step.fields) for step in steps(keeps)] == [
        (StepKind.ITEM, {"subject"}),
        (StepKind.OCCURRENCE, {"subject"}),
    ]


@pytest.mark.rule("A-07")
def test_who_joins_a_series_is_asked_once() -> None:
    """The date follows the series' list, so that nobody is asked for it again."""
    (part,) = BEFORE.exceptions
    both = (*BOB_ALONE, replace(BOB_ALONE[0], address="cyd@example.org"))
    write = update(attendees=both, exceptions=(replace(part, attendees=both),))
    assert [(mail.to, mail.kind) for mail in mails(write)] == [("cyd@example.org", MailKind.REQUEST)]


@pytest.mark.rule("R-02")
def test_a_deleted_date_that_shall_stand_again_lays_the_series_out_anew() -> None:
    """The item's own request comes first, and what was moved is moved again."""
    before = replace(BEFORE, deleted=(samples.at(9, day=3).start,))
    write = replace(update(), before=before)
    assert [step.kind for step in steps(write)] == [StepKind.ITEM, StepKind.OCCURRENCE]
    assert steps(write)[0].fields == {"recurrence", "span"}
